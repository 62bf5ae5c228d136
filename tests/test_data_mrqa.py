"""MRQA is read from the shared task's JSON lines, packed or not, or what is wrong is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.learning.data.examples import QuestionExample
from harness.learning.data.mrqa import SOURCES, read_mrqa

CONTEXT = "[PAR] Ada was born in London. London was large."


def question(qid: str = "q1", spans: list[list[int]] | None = None, **others: Any) -> dict[str, Any]:
    """Where? In London, at its two places."""
    detected = [{"text": "London", "char_spans": [[22, 27], [30, 35]] if spans is None else spans, "token_spans": []}]
    return {"qid": qid, "question": "Where?", "answers": ["London"], "detected_answers": detected, **others}


def lines(*questions: dict[str, Any], source: str = "SQuAD") -> bytes:
    """A file of one context."""
    header = {"header": {"dataset": source, "mrqa_split": "train"}}
    passage = {"id": "", "context": CONTEXT, "context_tokens": [["[PAR]", 0]], "qas": list(questions)}
    return f"{json.dumps(header)}\n{json.dumps(passage)}\n".encode()


@pytest.fixture
def mrqa(tmp_path: Path) -> Path:
    """A folder with one question for each source."""
    for source in SOURCES:
        (tmp_path / f"{source}.jsonl.gz").write_bytes(gzip.compress(lines(question(source))))
    return tmp_path


def of_source(folder: Path, source: str) -> list[QuestionExample]:
    return [example for example in read_mrqa(folder) if example.source == source]


def refusal(folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_mrqa(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_question_has_its_spans_with_the_end_outside(mrqa: Path) -> None:
    examples = read_mrqa(mrqa)
    assert [example.source for example in examples] == list(SOURCES)
    assert examples[0] == QuestionExample("HotpotQA", CONTEXT, "Where?", ("London",), ((22, 28), (30, 36)), "HotpotQA")
    assert [CONTEXT[begin:end] for begin, end in examples[0].spans] == ["London", "London"]


def test_questions_on_one_context_share_it(mrqa: Path) -> None:
    (mrqa / "SQuAD.jsonl.gz").write_bytes(gzip.compress(lines(question("a"), question("b"))))
    first, second = of_source(mrqa, "SQuAD")
    assert first.context is second.context


def test_names_of_other_spellings_and_folders_are_found(mrqa: Path) -> None:
    for old, new in (("TriviaQA", "train/TriviaQA-web"), ("HotpotQA", "Hotpot"), ("NewsQA", "train/news-dev")):
        (mrqa / new).parent.mkdir(exist_ok=True)
        (mrqa / f"{old}.jsonl.gz").rename(mrqa / f"{new}.jsonl.gz")
    (mrqa / "RACE.jsonl").write_bytes(b"no source of MRQA's training")
    assert [example.source for example in read_mrqa(mrqa)] == list(SOURCES)


def test_a_file_that_is_there_packed_and_unpacked_counts_once(mrqa: Path) -> None:
    (mrqa / "SQuAD.jsonl").write_bytes(lines(question("unpacked")))
    assert [example.id for example in of_source(mrqa, "SQuAD")] == ["unpacked"]


def test_spans_outside_the_context_are_left_out(mrqa: Path) -> None:
    (mrqa / "SQuAD.jsonl").write_bytes(lines(question(spans=[[-1, 3], [40, 47], [30, 35], [28, 27]])))
    assert of_source(mrqa, "SQuAD")[0].spans == ((30, 36),)


@pytest.mark.parametrize("spans", [[], [[47, 47]]])
def test_a_question_whose_answer_is_not_in_its_context_is_named(mrqa: Path, spans: list[list[int]]) -> None:
    (mrqa / "SQuAD.jsonl").write_bytes(lines(question(), question("q2", spans)))
    assert refusal(mrqa) == (
        f"{mrqa / 'SQuAD.jsonl'}, line 2: no answer of question 'q2' is inside its context of 47 characters: "
        "give it a span in detected_answers, or take it out"
    )


def test_without_references_the_detected_answers_are_the_references(mrqa: Path) -> None:
    (mrqa / "SQuAD.jsonl").write_bytes(lines(question(answers=[])))
    assert of_source(mrqa, "SQuAD")[0].answers == ("London",)


def test_characters_are_counted_not_bytes(mrqa: Path) -> None:
    passage = {"context": "Zoë🙂 sat.", "qas": [question(spans=[[5, 7]])]}
    (mrqa / "SQuAD.jsonl").write_text(json.dumps(passage) + "\n\n", encoding="utf-8")
    (example,) = of_source(mrqa, "SQuAD")
    assert example.context[slice(*example.spans[0])] == "sat"


@pytest.mark.parametrize(
    "line", [b'{"context": "a"', b'{"context": "a", "qas": [{"qid": 7}]}', b'{"context": "a", "qas": [', b'"\xff"']
)
def test_a_line_of_another_form_is_named(mrqa: Path, line: bytes) -> None:
    (mrqa / "SQuAD.jsonl").write_bytes(b'{"header": {}}\n' + line)
    assert refusal(mrqa).startswith(f"{mrqa / 'SQuAD.jsonl'}, line 2 is not what the MRQA shared task writes (")


def test_a_line_without_questions_is_named(mrqa: Path) -> None:
    (mrqa / "SQuAD.jsonl").write_bytes(b'{"context": "a"}')
    assert "line 1 has no context with questions" in refusal(mrqa)


def test_a_torn_packed_file_is_named(mrqa: Path) -> None:
    path = mrqa / "NewsQA.jsonl.gz"
    for torn in (path.read_bytes()[:-9], b"<html>not found</html>"):
        path.write_bytes(torn)
        assert refusal(mrqa).startswith(f"data file {path} cannot be read (")


def test_all_sources_that_are_missing_are_named_at_once(mrqa: Path) -> None:
    for source in ("NewsQA", "TriviaQA"):
        (mrqa / f"{source}.jsonl.gz").unlink()
    assert refusal(mrqa) == (
        f"MRQA in {mrqa} lacks NewsQA, TriviaQA: get the files from the page of the MRQA 2019 shared task "
        "(github.com/mrqa/MRQA-Shared-Task-2019) and put them there, such as NewsQA.jsonl.gz"
    )
