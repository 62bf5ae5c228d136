"""YAML as people mean it: 1e-3 is a number, yes and no are text, a key given twice is an error with its line.

PyYAML follows YAML 1.1, where ``1e-3`` is text, ``no`` is false and ``1:30`` is ninety; this loader reads plain
values as YAML 1.2 does, and knows no other tags. A profile is also stored as JSON, so numbers must be finite, integers
have 64 bits, and text holds whole characters alone.
"""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

import yaml

from harness.errors import ProfileError


class _Loader(yaml.SafeLoader):
    """SafeLoader with the values of YAML 1.2's core schema, and no others."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way; filled below
    yaml_constructors: ClassVar[dict[str | None, Any]] = {None: yaml.SafeLoader.construct_undefined}


_PLAIN = (
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", r"[-+]?[0-9]+", [*"-+0123456789"]),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", [*"-+.0123456789"]),
)
for _name, _pattern, _first in _PLAIN:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), _first)


def _refused(node: yaml.Node, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _construct_null(loader: _Loader, node: yaml.ScalarNode) -> None:
    return None


def _construct_bool(loader: _Loader, node: yaml.ScalarNode) -> bool:
    return _scalar(node, r"true|false").lower() == "true"


def _construct_int(loader: _Loader, node: yaml.ScalarNode) -> int:
    digits = _scalar(node, r"[-+]?[0-9]+")
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:
        raise _refused(node, f"{digits[:20]}... is not a whole number of at most 64 bits")
    return int(digits)


def _construct_float(loader: _Loader, node: yaml.ScalarNode) -> float:
    value = float(_scalar(node, r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)(e[-+]?[0-9]+)?"))
    if not math.isfinite(value):
        raise _refused(node, f"{node.value[:20]} is not a finite number")
    return value


def _scalar(node: yaml.Node, pattern: str) -> str:
    """The text of a plain value; its tag may have been written, and then anything stands behind it."""
    if not isinstance(node, yaml.ScalarNode) or not re.fullmatch(pattern, node.value, re.IGNORECASE):
        raise _refused(node, f"this is no {node.tag.rpartition(':')[2]}")
    text: str = node.value
    return text


def _construct_str(loader: _Loader, node: yaml.ScalarNode) -> str:
    text = str(loader.construct_scalar(node))
    if re.search("[\0\ud800-\udfff]", text):
        raise _refused(node, "a text holds what is no character")
    return text


def _construct_sequence(loader: _Loader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node, deep=True)


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise _refused(node, "this is no group of keys")
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise _refused(key_node, f"the key {key} is not text")
        if key in mapping:
            raise _refused(key_node, f"the key '{key}' stands twice")
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


for _name, _constructor in (
    ("null", _construct_null),
    ("bool", _construct_bool),
    ("int", _construct_int),
    ("float", _construct_float),
    ("str", _construct_str),
    ("seq", _construct_sequence),
    ("map", _construct_mapping),
):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_name}", _constructor)


def parse(text: str, where: str) -> Any:
    """The value of a YAML text; ``where`` names its source in errors.

    Raises:
        ProfileError: not YAML, nested too deeply, a key given twice, a value that a profile cannot hold; with the line
            where it is known.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ProfileError(f"{where}{line}: this is not valid YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ProfileError(f"{where}: this is not valid YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ProfileError(f"{where}: this is nested too deeply for a profile") from None
