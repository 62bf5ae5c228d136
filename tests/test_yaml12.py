from __future__ import annotations

import pytest

from harness.errors import ProfileError
from harness.yaml12 import parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("5E+2", 500.0),
        (".5", 0.5),
        ("-3", -3),
        ("010", 10),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("1e", "1e"),
        (".inf", ".inf"),
        ("2026-01-31", "2026-01-31"),
        ('"null"', "null"),
        ("[1, {a: b}]", [1, {"a": "b"}]),
    ],
)
def test_plain_values_are_read_as_yaml_1_2_does(text: str, value: object) -> None:
    parsed = parse(text, "here")
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3", "here, line 3: this is not valid YAML: the key 'a' stands twice"),
        ("a: 1\n2: 3", "here, line 2: this is not valid YAML: the key 2 is not text"),
        ("rate: 1e999", "here, line 1: this is not valid YAML: 1e999 is not a finite number"),
        ("a: &x [*x]", "here, line 1: this is not valid YAML: found unconstructable recursive node"),
        ("a: [1", "here, line 1: this is not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: !!python/none x", "here, line 1: this is not valid YAML: could not determine a constructor for the tag"),
        ("a: !!int x", "here, line 1: this is not valid YAML: this is no int"),
        ("a: !!bool x", "here, line 1: this is not valid YAML: this is no bool"),
        ("a: !!float [x]", "here, line 1: this is not valid YAML: this is no float"),
        ("a: !!map [x]", "here, line 1: this is not valid YAML: this is no group of keys"),
        ("a: !!timestamp x", "here, line 1: this is not valid YAML: could not determine a constructor for the tag"),
        ("a: 9223372036854775808", "here, line 1: this is not valid YAML: 92233720368547758"),
        ("a: " + "9" * 5000, "here, line 1: this is not valid YAML: 99999999999999999999... is not a whole number"),
        (r'a: "\ud800"', "here, line 1: this is not valid YAML: a text holds what is no character"),
        (r'a: "\0"', "here, line 1: this is not valid YAML: a text holds what is no character"),
        ("[" * 5000, "here: this is nested too deeply for a profile"),
        ("a: \x00", "here: this is not valid YAML: unacceptable character"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse(text, "here")
    assert str(caught.value).startswith(sentence)
