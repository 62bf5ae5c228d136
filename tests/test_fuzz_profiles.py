"""Whatever is written into a profile or an override: it is a profile, or it is refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from benchtools import TINY
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wire_words import PACKED

from harness.errors import ProfileError
from harness.library import load_experiment
from harness.profiles import Experiment
from harness.yaml12 import parse

EXAMPLES = settings(max_examples=80, deadline=None)
KEYS: dict[str, Any] = parse(Path(TINY).read_text(), TINY)


def places(data: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key."""
    for name, value in data.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from places(value, (*above, name))


PLACES = st.sampled_from(list(places(KEYS)))
WORDS = st.sampled_from(
    [
        *["a", "name", "rounds", "model", "<<", "~", "null", "no", "1e-3", ".5", "-", "0x10", "1_000", "1e999"],
        *["9" * 19, "9" * 5000, "x" * 5000, "\x00", "\x85", "\ufeff", "\u2028"],
        *[":", ": ", "- ", "? ", ", ", "{", "}", "[", "]", "\n", "\n  ", "#", "%", "|", ">", "'", '"', "@", "`", "\t"],
        *["&a", "*a", "!x", "!!int ", "!!float ", "!!bool ", "!!null ", "!!map ", "!!seq ", "!!set ", "!!omap "],
        *["!!pairs ", "!!binary ", "!!timestamp ", "!!str ", "!!python/none ", "!!merge ", "---\n", "...\n", "--- "],
        *['"\\ud800"', '"\\0"', "../", "/", "x/y", "embedded", "link.yaml"],
    ]
)  # fmt: skip
YAML = st.lists(WORDS | st.text(max_size=3), max_size=12).map("".join)


def loaded(path: Path, *overrides: str) -> Experiment | None:
    """The profile, or None where it was refused properly."""
    refusal = ""
    try:
        return load_experiment(str(path), overrides)
    except ProfileError as error:
        refusal = str(error)
    assert refusal
    return None


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profiles") / "profile.yaml"


@given(text=YAML)
@example(text="[" * 5000)
@example(text="a: " * 5000)
@example(text="&a [*a]")
@example(text="&a {name: *a}")
@example(text="!!int x")
@example(text="!!bool x")
@example(text="!!timestamp x")
@example(text="!!map [a]")
@example(text="name: " + "9" * 5000)
@EXAMPLES
def test_any_text_is_a_profile_or_refused(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="")
    loaded(file)


@given(content=st.binary(max_size=60))
@EXAMPLES
def test_any_file_is_a_profile_or_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    loaded(file)


@given(changes=st.lists(st.tuples(PLACES, PACKED | YAML), min_size=1, max_size=3))
@EXAMPLES
def test_any_value_at_any_key_is_fine_or_refused(file: Path, changes: list[tuple[tuple[str, ...], Any]]) -> None:
    data = deepcopy(KEYS)
    for (*above, name), value in changes:
        here: Any = data
        for key in above:
            here = here.get(key) if isinstance(here, dict) else None
        if isinstance(here, dict):
            here[name] = value
    file.write_text(json.dumps(data, default=repr))
    loaded(file)


@given(key=PLACES.map(".".join) | YAML, value=YAML)
@EXAMPLES
@example(key="model", value='"a/\\0"')
@example(key="model", value="a/" + "x" * 5000)
@example(key="link", value="a/" + "x" * 5000)
@example(key="link", value='"a/\\0"')
@example(key="name", value='"\\ud800"')
@example(key="model", value='"a/\\ud800"')
@example(key="base", value="x/" * 5000)
def test_any_override_is_taken_or_refused(key: str, value: str) -> None:
    loaded(Path(TINY), f"{key}={value}")


@given(overrides=st.lists(st.text(max_size=30), max_size=3))
@EXAMPLES
def test_any_text_as_overrides_is_taken_or_refused(overrides: list[str]) -> None:
    loaded(Path(TINY), *overrides)
