"""A method has one style everywhere, and a label of a table finds it."""

from __future__ import annotations

import pytest

from analysis.palette import OTHER, STYLES, VARIANTS, legend, marker, named, style, variant_words

KNOWN = {entry.name: entry.style for entry in legend(STYLES)}


def test_the_legend_has_a_method_once_however_many_runs_it_has() -> None:
    assert [entry.name for entry in legend(["fedlr", "fedlr", "federa", "fedlr"])] == ["FedLR", "FeDeRA"]


def test_a_method_that_is_not_known_has_a_style_too() -> None:
    assert [entry.style for entry in legend(["mine"])] == [OTHER]


@pytest.mark.parametrize("label", ["FeDeRA", "FeDeRA seed 3", "FeDeRA (alpha 0.1)", "FeDeRA, the paper's"])
def test_a_label_that_begins_with_a_method_has_its_style(label: str) -> None:
    assert named(label, KNOWN) == style("federa")


@pytest.mark.parametrize("label", ["", "FedAPx", "the FeDeRA paper", "0.83"])
def test_other_labels_have_none(label: str) -> None:
    assert named(label, KNOWN) is None


def test_settings_of_a_method_keep_its_shape_and_differ_in_filling_and_size() -> None:
    markers = [marker("fedlr", variant) for variant in range(len(VARIANTS))]
    assert all(each["symbol"] in ("diamond", "diamond-open") for each in markers)
    assert len({(each["symbol"], each["size"]) for each in markers}) == len(VARIANTS)
    assert marker("fedlr", len(VARIANTS), 9) == {"symbol": "diamond", "size": 9}
    assert [variant_words(variant) for variant in (0, 1, 5)] == ["filled", "open", "open"]
