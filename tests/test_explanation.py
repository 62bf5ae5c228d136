from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.explanation import Problem, explain, shown, suggestion
from harness.profiles import Experiment

PARTS: dict[str, Any] = {part: {"name": "x"} for part in ("model", "dataset", "device", "link")}
WHOLE: dict[str, Any] = msgspec.to_builtins(
    msgspec.convert({"name": "n", "description": "d", "methods": {"federa": {}}, **PARTS}, Experiment)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats(-2, 2) | st.sampled_from(["x", "null", "a b", "bf16"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["lr", "rank", "name"]), inner, max_size=2)
    ),
    max_leaves=3,
)


def paths(tree: dict[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of every key in a tree of mappings."""
    found = []
    for key, value in tree.items():
        found += [(*above, key), *(paths(value, (*above, key)) if isinstance(value, dict) else [])]
    return found


def changed(tree: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    inner = value if len(path) == 1 else changed(tree[path[0]], path[1:], value)
    return {**tree, path[0]: inner}


def test_what_fits_has_no_problem() -> None:
    assert explain(WHOLE, Experiment) is None


@settings(deadline=None, max_examples=200)
@given(path=st.sampled_from(paths(WHOLE)), value=VALUES)
def test_there_is_a_problem_exactly_where_the_strict_check_finds_one(path: tuple[str, ...], value: object) -> None:
    data = changed(WHOLE, path, value)
    problem = explain(data, Experiment)
    try:
        msgspec.convert(data, Experiment)
    except msgspec.ValidationError:
        assert problem is not None
        assert not problem.key or ".".join(path).startswith(problem.key) or problem.key.startswith(".".join(path))
    else:
        assert problem is None


def test_data_that_is_no_mapping_is_shown_whole() -> None:
    problem = explain([1, "a"], Experiment)
    assert problem is not None
    assert str(problem).startswith('is [1,"a"]; allowed is a group of the keys name, description, ')


def test_a_problem_without_a_key_is_its_text() -> None:
    assert str(Problem("", "two keys are at odds")) == "two keys are at odds"
    assert str(Problem("a.b", "is 3")) == "key 'a.b' is 3"


def test_values_are_shown_as_a_profile_says_them() -> None:
    assert [shown(value) for value in (None, True, 1.5, "x")] == ["null", "true", "1.5", '"x"']
    assert shown("x" * 100) == '"' + "x" * 59 + "..."


def test_a_near_name_is_suggested_and_a_far_one_is_not() -> None:
    assert suggestion("coutn", ["count", "quorum"]) == "did you mean 'count'? "
    assert suggestion("zebra", ["count", "quorum"]) == ""
