"""A trainer process with a trainer of ten lines; the shard's first word says what happens while it trains."""

import os
import signal
import time
from pathlib import Path

from agents.worker import main
from harness.errors import TrainerError
from harness.learning.spec import PrepareSpec, Trained


class StubTrainer:
    def load(self, state: Path, shard: Path, round: int = 1) -> None:
        self._state, self._shard = state.read_bytes(), shard.read_text()

    def train(self, seed: int, round: int) -> Trained:
        print("libraries print to stdout")
        match self._shard.split()[0]:
            case "raise":
                raise TrainerError("the shard is empty")
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "starve":
                hoard = [bytearray(b"x" * 2**20) for _ in range(2**12)]
                raise AssertionError(f"{len(hoard)} MiB were there")
            case "gate":
                while not Path(self._shard.split()[1]).exists():
                    time.sleep(0.01)
            case "hang":
                time.sleep(600)
        return Trained(samples=7, steps=1, tokens=9, loss=None)

    def save(self, update: Path) -> None:
        update.write_bytes(self._state)


def make_trainer(spec: PrepareSpec, base: Path, init: Path | None) -> StubTrainer:
    (base / "weights").read_bytes()
    return StubTrainer()


if __name__ == "__main__":
    main(make_trainer)
