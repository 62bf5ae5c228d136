"""What a sampler process says is taken as it comes: too much of it, what is no line, nothing at all."""

from __future__ import annotations

import select
from pathlib import Path

from made_board import MadeBoard, waves

from harness.protocol.beside import MAX_TELEMETRY_VALUES
from harness.sensors import Sampler

HZ = 20.0
MANY_ROWS = """
FIELDS = ", ".join(["at_s", *(f"rail_{n}_w" for n in range(99))])
COUNT = iter(range(10**6))
def dumps(value):
    number = next(COUNT)
    row = str([number] + [1.0] * 99)
    return row if number else '{"source": "many", "fields": ["' + FIELDS.replace(", ", '", "') + '"]}'
"""


def test_messages_are_of_a_bounded_size_and_lose_nothing(tmp_path: Path) -> None:
    MadeBoard(tmp_path).show(waves)  # rails are read as often as is asked for
    (tmp_path / "json.py").write_text(MANY_ROWS)
    sampler = Sampler.start(tmp_path, 500.0, env={"PYTHONPATH": str(tmp_path)})
    assert sampler is not None
    while sampler.window(100.0, 101.0).samples == 0:  # type: ignore[union-attr]
        select.select([sampler.fd], [], [])
    messages = sampler.read()
    sampler.close()
    assert {len(message.rows) for message in messages[:-1]} == {MAX_TELEMETRY_VALUES // 100}
    stamps = [row[0] for message in messages for row in message.rows]
    assert stamps == list(range(1, len(stamps) + 1))
    assert len(stamps) >= 100


def test_a_sampler_that_cannot_start_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise ImportError('broken')")
    sampler = Sampler.start(tmp_path, HZ, env={"PYTHONPATH": str(tmp_path), "PYTHONWARNINGS": "ignore"})
    assert sampler is not None
    while sampler.pid is not None:
        select.select([sampler.fd], [], [])
        sampler.read()
    assert sampler.describe()["source"] == "none"
    told = sampler.window(0.0, 1.0)
    assert told is not None
    assert (told.source, told.energy_j, told.flags) == ("none", None, ("no samples", "gap", "low coverage"))


def test_what_is_no_line_of_a_sampler_is_left_out(tmp_path: Path) -> None:
    lines = ["[1.0, 2.0]", '{"source": "x", "fields": ["at_s", "total_w"]}', "[1.0, NaN]", "[", "[2.5]", "[2.0, 5.0]"]
    (tmp_path / "json.py").write_text(f"LINES = iter({lines!r})\ndef dumps(value): return next(LINES)\n")
    sampler = Sampler.start(tmp_path, HZ, env={"PYTHONPATH": str(tmp_path)})
    assert sampler is not None
    while not (messages := sampler.read()):
        select.select([sampler.fd], [], [])
    rows = messages[0].rows
    sampler.close()
    assert rows == ((2.0, 5.0),)
