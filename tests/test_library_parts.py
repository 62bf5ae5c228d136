"""Links and devices by name or file, checked as within an experiment."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ProfileError
from harness.library import load_part
from harness.profiles import DeviceProfile, LinkProfile


def test_a_part_is_found_by_its_name_or_file(tmp_path: Path) -> None:
    assert load_part(LinkProfile, "lte-5").rate_mbps == 5.0
    assert load_part(DeviceProfile, "orin-nano").slowdown == 3.0
    (tmp_path / "mine.yaml").write_text("name: mine\nrate_mbps: 2\n")
    assert load_part(LinkProfile, str(tmp_path / "mine.yaml")) == LinkProfile(name="mine", rate_mbps=2.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: mine\nrate_mpbs: 2\n", "mine.yaml: key 'rate_mpbs' is unknown; did you mean 'rate_mbps'?"),
        ("name: mine\nrate_mbps: 0\n", "mine.yaml: key 'rate_mbps' is 0; allowed is a number above 0"),
        ("name: mine\nrate_min_mbps: 2\n", "mine.yaml: rate_min_mbps and rate_max_mbps are given together"),
    ],
)
def test_what_is_wrong_in_a_part_is_said(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ProfileError) as raised:
        load_part(LinkProfile, str(tmp_path / "mine.yaml"))
    assert words in str(raised.value)


def test_a_name_that_is_none_is_said_with_those_that_are() -> None:
    with pytest.raises(ProfileError, match=r"no device profile 'orin'.*there are: .*orin-nano"):
        load_part(DeviceProfile, "orin")
