"""CoNLL-2012's brackets become IOB2 tags."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.learning.data.conll import Sentence
from harness.learning.data.conll2012 import parse_conll2012, read_conll2012


def line(word: str, entity: str) -> str:
    return f"bc/cctv/00/cctv_0000   0   0   {word}   NNP   (TOP(S*   -   -   -   Speaker#1   {entity}   *   (12)\n"


def refusal(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        list(parse_conll2012(["#begin document (bc/cctv/00/cctv_0000); part 000\n", text], "here"))
    return str(caught.value)


def test_entities_open_go_on_and_end_as_their_brackets_say() -> None:
    entities = ("(PERSON*", "*", "*)", "(GPE)", "*", "(WORK_OF_ART*", "*)", "*")
    (sentence,) = parse_conll2012((line("word", entity) for entity in entities), "here")
    assert sentence.tags == ("B-PERSON", "I-PERSON", "I-PERSON", "B-GPE", "O", "B-WORK_OF_ART", "I-WORK_OF_ART", "O")


def test_sentences_end_at_empty_lines_and_documents(tmp_path: Path) -> None:
    path = tmp_path / "cctv_0000.v4_gold_conll"
    head, end = "#begin document (bc/cctv/00/cctv_0000); part 000\n", "#end document\n"
    path.write_text(head + line("Zoë", "(PERSON)") + "\n" + line("Rome", "(GPE)") + end + head + line("is", "*"))
    assert read_conll2012(path) == [
        Sentence(("Zoë",), ("B-PERSON",)),
        Sentence(("Rome",), ("B-GPE",)),
        Sentence(("is",), ("O",)),
    ]


def test_a_line_of_too_few_columns_is_named() -> None:
    assert refusal("Rome B-GPE") == "here, line 2 has 2 columns: a line of CoNLL-2012 has at least 12"


def test_a_skeleton_without_words_is_named() -> None:
    assert refusal(line("[WORD]", "*")).startswith("here, line 2 has no words yet: join them from LDC2013T19")


@pytest.mark.parametrize("entity", ["B-GPE", "()", "(*", "(GPE", "GPE)", ")", "-"])
def test_what_is_no_bracket_is_named(entity: str) -> None:
    assert refusal(line("Rome", entity)) == (
        f"here, line 2 has '{entity}' as its entity: CoNLL-2012 has *, (<type>*, *) or (<type>) there"
    )
