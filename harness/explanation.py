"""What is wrong with data that should become a profile: the first key that does not fit, and what is allowed there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, NamedTuple, get_args

import msgspec
from msgspec import inspect

SHOWN_CHARACTERS = 60


class Problem(NamedTuple):
    """The path of a key, as ``a.b``, and what is the matter with it. The key is empty where several are at odds."""

    key: str
    text: str

    def __str__(self) -> str:
        return f"key '{self.key}' {self.text}" if self.key else self.text


def explain(data: object, kind: type[msgspec.Struct], key: str = "") -> Problem | None:
    """The first problem of ``data`` as a ``kind`` (a struct of structs, mappings, sequences and plain values)."""
    if not isinstance(data, dict):
        return Problem(key, f"is {shown(data)}; allowed is {_allowed(inspect.type_info(kind))}")
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for name in data:
        if name not in fields:
            return _unknown(key, str(name), list(fields))
    for name, field in fields.items():
        if name in data:
            problem = _explain_value(data[name], field.type, _join(key, name))
            if problem:
                return problem
        elif field.required:
            return Problem(_join(key, name), f"is missing; allowed is {_allowed(inspect.type_info(field.type))}")
    try:
        msgspec.convert(data, kind)
    except msgspec.ValidationError as error:  # each value is fine: the struct's own check found them at odds
        return Problem(key, f"does not hold together: {error}") if key else Problem("", str(error))
    return None


def _explain_value(value: object, annotation: Any, key: str) -> Problem | None:
    info = inspect.type_info(annotation)
    group = _group_of(info)
    if group is not None and (isinstance(value, dict) or isinstance(info, inspect.StructType)):
        return explain(value, group, key)
    if isinstance(info, inspect.DictType) and isinstance(value, dict):
        return _explain_mapping(value, annotation, key)
    if isinstance(info, inspect.VarTupleType) and isinstance(value, list):
        places = ((item, f"{key}[{place}]") for place, item in enumerate(value))
        return _first(_explain_value(item, get_args(annotation)[0], place) for item, place in places)
    try:
        msgspec.convert(value, annotation)
    except msgspec.ValidationError:
        hint = '; write it as "null", in quotes' if value is None and "null" in _choices(info) else ""
        return Problem(key, f"is {shown(value)}; allowed is {_allowed(info)}{hint}")
    return None


def _group_of(info: inspect.Type) -> type[msgspec.Struct] | None:
    """The struct that a type accepts: itself, or the one part of a union that is one."""
    parts = info.types if isinstance(info, inspect.UnionType) else (info,)
    structs = [part.cls for part in parts if isinstance(part, inspect.StructType)]
    return structs[0] if len(structs) == 1 else None


def _explain_mapping(value: dict[Any, Any], annotation: Any, key: str) -> Problem | None:
    names_type, items_type = get_args(annotation)
    names = _choices(inspect.type_info(names_type))
    for name, item in value.items():
        if name not in names:
            return _unknown(key, str(name), names)
        problem = _explain_value(item, items_type, _join(key, name))
        if problem:
            return problem
    return None


def _first(problems: Iterable[Problem | None]) -> Problem | None:
    return next((problem for problem in problems if problem is not None), None)


def _unknown(key: str, name: str, known: list[str]) -> Problem:
    return Problem(_join(key, name), f"is unknown; {suggestion(name, known)}known here: {', '.join(sorted(known))}")


def suggestion(name: str, known: list[str]) -> str:
    """``did you mean 'x'? `` where a known name is near, else nothing."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{near[0]}'? " if near else ""


def shown(value: object) -> str:
    """A value as a profile would say it, cut where it is long."""
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _choices(info: inspect.Type) -> list[str]:
    return [str(value) for value in info.values] if isinstance(info, inspect.LiteralType) else []


def _allowed(info: inspect.Type) -> str:
    """What a type accepts, in words."""
    match info:
        case inspect.LiteralType():
            return f"one of: {', '.join(_choices(info))}"
        case inspect.IntType():
            return f"a whole number{_range(info)}"
        case inspect.FloatType():
            return f"a number{_range(info)}"
        case inspect.StrType(pattern=str() as pattern, max_length=length):
            return f"text of at most {length} characters that matches {pattern}"
        case inspect.StrType():
            return "text"
        case inspect.VarTupleType():
            return f"a list, each item {_allowed(info.item_type)}"
        case inspect.UnionType():
            return " or ".join(_allowed(part) for part in info.types)
        case inspect.NoneType():
            return "null"
        case inspect.StructType():
            return f"a group of the keys {', '.join(field.name for field in info.fields)}"
        case inspect.DictType():
            return f"a group of the keys {', '.join(_choices(info.key_type))}"
        case _:
            return "another value"


def _range(info: inspect.IntType | inspect.FloatType) -> str:
    bounds = (("of at least", info.ge), ("above", info.gt), ("of at most", info.le), ("below", info.lt))
    parts = [
        f"{word} {bound:g}" if isinstance(bound, float) else f"{word} {bound}"
        for word, bound in bounds
        if bound is not None
    ]
    return f" {' and '.join(parts)}" if parts else ""
