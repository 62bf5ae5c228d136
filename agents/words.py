"""What the agent says to people: a line of the log for each message it sends, and reasons that fit a message. Pure."""

from __future__ import annotations

from harness.protocol.messages import Done, Failed, Goodbye, Message, Ready, Report, TaskRef

LONGEST_REASON = 4000
"""Characters, as :data:`harness.protocol.messages.Text` has it."""


def clipped(reason: str) -> str:
    """A reason as a message may carry it: not too long, and without what is no text (names of files may hold it)."""
    text = reason.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 3]}..."


def status_of(doing: str, task: TaskRef | None) -> str:
    """What an agent does, as the one line that a service manager shows."""
    if task is None:
        return "waiting for a controller" if doing == "joining" else doing
    return f"{doing}: client {task.client}, round {task.round}, attempt {task.attempt}"


def in_words(message: Message) -> str:
    """A message as a line of the log."""
    match message:
        case Ready():
            return f"ready: provisioned in {message.provision_s:.2f} s, initial state in {message.ship_s:.2f} s"
        case Report(record=record):
            train = f"trained client {record.client} in {record.train_s:.2f} s on {record.samples} samples"
            return f"{train}, the state came in {record.download_s:.2f} s"
        case Done(record=record):
            return f"done with client {record.client}: {record.upload_bytes} bytes sent in {record.upload_s:.2f} s"
        case Failed(ref=ref, reason=reason):
            return f"client {ref.client} of round {ref.round} failed: {reason}"
        case Goodbye(reason=reason):
            return f"goodbye: {reason}"
        case _:
            return f"say {type(message).__name__.lower()}"
