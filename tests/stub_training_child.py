"""A training child with hands of a few lines: the first word of a shard says what happens while it trains."""

import errno
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import TrainerError
from harness.fleets.training_child import main
from harness.fleets.workforce import Ended, Hands, OneByOne, Work
from harness.learning.spec import PrepareSpec, Trained


class StubTrainer:
    """Reports its process as the samples, and its threads as the steps."""

    def load(self, state: Path, shard: Path, round: int = 1) -> None:
        self._state, self._words = state.read_bytes(), shard.read_text().split()

    def train(self, seed: int, round: int) -> Trained:
        match self._words:
            case ["raise"]:
                raise TrainerError("training diverged")
            case ["die"]:
                os.kill(os.getpid(), signal.SIGKILL)
            case ["die-once", mark]:
                if not Path(mark).exists():
                    Path(mark).touch()
                    sys.exit("out of luck")
            case ["full"]:
                raise OSError(errno.ENOSPC, "No space left on device", "update-7")
            case ["starve"]:
                raise MemoryError("no more")
            case ["meet", mine, other]:
                Path(mine).touch()
                while not Path(other).exists():
                    time.sleep(0.001)
        return Trained(samples=os.getpid(), steps=int(os.environ["OMP_NUM_THREADS"]), tokens=9, loss=None)

    def save(self, update: Path) -> None:
        update.write_bytes(self._state + b"!")


class Batch:
    """Hands that train what was sent together as one, and say of how many works it was."""

    def carry_out(self, works: Sequence[Work]) -> Iterator[Ended]:
        return (Ended(number=work.number, failed=f"one of {len(works)}") for work in works)


def make_hands(spec: PrepareSpec, base: Path | None, init: Path | None, fused: int) -> Hands:
    if base is not None:
        words = (base / "says").read_text()
        if words == "broken":
            raise TrainerError("the model is none")
        sys.exit(words)
    return OneByOne(StubTrainer()) if fused == 1 else Batch()


if __name__ == "__main__":
    main(make_hands)
