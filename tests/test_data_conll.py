"""CoNLL columns become words and IOB2 tags, whatever scheme they were written in."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.learning.data.conll import Sentence, parse_conll, read_conll


def tags_of(*tags: str) -> tuple[str, ...]:
    """What one sentence with these tags becomes."""
    (sentence,) = parse_conll((f"word {tag}\n" for tag in tags), "here")
    return sentence.tags


def refusal(*lines: str) -> str:
    with pytest.raises(UsageError) as caught:
        list(parse_conll(lines, "here.conll"))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_word_is_the_first_column_and_the_tag_the_last() -> None:
    lines = [
        "-DOCSTART- -X- -X- O\n",
        "\n",
        "EU NNP I-NP I-ORG\n",
        "rejects VBZ I-VP O\n",
        "\n",
        "\n",
        "Bonn NNP I-NP I-LOC",
    ]
    assert list(parse_conll(lines, "here")) == [
        Sentence(("EU", "rejects"), ("B-ORG", "O")),
        Sentence(("Bonn",), ("B-LOC",)),
    ]


def test_columns_may_be_apart_by_tabs_and_lines_end_as_on_windows() -> None:
    lines = ["New York\tB-LOC\r\n", "is\tO\t\r\n", "\t\r\n", "big\tO\r\n"]
    assert list(parse_conll(lines, "here")) == [
        Sentence(("New York", "is"), ("B-LOC", "O")),
        Sentence(("big",), ("O",)),
    ]


def test_other_white_space_belongs_to_a_word() -> None:
    (sentence,) = parse_conll(["a\u00a0b O\n", "\u2028\tO\n"], "here")
    assert sentence.words == ("a\u00a0b", "\u2028")


def test_iob1_opens_an_entity_only_where_one_of_its_type_goes_before() -> None:
    assert tags_of("I-PER", "I-PER", "B-PER", "I-LOC", "O", "I-LOC") == (
        "B-PER",
        "I-PER",
        "B-PER",
        "B-LOC",
        "O",
        "B-LOC",
    )


def test_iob2_stays_as_it_is() -> None:
    tags = ("B-PER", "I-PER", "B-PER", "O", "B-geo-loc", "I-geo-loc")
    assert tags_of(*tags) == tags


def test_bioes_and_bilou_say_where_an_entity_ends() -> None:
    expected = ("B-PER", "I-PER", "I-PER", "B-PER", "B-PER", "O", "B-LOC", "B-PER")
    assert tags_of("B-PER", "I-PER", "E-PER", "I-PER", "S-PER", "O", "S-LOC", "I-PER") == expected
    assert tags_of("B-PER", "I-PER", "L-PER", "I-PER", "U-PER", "O", "U-LOC", "I-PER") == expected


def test_an_entity_ends_with_its_sentence() -> None:
    sentences = parse_conll(["Jan I-PER", "", "Ute I-PER"], "here")
    assert [tags for _, tags in sentences] == [("B-PER",), ("B-PER",)]


@pytest.mark.parametrize("tag", ["PER", "X-PER", "B-", "I", "-PER", "o", "BB-PER"])
def test_what_is_no_tag_is_named_with_its_line(tag: str) -> None:
    assert refusal("Jan O\n", "\n", f"Ute {tag}\n") == (
        f"here.conll, line 3 has '{tag}' as its tag: write O, B-<type> or I-<type> in the last column"
    )


def test_a_line_of_one_column_is_named() -> None:
    assert refusal("Jan\n") == "here.conll, line 1 has one column, 'Jan': give each word its tag in the last column"


def test_a_file_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "some.conll"
    path.write_bytes("Zoë B-PER\n".encode("utf-8-sig"))
    assert read_conll(path) == [Sentence(("Zoë",), ("B-PER",))]


def test_a_file_of_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.conll"
    path.write_bytes("Zoë B-PER\n".encode("latin-1"))
    with pytest.raises(UsageError, match=r"some\.conll is not text in UTF-8"):
        read_conll(path)


def test_a_folder_instead_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_conll(tmp_path)
