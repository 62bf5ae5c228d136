"""PLONER is read from the user's own files, seven sources of three types, or what is missing is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.learning.data.examples import SentenceExample
from harness.learning.data.ploner import SOURCES, read_ploner


@pytest.fixture
def ploner(tmp_path: Path) -> Path:
    """A folder with one sentence for each source."""
    for source in SOURCES:
        write(tmp_path / f"{source}.conll", "Ute B-PER")
    return tmp_path


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def of_source(examples: list[SentenceExample], source: str) -> list[SentenceExample]:
    return [example for example in examples if example.source == source]


def refusal(folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_ploner(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_each_source_is_read_in_order(ploner: Path) -> None:
    examples = read_ploner(ploner)
    assert [example.source for example in examples] == list(SOURCES)
    assert len(SOURCES) == 7
    assert examples[0] == SentenceExample(("Ute",), ("B-PER",), "conll2003")


def test_types_become_the_three_and_others_none(ploner: Path) -> None:
    write(ploner / "ontonotes_bn.conll", "Ute B-PERSON", "Ron B-GPE", "in O", "the B-FAC", "Hall I-FAC", "UN B-ORG")
    write(
        ploner / "wnut2016.conll", "Ute\tB-person", "Ron\tB-geo-loc", "Da\tI-geo-loc", "Acme\tB-company", "It\tB-movie"
    )
    examples = read_ploner(ploner)
    assert of_source(examples, "ontonotes_bn")[0].tags == ("B-PER", "B-LOC", "O", "O", "O", "B-ORG")
    assert of_source(examples, "wnut2016")[0].tags == ("B-PER", "B-LOC", "I-LOC", "B-ORG", "O")


def test_places_of_two_types_that_touch_stay_two(ploner: Path) -> None:
    write(ploner / "ontonotes_nw.conll", "Asia I-LOC", "Japan I-GPE")
    assert of_source(read_ploner(ploner), "ontonotes_nw")[0].tags == ("B-LOC", "B-LOC")


def test_sentences_without_an_entity_are_left_out(ploner: Path) -> None:
    write(ploner / "conll2003.conll", "Hm O", "", "Dutch I-MISC", "", "Bonn I-LOC")
    assert [example.words for example in of_source(read_ploner(ploner), "conll2003")] == [("Bonn",)]


def test_a_source_may_be_several_files_or_a_folder(ploner: Path) -> None:
    (ploner / "conll2003.conll").unlink()
    for name in ("eng.train", "eng.testa", "eng.testb"):
        write(ploner / "conll2003" / name, f"{name} NNP I-NP I-PER")
    write(ploner / "conll2003" / "deu.train", "Ute Ute NE I-NC I-PER")
    write(ploner / "wnut2016_dev.conll", "Jan B-person")
    examples = read_ploner(ploner)
    assert [example.words[0] for example in of_source(examples, "conll2003")] == ["eng.testa", "eng.testb", "eng.train"]
    assert [example.words[0] for example in of_source(examples, "wnut2016")] == ["Ute", "Jan"]


def test_a_whole_ontonotes_is_read_by_genre(ploner: Path) -> None:
    (ploner / "ontonotes_bc.conll").unlink()
    columns = "bc/cnn/00/cnn_0000 0 0 {} NNP * - - - Ute {} -"
    for genre, language, word in (("bc", "english", "Bonn"), ("nw", "english", "Rom"), ("bc", "chinese", "Lu")):
        folder = ploner / "ontonotes" / "v4" / "train" / "data" / language / "annotations" / genre / "cnn" / "00"
        write(
            folder / "cnn_0000.v4_gold_conll",
            "#begin document (x); part 000",
            columns.format(word, "(GPE)"),
            "",
            "#end",
        )
        write(folder / "cnn_0000.v4_auto_conll", "not read")
    examples = read_ploner(ploner)
    assert of_source(examples, "ontonotes_bc") == [SentenceExample(("Bonn",), ("B-LOC",), "ontonotes_bc")]
    assert [example.words for example in of_source(examples, "ontonotes_nw")] == [("Ute",), ("Rom",)]


def test_all_that_is_missing_is_said_at_once_with_its_origin(ploner: Path) -> None:
    for source in ("conll2003", "ontonotes_bc", "ontonotes_wb"):
        (ploner / f"{source}.conll").unlink()
    assert refusal(ploner) == (
        f"PLONER in {ploner} lacks conll2003 from the CoNLL2003 shared task's annotation of Reuters RCV1 "
        "(clips.uantwerpen.be/conll2003/ner); ontonotes_bc and ontonotes_wb from OntoNotes 5.0 "
        f"(catalog.ldc.upenn.edu/LDC2013T19): put each as CoNLL columns into {ploner}/<source>.conll "
        "or into a folder of that name (docs/datasets.md)"
    )


def test_a_folder_that_is_not_there_lacks_everything(tmp_path: Path) -> None:
    message = refusal(tmp_path / "nowhere")
    assert all(source in message for source in SOURCES)


def test_a_source_without_entities_is_named(ploner: Path) -> None:
    write(ploner / "ontonotes_mz.conll", "Ute NNP O")
    assert refusal(ploner).startswith(f"ontonotes_mz in {ploner} has no sentence with a person")


def test_a_broken_line_is_named_with_its_file(ploner: Path) -> None:
    write(ploner / "wnut2016" / "train.txt", "Ute B-person", "Jan person")
    assert refusal(ploner).startswith(f"{ploner / 'wnut2016' / 'train.txt'}, line 2 has 'person' as its tag")
