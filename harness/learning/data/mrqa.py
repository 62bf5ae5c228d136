"""MRQA: the six training sources of the MRQA 2019 shared task, in its JSON lines.

From Fisch et al., "MRQA 2019 Shared Task: Evaluating Generalization in Reading Comprehension" (2019). Contexts keep
the marks ``[TLE]``, ``[PAR]`` and ``[DOC]``.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Union

import msgspec

from harness.errors import UsageError
from harness.learning.data.examples import QuestionExample

_BEGINNINGS = {
    "HotpotQA": "hotpot",
    "NewsQA": "news",
    "SearchQA": "search",
    "NaturalQuestionsShort": "naturalquestions",
    "SQuAD": "squad",
    "TriviaQA": "trivia",
}
"""How the names of a source's files begin, in small letters: TriviaQA-web.jsonl.gz, HotpotQA-dev.jsonl."""

SOURCES = tuple(_BEGINNINGS)
"""The sources, in the order in which they are read."""

_PAGE = "github.com/mrqa/MRQA-Shared-Task-2019"


class _Detected(msgspec.Struct):
    """An answer and where it stands in the context: first and last character, both inclusive."""

    text: str
    char_spans: list[tuple[int, int]]


class _Question(msgspec.Struct):
    qid: str
    question: str
    detected_answers: list[_Detected]
    answers: tuple[str, ...] = ()


class _Passage(msgspec.Struct):
    """A line: a context with its questions; the first line of a file is a header instead."""

    context: Union[str, None] = None
    qas: Union[list[_Question], None] = None
    header: Union[dict[str, object], None] = None


def read_mrqa(folder: Path) -> list[QuestionExample]:
    """Questions of all files below ``folder``, source by source; questions on one context share its text.

    Files are those of the shared task, ``<source>*.jsonl.gz`` or unpacked; with both, the unpacked one is read. Spans
    that lie outside their context are left out. A question without references has its detected answers as such.

    Raises:
        UsageError: a source is missing, a file cannot be read, or no answer of a question is in its context.
    """
    files = {source: _files_of(beginning, folder) for source, beginning in _BEGINNINGS.items()}
    missing = [source for source, found in files.items() if not found]
    if missing:
        raise UsageError(
            f"MRQA in {folder} lacks {', '.join(missing)}: get the files from the page of the MRQA 2019 shared task "
            f"({_PAGE}) and put them there, such as {missing[0]}.jsonl.gz"
        )
    return [example for source, paths in files.items() for path in paths for example in _read(path, source)]


def _files_of(beginning: str, folder: Path) -> list[Path]:
    """Files of a source, in the order of their paths; a packed one only where it is not unpacked too."""
    found = [path for path in folder.rglob("*") if path.name.lower().startswith(beginning) and path.is_file()]
    unpacked = [path for path in found if path.name.endswith(".jsonl")]
    packed = [path for path in found if path.name.endswith(".jsonl.gz") and path.with_suffix("") not in unpacked]
    return sorted(unpacked + packed)


def _read(path: Path, source: str) -> Iterator[QuestionExample]:
    decoder = msgspec.json.Decoder(_Passage)
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            passage = decoder.decode(line)
        except msgspec.DecodeError as error:
            raise UsageError(f"{place} is not what the MRQA shared task writes ({error}): get the file again") from None
        if passage.header is not None:
            continue
        if passage.context is None or passage.qas is None:
            raise UsageError(f"{place} has no context with questions (context, qas): get the file again")
        for question in passage.qas:
            yield _example(question, passage.context, source, place)


def _lines(path: Path) -> Iterator[bytes]:
    """Lines of a file, one by one: a packed file is never in memory whole."""
    try:
        with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as file:
            yield from file
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"data file {path} cannot be read ({error}): get the file again") from None


def _example(question: _Question, context: str, source: str, place: str) -> QuestionExample:
    places = [(detected.text, *span) for detected in question.detected_answers for span in detected.char_spans]
    inside = [(text, begin, last + 1) for text, begin, last in places if 0 <= begin <= last < len(context)]
    if not inside:
        raise UsageError(
            f"{place}: no answer of question '{question.qid}' is inside its context of {len(context)} characters: "
            "give it a span in detected_answers, or take it out"
        )
    return QuestionExample(
        id=question.qid,
        context=context,
        question=question.question,
        answers=question.answers or tuple(dict.fromkeys(text for text, _, _ in inside)),
        spans=tuple(dict.fromkeys((begin, end) for _, begin, end in inside)),
        source=source,
    )
