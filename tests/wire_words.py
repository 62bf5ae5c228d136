"""The messages of each direction, and a strategy that draws valid ones: every field within what its type allows."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from harness.protocol.messages import BeatMessage, Message, ToAgent, ToController

OF_AGENTS: tuple[type[Message], ...] = get_args(ToController)
OF_CONTROLLERS: tuple[type[Message], ...] = get_args(ToAgent)
OF_BEATS: tuple[type[Message], ...] = get_args(BeatMessage)

LARGEST = 2**63 - 1
WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
PACKED = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST, LARGEST)
    | st.floats(allow_nan=False)
    | WORDS
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)
"""Whatever msgpack can hold."""


def messages(kinds: tuple[type[Message], ...]) -> st.SearchStrategy[Any]:
    """A valid message of one of these kinds."""
    return st.sampled_from(kinds).flatmap(values_of)


def values_of(type_: Any) -> st.SearchStrategy[Any]:
    """A value that is valid for a type, as msgspec understands it; not NaN, which equals nothing."""
    return _values(inspect.type_info(type_))


def _values(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.StructType():
            return _structs(info)
        case inspect.UnionType():
            return st.one_of([_values(one) for one in info.types])
        case inspect.IntType():
            low = info.ge if info.ge is not None else -LARGEST if info.gt is None else info.gt + 1
            high = info.le if info.le is not None else LARGEST if info.lt is None else info.lt - 1
            return st.integers(low, high)
        case inspect.FloatType():
            low = info.ge if info.ge is not None else info.gt
            high = info.le if info.le is not None else info.lt
            low_out, high_out = info.gt is not None, info.lt is not None
            return st.floats(low, high, exclude_min=low_out, exclude_max=high_out, allow_nan=False)
        case inspect.StrType():
            return st.from_regex(info.pattern, fullmatch=True) if info.pattern else WORDS
        case inspect.LiteralType():
            return st.sampled_from(info.values)
        case inspect.VarTupleType():
            return st.lists(_values(info.item_type), max_size=4).map(tuple)
        case inspect.TupleType():
            return st.tuples(*map(_values, info.item_types))
        case inspect.DictType():
            return st.dictionaries(_values(info.key_type), _values(info.value_type), max_size=4)
        case inspect.AnyType():
            return st.dictionaries(WORDS, st.integers(0, 9) | WORDS | st.lists(WORDS, max_size=3), max_size=3)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
    raise TypeError(f"no values are known for {info}")


def _structs(info: inspect.StructType) -> st.SearchStrategy[Any]:
    required = {field.name: _values(field.type) for field in info.fields if field.required}
    optional = {field.name: _values(field.type) for field in info.fields if not field.required}
    drawn = st.fixed_dictionaries(required, optional=optional)
    return drawn.map(lambda fields: _struct(info.cls, fields)).filter(lambda one: one is not None)


def _struct(cls: type[Any], fields: dict[str, Any]) -> Any:
    """The struct, or None where it refuses fields that do not go together."""
    try:
        made = cls(**fields)
        return msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=cls)
    except (ValueError, msgspec.DecodeError):
        return None
