"""Questions are clustered the same way every time, by a local embedding or a model's, and kept for a resume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.learning.data.clusters import by_size, cluster
from harness.learning.data.examples import QuestionExample
from harness.profiles import ClassesProfile, ModelProfile

MODELS = Path(__file__).parents[1].parent / "shared" / "models"
MINILM = ClassesProfile(kind="k-means", clusters=3, embedding=ModelProfile(name="minilm", folder="minilm-l6"))
THREE = ClassesProfile(kind="k-means", clusters=3)
TOPICS = (
    ("Which planet has the {} moon of the solar system?", ("largest", "smallest", "brightest", "coldest", "oldest")),
    ("In which year was the {} king crowned?", ("first", "second", "third", "fourth")),
    ("How many {} goes into a loaf of bread?", ("grams of flour", "spoons of yeast", "cups of water")),
)


def asked(question: str, *answers: str) -> QuestionExample:
    return QuestionExample("id", "context", question, answers, ())


EXAMPLES = [asked(form.format(word), "it") for form, words in TOPICS for word in words]
BY_TOPIC = [0] * 5 + [1] * 4 + [2] * 3


class Told:
    """What was reported."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)


def clusters(workdir: Path, examples: Sequence[QuestionExample] = EXAMPLES, seed: int = 0) -> list[int]:
    return cluster(examples, THREE, seed, None, workdir, Told())


def test_questions_on_one_topic_come_together_the_largest_cluster_first(tmp_path: Path) -> None:
    assert clusters(tmp_path) == BY_TOPIC


def test_the_answer_counts_too(tmp_path: Path) -> None:
    words = ("red apples", "red apple trees", "blue whales", "blue whale songs", "green old tea", "green tea")
    assert clusters(tmp_path, [asked("What?", word) for word in words]) == [0, 0, 1, 1, 2, 2]


def test_two_calls_give_the_same_and_the_second_reads_what_the_first_left(tmp_path: Path) -> None:
    many = [asked(f"{example.question} {number % 7}", str(number % 11)) for number in range(20) for example in EXAMPLES]
    elsewhere = clusters(tmp_path / "one", many)
    first, second = Told(), Told()
    assert cluster(many, THREE, 0, None, tmp_path / "two", first) == elsewhere
    assert cluster(many, THREE, 0, None, tmp_path / "two", second) == elsewhere
    assert (first.lines, second.lines) == (["embedding 240 questions for 3 clusters"], [])


def test_other_questions_seeds_or_numbers_of_clusters_are_kept_apart(tmp_path: Path) -> None:
    clusters(tmp_path)
    clusters(tmp_path, EXAMPLES[:-1])
    clusters(tmp_path, seed=1)
    two = cluster(EXAMPLES, ClassesProfile(kind="k-means", clusters=2), 0, None, tmp_path, Told())
    assert set(two) == {0, 1}
    assert len(list(tmp_path.iterdir())) == 4


def test_fewer_questions_than_clusters_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        clusters(tmp_path, [asked("Who?", "Ada"), asked("Where?", "Bonn"), asked("Who?", "Ada")])
    assert str(caught.value) == ("2 different questions cannot make 3 clusters: set dataset.classes.clusters to fewer")


def test_questions_that_differ_in_capitals_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="4 questions that are so alike cannot make 3 clusters"):
        clusters(tmp_path, [asked("Who?"), asked("WHO?"), asked("Where?"), asked("where?")])


def test_questions_of_signs_and_without_answers_are_clustered(tmp_path: Path) -> None:
    assert sorted(clusters(tmp_path, [asked("?"), asked("!", ""), asked("...")])) == [0, 1, 2]


def test_clusters_are_counted_by_size_and_then_by_their_first_member() -> None:
    assert by_size([7, 3, 3, 9, 7, 5, 3]) == [1, 0, 0, 2, 1, 3, 0]


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give MODELS=folder that holds minilm-l6/"):
        cluster(EXAMPLES, MINILM, 0, tmp_path / "nowhere", tmp_path, Told())


@pytest.mark.skipif(not (MODELS / "minilm-l6").is_dir(), reason="the shared models are not here")
def test_a_model_embeds_them_and_tells_how_far_it_is(tmp_path: Path) -> None:
    told, again = Told(), Told()
    many = [asked(f"{example.question}{' Please.' * number}") for example in EXAMPLES for number in range(20)]
    found = cluster(many, MINILM, 0, MODELS, tmp_path, told)
    assert found == [topic for topic in BY_TOPIC for _ in range(20)]
    assert told.lines[0] == "embedding 240 questions for 3 clusters"
    assert told.lines[-1] == "embedding questions: 100 %"
    assert cluster(many, MINILM, 0, MODELS, tmp_path, again) == found
    assert again.lines == []


@pytest.mark.skipif(not (MODELS.parent / "data").is_dir(), reason="the shared data are not here")
def test_all_30_clusters_occur_among_squad_s_questions(tmp_path: Path) -> None:
    import pyarrow.parquet as parquet

    table = parquet.read_table(MODELS.parent / "data" / "squad_v1.1_train_subset.parquet").slice(0, 3000)
    columns = [table[name].to_pylist() for name in ("question", "answer_texts")]
    examples = [asked(question, *answers) for question, answers in zip(*columns, strict=True)]
    found = cluster(examples, ClassesProfile(kind="k-means"), 0, None, tmp_path, Told())
    sizes = Counter(found)
    assert sorted(sizes) == list(range(30))
    assert [sizes[number] for number in range(30)] == sorted(sizes.values(), reverse=True)
