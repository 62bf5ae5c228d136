"""What an agent's session is to its controller: what both agreed on, and what may have to be said again. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from harness.protocol.messages import Done, Failed, Hello, TaskRef, Welcome


class Session:
    """One session over any number of connections. ``welcomed``: the present one stands, what is said arrives.

    ``provisioned`` and ``ended`` are what Hello says of them; ``last_word`` ended the last task, and stays until the
    controller shows that it heard it: by another task.
    """

    def __init__(self, hello: Hello) -> None:
        self._hello = hello
        self.agent = hello.agent
        self.run_id = ""
        self.welcomed = self.provisioned = False
        self.ended: TaskRef | None = None
        self.last_word: Done | Failed | None = None

    def hello(self, holds: TaskRef | None, connection: int) -> Hello:
        """How the agent introduces itself now."""
        provisioned, ended = self.provisioned, self.ended
        return replace(self._hello, provisioned=provisioned, holds=holds, ended=ended, connection=connection)

    def broke(self) -> bool:
        """The connection is gone; returns whether it had stood."""
        stood, self.welcomed = self.welcomed, False
        return stood

    def goes_on(self, welcome: Welcome) -> bool:
        """Take a Welcome; returns whether this session goes on. If it does not, all it agreed on is void."""
        # One that tells of another run than ours came after a Welcome and a Provision that were lost.
        goes_on = welcome.resumed and (welcome.run_id == self.run_id or not self.provisioned)
        self.run_id, self.welcomed = welcome.run_id, True
        if not goes_on:
            self.void()
        return goes_on

    def void(self) -> None:
        """The controller knows nothing of this session any more."""
        self.provisioned, self.ended, self.last_word = False, None, None

    def end_with(self, word: Done | Failed) -> Done | Failed:
        """A task ends with this message."""
        self.ended, self.last_word = word.ref, word
        return word
