"""The mask of SLoRA's first stage: of the asked size, and the same wherever it is drawn."""

import numpy as np
import pytest

from harness.learning.sparse import mask, trained_count


@pytest.mark.parametrize(
    ("shape", "density", "count"), [((768, 768), 0.06, 35_389), ((3, 5), 1.0, 15), ((2, 2), 0.01, 1)]
)
def test_it_has_so_many_places_each_once(shape: tuple[int, int], density: float, count: int) -> None:
    places = mask(0, "layer", shape, density)
    assert len(places) == trained_count(shape, density) == count
    assert (np.diff(places) > 0).all()
    assert 0 <= places[0] <= places[-1] < shape[0] * shape[1]


def test_it_follows_from_the_seed_and_the_layer() -> None:
    first = mask(7, "encoder.0.query", (6, 8), 0.2)
    assert first.tolist() == mask(7, "encoder.0.query", (6, 8), 0.2).tolist()
    assert first.tolist() != mask(8, "encoder.0.query", (6, 8), 0.2).tolist()
    assert first.tolist() != mask(7, "encoder.0.value", (6, 8), 0.2).tolist()
