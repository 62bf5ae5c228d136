"""The files of measured profiles: they load again as they were, and say where they come from."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from measured_runs import UNSHAPED, WIFI, experiment, run

from harness.library import first_comment, load_part
from harness.measuring import Recorded, device_text, link_text, measured_device, measured_link
from harness.profiles import DeviceProfile, LinkProfile, RateProfile

COMMAND = "federa-bench run quickstart"

LINKS = (
    WIFI,
    UNSHAPED,
    LinkProfile(name="lte", rate_mbps=5.5, latency_s=0.04),
    LinkProfile(name="drive", rates_mbps=tuple(1 / n for n in range(1, 50)), step_s=0.1),
    LinkProfile(name="one-way", rate_mbps=5.0, up=RateProfile(rate_min_mbps=1e-5, rate_max_mbps=2.0, step_s=1.5)),
)


def file(folder: Path, text: str) -> str:
    path = folder / "measured.yaml"
    path.write_text(text, encoding="utf-8")
    assert first_comment(path) == COMMAND
    assert max(map(len, text.splitlines())) <= 120
    return str(path)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.name)
def test_a_link_loads_again_as_it_was_measured(link: LinkProfile, tmp_path: Path) -> None:
    runs = [run(experiment(link=link), rounds=10)]
    measured = measured_link(runs)
    assert load_part(LinkProfile, file(tmp_path, link_text(measured, runs, COMMAND))) == measured


@pytest.mark.parametrize("model", ["tiny", "5", "null", "20-b"])
def test_a_device_loads_again_as_it_was_measured(model: str, tmp_path: Path) -> None:
    of = experiment()
    of = experiment(model=msgspec.structs.replace(of.model, name=model))
    runs = [run(of), run(of, method="fedft", size_bytes=2_000_000)]
    measured = measured_device(runs)
    assert load_part(DeviceProfile, file(tmp_path, device_text(measured, runs, COMMAND))) == measured


def test_the_device_s_comment_says_what_was_measured_and_how_far_it_spread() -> None:
    of = experiment()
    of = experiment(model=msgspec.structs.replace(of.model, timed_as="roberta-base"))
    runs = [run(of, environment={"cpu": "Orin", "cores": 12})]
    text = words(device_text(measured_device(runs), runs, COMMAND))
    assert "Measured on made-up-federa-0;" in text
    assert "The controller ran on: cpu Orin, cores 12." in text
    assert "federa: 12 updates by agent-1, agent-2; 0.02 s a step, nine of ten between 0.02 and 0.02" in text
    assert "tiny timed as roberta-base" in text


def test_the_device_s_comment_says_why_aggregation_is_left_out() -> None:
    large = run(method="fedft")
    slow = large._replace(rounds=tuple(msgspec.structs.replace(r, aggregate_s=2.0) for r in large.rounds))
    assert "aggregate_s is left out" in words(text_of_device(run(), slow))
    assert "aggregate_s is left out" not in words(text_of_device(run()))


def text_of_device(*runs: Recorded) -> str:
    return device_text(measured_device(runs), runs, COMMAND)


def test_the_link_s_comment_says_on_how_many_transfers_it_stands() -> None:
    runs = [run(), run(method="fedft", size_bytes=2_000_000)]
    text = words(link_text(measured_link(runs), runs, COMMAND))
    assert "made-up-federa-0, made-up-fedft-0, under the link profile wifi." in text
    assert "24 downloads of 1,000,000 to 2,000,000 bytes:" in text
    assert "0.002 s beyond the profile's rate and latency." in text
    free = [run(experiment(link=UNSHAPED))]
    assert "not shaped, so the rates are those achieved" in words(link_text(measured_link(free), free, COMMAND))


def words(text: str) -> str:
    """The text without its line breaks."""
    return text.replace("\n# ", " ")
