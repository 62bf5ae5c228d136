"""The agent's log: one line for each message it sends. Pure."""

from __future__ import annotations

from harness.protocol.messages import Done, Failed, Goodbye, Message, Ready, Report


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
