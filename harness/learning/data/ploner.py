"""PLONER: CoNLL2003, five genres of OntoNotes 5.0 and WNUT2016, with the types PER, LOC and ORG alone.

From Fu et al., "Rethinking Generalization of Neural Models: A Named Entity Recognition Case Study" (2020), as FeDeRA
uses it. Two of its corpora are licensed, so all are read from the user's own files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.errors import UsageError
from harness.learning.data.conll import Sentence, read_conll
from harness.learning.data.conll2012 import read_conll2012
from harness.learning.data.examples import SentenceExample

_CONLL2003 = "the CoNLL2003 shared task's annotation of Reuters RCV1 (clips.uantwerpen.be/conll2003/ner)"
_ONTONOTES = "OntoNotes 5.0 (catalog.ldc.upenn.edu/LDC2013T19)"
_WNUT2016 = "the WNUT2016 shared task (github.com/aritter/twitter_nlp)"
_ORIGINS = {
    "conll2003": _CONLL2003,
    "ontonotes_bc": _ONTONOTES,
    "ontonotes_bn": _ONTONOTES,
    "ontonotes_mz": _ONTONOTES,
    "ontonotes_nw": _ONTONOTES,
    "ontonotes_wb": _ONTONOTES,
    "wnut2016": _WNUT2016,
}
SOURCES = tuple(_ORIGINS)
"""The sources, in the order in which they are read."""

_TYPES = {
    "PER": "PER",
    "PERSON": "PER",
    "LOC": "LOC",
    "GPE": "LOC",
    "GEO-LOC": "LOC",
    "ORG": "ORG",
    "COMPANY": "ORG",
}
"""What the sources call the three types, in capitals; every other type becomes O."""

_GERMAN = "deu."  # CoNLL2003 has German files beside the English ones
_CONLL2012 = "_gold_conll"


def read_ploner(folder: Path) -> list[SentenceExample]:
    """Sentences with an entity, source by source; the others belong to none of the classes and are left out.

    The files of a source are ``<folder>/<source>.conll``, ``<folder>/<source>_*.conll`` and all files below
    ``<folder>/<source>/``, in the order of their names; see :mod:`harness.learning.data.conll` for their form. A whole
    OntoNotes as CoNLL-2012 files is ``<folder>/ontonotes/``: a folder ``english/annotations/bc`` in it holds a genre.

    Raises:
        UsageError: a source is missing or has no such sentence, or a file cannot be read.
    """
    files = {source: _files_of(source, folder) for source in SOURCES}
    missing = [source for source, found in files.items() if not found]
    if missing:
        raise UsageError(_said(missing, folder))
    examples: list[SentenceExample] = []
    for source, paths in files.items():
        found = [example for path in paths for example in _with_entities(_read(path), source)]
        if not found:
            raise UsageError(
                f"{source} in {folder} has no sentence with a person, a place or an organisation: its last column must "
                "hold the tags of entities"
            )
        examples += found
    return examples


def _files_of(source: str, folder: Path) -> list[Path]:
    """Files of a source; those of other languages and hidden ones are not."""
    beside = [*folder.glob(f"{source}.conll"), *folder.glob(f"{source}_*.conll")]
    below = [path for path in (folder / source).rglob("*") if not path.name.startswith((".", _GERMAN))]
    corpus, _, genre = source.partition("_")
    trees = (folder / corpus).rglob(f"english/annotations/{genre}") if genre else ()
    whole = [path for tree in trees for path in tree.rglob(f"*{_CONLL2012}")]
    return [path for paths in (beside, below, whole) for path in sorted(paths) if path.is_file()]


def _read(path: Path) -> list[Sentence]:
    return read_conll2012(path) if path.name.endswith(_CONLL2012) else read_conll(path)


def _said(missing: list[str], folder: Path) -> str:
    """One sentence on the sources that are missing: what each is, where it comes from, where to put it."""
    wanted = list(dict.fromkeys(_ORIGINS[source] for source in missing))
    origins = [
        f"{_listed(source for source in missing if _ORIGINS[source] == origin)} from {origin}" for origin in wanted
    ]
    return (
        f"PLONER in {folder} lacks {'; '.join(origins)}: put each as CoNLL columns into {folder / '<source>.conll'} "
        "or into a folder of that name (docs/datasets.md)"
    )


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _with_entities(sentences: Iterable[Sentence], source: str) -> Iterator[SentenceExample]:
    """Sentences that have an entity of the three types."""
    for words, tags in sentences:
        restricted = tuple(map(_restricted, tags))
        if any(tag != "O" for tag in restricted):
            yield SentenceExample(words, restricted, source)


def _restricted(tag: str) -> str:
    """An IOB2 tag with its type as one of PER, LOC, ORG, or O."""
    prefix, _, type_name = tag.partition("-")
    restricted = _TYPES.get(type_name.upper())
    return "O" if restricted is None else f"{prefix}-{restricted}"
