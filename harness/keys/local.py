"""Keys of the agents that a controller starts itself: made for one run, allowed in memory alone, gone with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import not_written
from harness.keys.folder import write_secret

if TYPE_CHECKING:  # commands that open no socket start without zmq
    from harness.transport import KeyPair


@dataclass(frozen=True)
class LocalKeys:
    """A key pair for each of these agents, by name."""

    pairs: Mapping[str, KeyPair]

    @classmethod
    def made(cls, names: Iterable[str]) -> LocalKeys:
        """New pairs. Make them before sockets are opened."""
        from harness.transport import new_pair

        return cls({name: new_pair() for name in names})

    @property
    def allowed(self) -> dict[str, str]:
        """Names by public key."""
        return {pair.public: name for name, pair in self.pairs.items()}

    @contextmanager
    def written(self, folder: Path, controller: str) -> Iterator[dict[str, list[str]]]:
        """Their secret keys as files below ``folder`` while the block runs; what to tell each agent's command line.

        Raises:
            StoreError: they cannot be written.
        """
        if not self.pairs:
            yield {}
            return
        try:
            options = self._write(folder, controller)
        except OSError as error:
            raise not_written(str(folder), error, "give another --out") from None
        try:
            yield options
        finally:
            for name in self.pairs:
                (folder / f"{name}.secret").unlink(missing_ok=True)

    def _write(self, folder: Path, controller: str) -> dict[str, list[str]]:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        options = {}
        for name, pair in self.pairs.items():
            path = folder / f"{name}.secret"
            path.unlink(missing_ok=True)  # of a controller that was killed
            write_secret(path, name, pair)
            options[name] = ["--key", str(path.resolve()), f"--controller-key={controller}"]
        return options
