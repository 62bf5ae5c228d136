"""Headers of safetensors files: what they say is believed only where it is sound, and a file's size is no matter."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from small_tensors import entry, framed, header_of, tensor_file

from harness.errors import BlobError
from harness.tensorfile import MAX_HEADER_BYTES, Layout, Tensor, layout

TWO = {"b": entry(8, 0, "F32", [2, 1]), "a": entry(12, 8, "I32", []), "__metadata__": {"format": "np"}}
WHOLE = framed(header_of(TWO), bytes(12))
ODD = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(folder: Path, data: bytes) -> Layout:
    (folder / "x").write_bytes(data)
    return layout(folder / "x")


def test_a_header_tells_names_dtypes_and_shapes_in_the_order_of_names(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == Layout((Tensor("a", "I32", ()), Tensor("b", "F32", (2, 1))))


def test_a_header_that_was_read_before_still_has_to_fit_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == read(tmp_path, WHOLE)
    for other in (WHOLE[:-1], WHOLE + b"!"):
        with pytest.raises(BlobError, match="its tensors end at byte 12"):
            read(tmp_path, other)


def test_where_tensors_stand_in_a_file_and_what_else_it_says_makes_no_difference(tmp_path: Path) -> None:
    other = {"a": entry(4, 0, "I32", []), "b": entry(12, 4, "F32", [2, 1]), "c": entry(12, 12, "U8", [0])}
    assert read(tmp_path, framed(header_of(other) + b"   ", bytes(12))).tensors[:2] == read(tmp_path, WHOLE).tensors


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "0 bytes long, of a file of 0 bytes"),
        (b"\x01\0\0", "of a file of 3 bytes"),
        (b"\xff" * 8 + b"{}", "18446744073709551615 bytes long, of a file of 10 bytes"),
        (framed(b""), "truncated"),
        (framed(b"[]"), "Expected `object`"),
        (framed(b"{}", b"x"), "end at byte 0 of 1"),
        (framed(b'{"x": {}}'), "required field"),
        (framed(b'{"x": ' + b"[" * 100_000), ""),
        (framed(b'{"\xff": 1}'), ""),
        (framed(b'{"\\ud800": {}}'), ""),
        (framed(b'{"x": {"dtype": "F32"}, "x": {}}'), "a key twice"),
        (framed(header_of({"__metadata__": {"x": 1}})), "Expected `str`"),
        (framed(header_of({"x": entry(1) | {"more": 1}}), b"x"), "unknown field"),
        (framed(header_of({"x": entry(1, dtype="S1")}), b"x"), "the unknown dtype 'S1'"),
        (framed(header_of({"x": entry(4, dtype="F32")}), b"four"), "takes 4 bytes, but its shape asks for 16"),
        (framed(header_of({"x": entry(1, shape=[-1])}), b"x"), ">= 0"),
        (framed(header_of({"x": entry(1, shape=[1] * 17)}), b"x"), "<= 16"),
        (framed(header_of({"x": entry(1, shape=[2**60, 2**60])}), b"x"), "<="),
        (framed(header_of({"x": entry(2, 1)}), b"xx"), "begins at byte 1 instead of 0"),
        (framed(header_of({"x": entry(2), "y": entry(3, 1)}), b"xxx"), "'y' begins at byte 1 instead of 2"),
        (framed(header_of({"x": entry(1), "y": entry(3, 2)}), b"xxx"), "'y' begins at byte 2 instead of 1"),
        (framed(header_of({"x": entry(2, 3, shape=[1])}), b"xxx"), "begins at byte 3"),
        (framed(header_of({"x": entry(1, 0) | {"data_offsets": [1, 0]}}), b"x"), "begins at byte 1"),
        (framed(header_of(TWO), bytes(11)), "end at byte 12 of 11"),
        (framed(header_of(TWO), bytes(13)), "end at byte 12 of 13"),
    ],
)
def test_whatever_is_not_sound_is_refused_in_a_sentence(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(BlobError) as caught:
        read(tmp_path, data)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'x'} is no safetensors file: ")
    assert words in said
    assert said.isprintable()
    assert len(said) < 500


def test_a_header_of_any_length_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes((MAX_HEADER_BYTES + 1).to_bytes(8, "little"))
    os.truncate(tmp_path / "x", 2**33)  # no byte of it is on the disk
    with pytest.raises(BlobError, match=f"{MAX_HEADER_BYTES + 1} bytes long"):
        layout(tmp_path / "x")


def test_a_name_without_end_or_with_escapes_does_not_reach_the_sentence_whole(tmp_path: Path) -> None:
    name = "\x1b[2J" + "x" * 100_000
    with pytest.raises(BlobError) as caught:
        read(tmp_path, framed(header_of({name: entry(1, 1)})))
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BlobError, match=f"{tmp_path / 'x'} cannot be read"):
        layout(tmp_path / "x")


def test_layouts_differ_in_words(tmp_path: Path) -> None:
    state = Layout((Tensor("a", "F32", (2,)), Tensor("b", "F32", (3,))))
    assert state.difference(state) is None
    fewer, other = Layout(state.tensors[:1]), Layout((Tensor("a", "F16", (2,)), Tensor("b", "F32", (3,))))
    assert fewer.difference(state) == "it lacks tensor 'b'"
    assert state.difference(fewer) == "it has tensor 'b', which the state has not"
    assert other.difference(state) == "its tensor 'a' is F16 [2] instead of F32 [2]"


VALUES = st.one_of(
    st.integers(-2, 2**64), st.sampled_from(["F32", "U8", "F64", "x", ""]), st.lists(st.integers(-1, 9), max_size=3)
)
ENTRIES = st.builds(
    entry, st.integers(0, 20), st.integers(0, 20), st.sampled_from(["U8", "F32", "I64", "F4"]), st.just([2])
)


@ODD
@given(
    st.dictionaries(
        st.text(max_size=3),
        ENTRIES | st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets"]), VALUES) | VALUES,
        max_size=3,
    ),
    st.binary(max_size=20),
)
def test_any_header_is_a_layout_or_a_sentence_and_a_layout_can_be_opened(
    tmp_path: Path, entries: dict[str, Any], data: bytes
) -> None:
    with contextlib.suppress(BlobError):
        found = read(tmp_path, framed(header_of(entries), data))
        with safe_open(tmp_path / "x", "np") as file:
            assert sorted(file.keys()) == [tensor.name for tensor in found.tensors]


@ODD
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_any_byte_may_be_another(tmp_path: Path, place: int, change: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] ^= change
    with contextlib.suppress(BlobError):
        read(tmp_path, bytes(damaged))
        with safe_open(tmp_path / "x", "np") as file:
            assert len(file.keys()) > 0


@ODD
@given(st.binary(max_size=200))
def test_any_bytes_are_a_layout_or_a_sentence(tmp_path: Path, data: bytes) -> None:
    with contextlib.suppress(BlobError):
        read(tmp_path, data)


def test_one_tensor_made_by_hand_is_one(tmp_path: Path) -> None:
    assert read(tmp_path, tensor_file(b"12345")) == Layout((Tensor("x", "U8", (5,)),))
