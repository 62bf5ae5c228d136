"""A process that trains clients of a virtual fleet: ``python -m harness.fleets.training_child``."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.errors import FederaBenchError
from harness.fleets.training_frames import Answer, Broken, Order, Prepare, Prepared, Told, Train, order_of
from harness.fleets.workforce import Hands, hands_of
from harness.learning.spec import PrepareSpec
from harness.pipes.child import out_of_memory, serve
from harness.pipes.frames import OOM

MakeHands = Callable[[PrepareSpec, "Path | None", "Path | None", int], Hands]


class Child:
    """Carries out orders with one model."""

    def __init__(self, make_hands: MakeHands = hands_of) -> None:
        self._make_hands = make_hands
        self._hands: Hands | None = None

    def answers_to(self, order: Order) -> Iterator[Answer]:
        """Do what is ordered: an answer for each work, as it ends. An error that ends the order is Broken."""
        try:
            yield from self._prepare(order) if isinstance(order, Prepare) else self._train(order)
        except OSError as error:
            yield Broken(reason=error.strerror or str(error), errno=error.errno, path=error.filename)
        except FederaBenchError as error:
            yield Broken(reason=str(error))
        except Exception as error:
            with contextlib.suppress(OSError):  # the disk that takes the log may be what is full
                traceback.print_exc()
            yield Broken(reason=f"{OOM if out_of_memory(error) else ''}{type(error).__name__}: {error}")

    def _prepare(self, order: Prepare) -> Iterator[Answer]:
        base, init = (Path(path) if path else None for path in (order.base, order.init))
        self._hands = self._make_hands(order.spec, base, init, order.fused)
        yield Prepared()

    def _train(self, order: Train) -> Iterator[Answer]:
        if self._hands is None:
            raise RuntimeError("a work came before the model was built")
        yield from (Told(ended=ended) for ended in self._hands.carry_out(order.works))


def main(make_hands: MakeHands = hands_of) -> None:
    """Read orders from stdin and answer on stdout until stdin ends."""
    serve(order_of, Child(make_hands).answers_to)


if __name__ == "__main__":
    main()
