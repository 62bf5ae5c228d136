"""Rows become samples as they stand, or are refused with their number."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.learning.data.examples import Example, QuestionExample, SentenceExample, TextExample
from harness.learning.data.rows import Table, examples_of, iob2_problem, roles_of
from harness.profiles import ClassesProfile, DatasetProfile, Role, TaskName

TASKS: dict[str, TaskName] = {
    "label": "text-classification",
    "tags": "token-classification",
    "context": "question-answering",
}


def made(**columns: list[Any]) -> list[Example]:
    """The samples of columns that are called like their roles."""
    task = next(task for role, task in TASKS.items() if role in columns)
    roles = {role: column for role in get_args(Role) if (column := columns.get(role)) is not None}
    return examples_of(task, Table("some.parquet", {role: role for role in roles}, roles))


def refusal(**columns: list[Any]) -> str:
    with pytest.raises(UsageError) as caught:
        made(**columns)
    message = str(caught.value)
    assert "\n" not in message
    return message


def question(**columns: Any) -> dict[str, list[Any]]:
    """Columns of one question that is well asked, but for what is given."""
    row = {"id": "q1", "context": "Ada wrote.", "question": "Who?", "answer_starts": [0], "answer_texts": ["Ada"]}
    return {role: [value] for role, value in {**row, **columns}.items()}


def test_texts_and_labels() -> None:
    assert made(text=["purr", None, ""], label=["cat", "dog", 7]) == [
        TextExample("purr", "cat"),
        TextExample("", "dog"),
        TextExample("", "7"),
    ]


def test_pairs_and_sources() -> None:
    assert made(text=["purr"], pair=["meow"], label=["same"], source=["web"]) == [
        TextExample("purr", "same", "meow", "web")
    ]


def test_a_missing_second_text_is_empty_and_still_a_pair() -> None:
    assert made(text=["purr"], pair=[None], label=["same"]) == [TextExample("purr", "same", "")]


def test_a_text_without_a_label_is_named() -> None:
    assert refusal(text=["purr", "woof"], label=["cat", None]) == (
        "some.parquet, row 2, has no label in column 'label': give each text one"
    )


@pytest.mark.parametrize("task", TASKS.values())
def test_an_empty_split_is_one_sentence(task: TaskName) -> None:
    roles = roles_of(DatasetProfile(name="d", task=task), {})
    with pytest.raises(UsageError, match=r"^some\.parquet is empty: a split needs at least one sample$"):
        examples_of(task, Table("some.parquet", {role: role for role in roles}, {role: [] for role in roles}))


def test_sentences() -> None:
    assert made(tokens=[["Ada", "wrote"], []], tags=[["B-person", "O"], []], source=["web", None]) == [
        SentenceExample(("Ada", "wrote"), ("B-person", "O"), "web"),
        SentenceExample((), (), ""),
    ]


def test_words_and_tags_of_different_numbers_are_named() -> None:
    sentence = refusal(tokens=[["Ada"], ["Ada", "wrote"]], tags=[["O"], ["O"]])
    assert sentence.startswith("some.parquet, row 2, has 2 words in column 'tokens' and 1 tags in 'tags'")


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        (["B-person", "I-person", "I-person", "O", "B-group", "B-group"], None),
        ([], None),
        (["I-person"], 'tag "I-person" of word 1 follows "O", but an entity begins with B-person'),
        (["B-group", "I-person"], 'tag "I-person" of word 2 follows "B-group", but an entity begins with B-person'),
        (["B-a", "O", "I-a"], 'tag "I-a" of word 3 follows "O", but an entity begins with B-a'),
        (["E-person"], 'tag "E-person" of word 1 is none of O, B-<type> and I-<type>'),
        (["person"], 'tag "person" of word 1 is none of O, B-<type> and I-<type>'),
        (["B-"], 'tag "B-" of word 1 is none of O, B-<type> and I-<type>'),
        (["O", "o"], 'tag "o" of word 2 is none of O, B-<type> and I-<type>'),
        (["B-a-b", "I-a-b"], None),
    ],
)
def test_tags_that_are_not_iob2(tags: list[str], problem: str | None) -> None:
    assert iob2_problem(tags) == problem
    if problem is None:
        assert len(made(tokens=[["w"] * len(tags)], tags=[tags])) == 1
    else:
        assert f"row 1, has tags that are not IOB2 in column 'tags' ({problem})" in refusal(
            tokens=[["w"] * len(tags)], tags=[tags]
        )


def test_a_tag_that_is_a_number_is_not_iob2() -> None:
    assert 'tag "3" of word 1 is none of' in refusal(tokens=[["w"]], tags=[[3]])


@given(
    st.lists(st.tuples(st.sampled_from(["O", "a", "b"]), st.integers(1, 4)), max_size=8),
)
def test_tags_made_of_entities_are_iob2(runs: list[tuple[str, int]]) -> None:
    tags = [
        "O" if kind == "O" else f"{'I' if place else 'B'}-{kind}" for kind, length in runs for place in range(length)
    ]
    assert iob2_problem(tags) is None


def test_questions() -> None:
    asked = question(context="Ada and Ada.", answer_starts=[0, 8], answer_texts=["Ada", "Ada"])
    assert made(**asked) == [QuestionExample("q1", "Ada and Ada.", "Who?", ("Ada", "Ada"), ((0, 3), (8, 11)))]


def test_answers_are_counted_in_characters_not_bytes() -> None:
    assert made(**question(context="Größe 🙂 Ada", answer_starts=[8]))[0].spans == ((8, 11),)  # type: ignore[union-attr]


@pytest.mark.parametrize("start", [1, -10, 11, None])
def test_an_answer_that_is_not_in_its_context_is_named(start: int | None) -> None:
    sentence = refusal(**question(answer_starts=[start]))
    assert sentence.startswith(
        'some.parquet, row 1, has (id "q1") an answer that is not in its context: "Ada" at character '
        f"{start}: mend columns 'answer_starts' and 'answer_texts'"
    )


def test_answers_and_places_of_different_numbers_are_named() -> None:
    sentence = refusal(**question(answer_starts=[0, 0]))
    assert "row 1, has 2 places in column 'answer_starts' and 1 answers in 'answer_texts'" in sentence


@pytest.mark.parametrize("answers", [{"answer_starts": [], "answer_texts": []}, {"answer_texts": [""]}])
def test_a_question_without_an_answer_is_named(answers: dict[str, list[Any]]) -> None:
    assert "row 1, has no answer in column 'answer_texts'" in refusal(**question(**answers))


def test_a_text_where_a_list_should_be_is_named() -> None:
    assert "row 1, has \"Ada\" in column 'tokens': that column holds a list in each row" in refusal(
        tokens=["Ada"], tags=[["O"]]
    )


def test_the_roles_read_are_those_of_the_task_and_those_named() -> None:
    plain = DatasetProfile(name="d")
    assert roles_of(plain, {}) == ("text", "label")
    assert roles_of(plain, {"pair": "b", "text": "a", "tokens": "c"}) == ("text", "label", "pair")
    by_source = DatasetProfile(name="d", task="token-classification", classes=ClassesProfile(kind="source-type-set"))
    assert roles_of(by_source, {}) == ("tokens", "tags", "source")
