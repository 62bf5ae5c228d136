"""What the heat maps hold; how they look is the browser test's."""

from __future__ import annotations

import json

import numpy as np
import pytest
from run_folders import partition

from analysis.partition_figures import LONGEST_NAME, class_map, divergence_map, shortened, side_px
from analysis.partitions import SharedPartition


def shared(clients: int, classes: int) -> SharedPartition:
    return SharedPartition(partition(clients, classes), ())


def test_the_scale_is_from_0_to_1_whatever_the_values() -> None:
    for draw in (divergence_map, class_map):
        (trace,) = draw(shared(3, 2)).data
        assert (trace.zmin, trace.zmax) == (0, 1)


def test_half_of_the_symmetric_matrix_travels_in_thousandths() -> None:
    held = shared(40, 12)
    rows = divergence_map(held).data[0].meta["thousandths"]
    assert [len(row) for row in rows] == list(range(40, 0, -1))
    assert all(row[0] == 0 for row in rows)
    assert rows[3][5] == pytest.approx(1000 * held.between[3, 8], abs=0.5)


def test_a_class_map_has_a_row_a_class_whose_shares_sum_to_one_in_each_client() -> None:
    held = shared(40, 12)
    (trace,) = class_map(held).data
    shares = np.array(trace.meta["thousandths"])
    assert shares.shape == (12, 40)
    assert np.abs(shares.sum(axis=0) - 1000).max() <= 6  # each of 12 is rounded by at most a half
    assert trace.text[2][7] == held.partition.counts[7][2]
    assert list(trace.y) == list(held.partition.classes)


def test_numbers_stand_in_cells_where_they_fit() -> None:
    assert divergence_map(shared(3, 2)).data[0].texttemplate == "%{z:.2f}"
    assert divergence_map(shared(40, 2)).data[0].texttemplate is None


def test_few_clients_make_a_small_square_and_many_no_giant() -> None:
    assert side_px(shared(3, 2)) < 250 < side_px(shared(40, 2)) == side_px(shared(300, 2)) < 600


def test_many_classes_do_not_make_an_endless_figure() -> None:
    assert class_map(shared(3, 500)).layout.height < 1000
    assert class_map(shared(3, 37)).layout.height > 37 * 12


def test_300_clients_of_37_classes_stay_below_300_kilobytes() -> None:
    held = shared(300, 37)
    written = [json.dumps(draw(held).to_plotly_json(), separators=(",", ":")) for draw in (divergence_map, class_map)]
    assert sum(map(len, written)) < 300_000


def test_a_long_class_name_keeps_its_beginning_and_its_end() -> None:
    assert shortened("sci.space") == "sci.space"
    assert shortened("corporation+creative-work+person") == "corporat\N{HORIZONTAL ELLIPSIS}+person"
    assert len(shortened("x" * 99)) == LONGEST_NAME
