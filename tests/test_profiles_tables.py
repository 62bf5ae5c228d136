"""The device and link profiles ``table8`` and ``table8-fit`` hold FeDeRA's own figures (Tables 8 and 9)."""

from __future__ import annotations

import math

import pytest

from harness.devices import LocalSeconds, local_seconds
from harness.library import load_part
from harness.links import transfer
from harness.profiles import FEDERA_METHODS, DeviceProfile, LinkProfile, Setting

UNMEASURED = LocalSeconds(math.nan, math.nan, math.nan, math.nan)
TRAIN_S = {
    ("roberta-base", "20newsgroups"): (4.59, 3.15, 3.29, 3.27, 3.27),
    ("roberta-base", "wnut2017"): (4.62, 3.31, 3.42, 3.33, 3.33),
    ("roberta-base", "squad"): (30.91, 21.83, 22.8, 22.37, 22.37),
    ("debertav3-base", "20newsgroups"): (6.31, 4.36, 4.62, 4.54, 4.54),
    ("debertav3-base", "wnut2017"): (6.22, 4.49, 4.81, 4.62, 4.62),
    ("debertav3-base", "squad"): (42.44, 29.51, 31.86, 30.46, 30.46),
}
"""By model and data set: the seconds of FedFT, FedBF, FedAP, FedLR and FeDeRA."""
TRANSFER_S = {"roberta-base": (109.67, 0.96, 2.47, 1.68, 1.68), "debertav3-base": (149.98, 0.96, 2.47, 1.68, 1.68)}
BY_RANK_S = {3: 0.96, 32: 1.68, 48: 2.47, 64: 3.24, 128: 4.55}
PARAMETERS_S = (
    (124_055_040, 109.67),
    (184_000_000, 149.98),
    (102_144, 0.96),
    (1_179_648, 1.68),
    (1_789_056, 2.47),
    (2_359_296, 3.24),
    (4_718_592, 4.55),
)
"""The seven transfers that the line was laid through: trained parameters, and seconds one way."""


def one_way_s(link: LinkProfile, setting: Setting, size_bytes: int = 0) -> float:
    return transfer(link, setting, 0, 1, 0, "up", size_bytes).seconds


@pytest.mark.parametrize(("model", "dataset"), TRAIN_S)
def test_a_local_training_takes_what_table_8_says(model: str, dataset: str) -> None:
    device = load_part(DeviceProfile, "table8")
    for method, train_s in zip(FEDERA_METHODS, TRAIN_S[model, dataset], strict=True):
        found = local_seconds(device, Setting(model, dataset, method, 32), 8, UNMEASURED)
        assert found == LocalSeconds(0.0, train_s, 0.0, 0.0)


def test_the_svd_is_paid_once_and_aggregation_is_free() -> None:
    server = load_part(DeviceProfile, "table8").server
    assert (server.svd_s, server.aggregate_s) == (8.62, 0)


@pytest.mark.parametrize("model", TRANSFER_S)
def test_a_transfer_takes_what_the_paper_measured_whatever_its_bytes(model: str) -> None:
    link = load_part(LinkProfile, "table8")
    for method, seconds in zip(FEDERA_METHODS, TRANSFER_S[model], strict=True):
        assert one_way_s(link, Setting(model, "squad", method, 32), 10**9) == seconds
    for method in ("fedlr", "federa"):
        for rank, seconds in BY_RANK_S.items():
            assert one_way_s(link, Setting(model, "squad", method, rank)) == seconds


def test_the_line_misses_the_measured_transfers_by_7_percent() -> None:
    link, any_setting = load_part(LinkProfile, "table8-fit"), Setting("m", "d", "fedft", 32)
    misses = [one_way_s(link, any_setting, 4 * count) / seconds - 1 for count, seconds in PARAMETERS_S]
    assert math.sqrt(sum(miss**2 for miss in misses) / len(misses)) == pytest.approx(0.07, abs=0.005)
