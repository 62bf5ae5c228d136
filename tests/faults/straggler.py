"""An agent played by hand that takes a task, and offers its update whenever the test wants, whatever it is told."""

from __future__ import annotations

import secrets
from types import TracebackType
from typing import Any

from ground import Ground

from harness.protocol import codec
from harness.protocol import messages as m
from harness.transport import Arrival, connect


class Straggler:
    """It sends no heartbeats: the run must be one that counts nobody as lost so soon."""

    def __init__(self, ground: Ground, name: str) -> None:
        self._ground, self._name = ground, name
        self._channel = connect(f"tcp://127.0.0.1:{ground.port}")
        self._heard: list[Arrival] = []

    def __enter__(self) -> Straggler:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close(0)

    def join(self) -> None:
        """Become an agent of the run."""
        hello: dict[str, Any] = {"host": "here", "cores": 1, "memory_bytes": 1, "session": secrets.token_hex(8)}
        self._channel.send(m.Hello(protocol=m.PROTOCOL, version="0", agent=self._name, **hello))
        self._hear(m.Provision)
        self._channel.send(m.Ready(provision_s=0.0, ship_s=0.0))

    def task(self) -> m.TaskRef:
        """The next task that it is given."""
        ref: m.TaskRef = self._hear(m.Task).ref
        return ref

    def offer(self, ref: m.TaskRef) -> None:
        """Say that a task's update is there."""
        blob = m.BlobRef(name="update", sha256=secrets.token_hex(32), size_bytes=1000)
        self._channel.send(m.Offer(ref=ref, blob=blob))

    def cancelled(self, ref: m.TaskRef) -> None:
        """Wait until the controller has answered twice that it does not want it: at the deadline, and to the offer."""
        assert [self._hear(m.Cancel).ref, self._hear(m.Cancel).ref] == [ref, ref]

    def leave(self) -> None:
        """Say goodbye: whatever it was given meanwhile is somebody else's to do."""
        self._channel.send(m.Goodbye(agent=self._name, reason="the test has seen enough"))

    def _hear(self, kind: type[m.Message]) -> Any:
        """The next message of this kind; those before it are dropped."""
        found: list[m.Message] = []

        def heard() -> bool:
            self._heard += self._channel.receive()
            while self._heard and not found:
                message = codec.decode_to_agent(self._heard.pop(0).head)
                found.extend([message] if isinstance(message, kind) else [])
            return bool(found)

        self._ground.until(heard, f"a {kind.__name__}")
        return found[0]
