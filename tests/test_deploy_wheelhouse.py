"""Which wheels a device without internet needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.deploy.wheelhouse import fill, needed, pins_for
from harness.errors import UsageError

REQUIRES = {
    "federa-bench": [
        "PyYAML>=6",
        'torch>=2; extra == "agent"',
        "peft; extra == 'agent'",
        "pandas; extra == 'controller'",
    ],
    "peft": ["torch", "accelerate>=1", "pytest; extra == 'test'"],
    "accelerate": ["torch", "typing_extensions"],
    "torch": ["sympy"],
}


def test_all_that_an_agent_needs_but_torch() -> None:
    assert needed(["federa-bench"], lambda name: REQUIRES.get(name, [])) == [
        "accelerate", "peft", "pyyaml", "typing-extensions",
    ]  # fmt: skip


def test_pins_are_those_of_the_device_s_python() -> None:
    lines = ["# note", "a==1", 'b==2; python_version >= "3.11"', 'b==1; python_version < "3.11"']
    assert pins_for(lines, 10) == {"a": "a==1", "b": "b==1"}
    assert pins_for(lines, 11) == {"a": "a==1", "b": "b==2"}


def test_what_is_no_version_of_python_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"write it like 3\.10"):
        fill(tmp_path, "python3", "aarch64")
