"""The inventory is checked strictly, and an error names the file and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.deploy.inventory import read
from harness.errors import UsageError

EXAMPLE = Path(__file__).parent.parent / "docs" / "devices.yaml"


def written(folder: Path, text: str) -> Path:
    path = folder / "devices.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_lists_ten_boards() -> None:
    wishes = read(EXAMPLE)
    assert len(wishes) == 10
    assert wishes[0].name == "orin-01"
    assert wishes[-1].name == "desk"


def test_what_a_device_leaves_out_is_as_for_all(tmp_path: Path) -> None:
    text = "controller: tcp://a:1\npython: python3.11\ndevices:\n  - host: lab@x\n  - {host: y, name: z, controller: 'tcp://b:2'}\n"
    first, second = read(written(tmp_path, text))
    assert (first.name, first.connect, first.python) == ("x", "tcp://a:1", "python3.11")
    assert (second.name, second.connect) == ("z", "tcp://b:2")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("devices: []", "there are no devices"),
        ("devices: [{host: a, nme: b}]", "unknown field `nme`"),
        ("devices: [{host: a}, {host: a}]", "the host a stands there twice"),
        ("devices: [{host: a, name: x}, {host: b, name: x}]", "the name x stands there twice"),
        ("devices: [{host: a}, {host: -oX}]", r"devices\[1\]: '-oX' is no host"),
        ("devices: [{host: a, host: b}]", "'host' stands twice"),
        ("controller: 5", "int"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        read(written(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path / "devices.yaml"))
