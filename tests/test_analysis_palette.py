"""A method has one style everywhere, and a label of a table finds it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import pytest

from analysis.palette import OTHER, STYLES, VARIANTS, legend, marker, named, style, variant_words
from analysis.stats import METHOD_NAMES
from harness.profiles import FEDERA_METHODS, METHODS

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


def test_every_method_has_a_name_a_colour_and_a_marker_that_no_other_has() -> None:
    assert set(STYLES) == set(METHODS) == set(METHOD_NAMES)
    assert len(set(METHOD_NAMES.values())) == len(METHODS)
    assert OTHER not in STYLES.values()
    looks = [*STYLES.values(), OTHER]
    assert len({look.colour for look in looks}) == len({look.symbol for look in looks}) == len(looks)


def test_no_two_colours_are_alike_and_each_is_seen_on_white_and_on_black() -> None:
    looks = [*STYLES.values(), OTHER]
    assert min(math.dist(_lab(one.colour), _lab(two.colour)) for one, two in combinations(looks, 2)) > 0.07
    for look in looks:
        light = _luminance(look.colour)
        assert min(1.05 / (light + 0.05), (light + 0.05) / (_luminance("#1b1e22") + 0.05)) > 2


def test_the_styles_of_federa_s_methods_stay() -> None:
    assert [STYLES[method].colour for method in FEDERA_METHODS] == [
        "#E69F00",
        "#56B4E9",
        "#009E73",
        "#0072B2",
        "#D55E00",
    ]


def _linear(colour: str) -> tuple[float, ...]:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)


def _product(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def _luminance(colour: str) -> float:
    return _product((0.2126, 0.7152, 0.0722), _linear(colour))


def _lab(colour: str) -> tuple[float, ...]:
    """OKLab: distances are about as people see them (Ottosson 2020)."""
    to_cones = ((0.4122, 0.5363, 0.0514), (0.2119, 0.6807, 0.1074), (0.0883, 0.2817, 0.6300))
    to_lab = ((0.2105, 0.7936, -0.0041), (1.9780, -2.4286, 0.4506), (0.0259, 0.7828, -0.8087))
    cones = [_product(row, _linear(colour)) ** (1 / 3) for row in to_cones]
    return tuple(_product(row, cones) for row in to_lab)
