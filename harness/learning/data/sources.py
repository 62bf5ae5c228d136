"""Where a data set comes from: the package itself, parquet files in a folder, or the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.profiles import DatasetProfile

EMBEDDED = Path(__file__).parents[2] / "embedded"
"""The folder of what the package brings along."""


@dataclass(frozen=True)
class Split:
    """Texts and their classes, as indices into the sorted label names."""

    texts: list[str]
    labels: list[int]


@dataclass(frozen=True)
class Splits:
    """A data set for text classification."""

    train: Split
    test: Split
    label_names: tuple[str, ...]


def load_dataset(profile: DatasetProfile, data: Path | None) -> Splits:
    """Read both splits from the first source that the profile and ``data`` allow.

    Raises:
        UsageError: a folder, file, column or label is missing, a split is empty, a test label never occurs in
            training, or the hub cannot be reached.
    """
    if profile.embedded is not None:
        columns = [_read_parquet(EMBEDDED / f"{profile.embedded}_{name}.parquet", profile) for name in _NAMES]
    elif profile.parquet is not None and data is not None:
        columns = [_read_parquet(_file_in(data, f"{profile.parquet}_{name}.parquet"), profile) for name in _NAMES]
    elif profile.hub is not None:
        columns = [_read_hub(profile, name) for name in _NAMES]
    else:
        raise UsageError(f"data set '{profile.name}' is not on the hub: give DATA=folder (--data) with its files")
    return _indexed(profile.name, *columns)


_NAMES = ("train", "test")
_Columns = tuple[list[str], list[str]]


def _file_in(folder: Path, name: str) -> Path:
    """A file of the user's data folder."""
    if not folder.is_dir():
        raise UsageError(f"data folder {folder} does not exist: give DATA=folder (--data) that holds {name}")
    return folder / name


def _read_parquet(path: Path, profile: DatasetProfile) -> _Columns:
    """Texts and label names of one parquet file."""
    import pyarrow
    import pyarrow.parquet as parquet

    if not path.is_file():
        raise UsageError(f"data file {path} does not exist: put it there, or give another folder with DATA=folder")
    try:
        present = parquet.read_schema(path).names
        _require(profile.text_column, present, str(path))
        _require(profile.label_column, present, str(path))
        table = parquet.read_table(path, columns=[profile.text_column, profile.label_column])
    except pyarrow.ArrowException as error:
        raise UsageError(f"data file {path} is not a readable parquet file ({error}): fetch it again") from None
    texts, labels = (table[name].to_pylist() for name in (profile.text_column, profile.label_column))
    return _texts(texts), _labels(labels, str(path), profile.label_column)


def _read_hub(profile: DatasetProfile, name: str) -> _Columns:
    """Texts and label names of one split on the hub; it keeps its own cache."""
    import datasets

    try:
        split = datasets.load_dataset(profile.hub, split=name)
    except Exception as error:
        # The client's errors share no base class: connection, authorisation, a missing data set or split.
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UsageError(
            f"data set '{profile.hub}' could not be read from the Hugging Face hub ({reason[0]}): "
            f"give DATA=folder (--data) that holds {profile.parquet or profile.name}_{name}.parquet"
        ) from error
    where = f"data set '{profile.hub}' ({name})"
    label_column = profile.hub_label_column or profile.label_column
    _require(profile.text_column, split.column_names, where)
    _require(label_column, split.column_names, where)
    return _texts(split[profile.text_column]), _labels(split[label_column], where, label_column)


def _require(column: str, present: Iterable[str], where: str) -> None:
    """A column must be there."""
    if column not in present:
        raise UsageError(
            f"{where} has no column '{column}', only {', '.join(present)}: "
            "name the right one in dataset.text_column or dataset.label_column"
        )


def _texts(values: Iterable[object]) -> list[str]:
    """Values as texts; a missing one is an empty text, which is kept: it is encoded as special tokens alone."""
    return ["" if value is None else str(value) for value in values]


def _labels(values: Iterable[object], where: str, column: str) -> list[str]:
    """Values as label names; a missing one is no class."""
    labels = list(values)
    if None in labels:
        raise UsageError(
            f"{where} has no label in column '{column}' of row {labels.index(None) + 1}: give each text one"
        )
    return [str(label) for label in labels]


def _indexed(name: str, train: _Columns, test: _Columns) -> Splits:
    """Label names sorted, labels as indices into them."""
    for split, (texts, _) in zip(_NAMES, (train, test), strict=True):
        if not texts:
            raise UsageError(f"the {split} split of data set '{name}' is empty: it needs at least one text")
    names = tuple(sorted(set(train[1])))
    unseen = sorted(set(test[1]) - set(names))
    if unseen:
        raise UsageError(
            f"label '{unseen[0]}' of the test split of data set '{name}' is not in its train split: "
            "take both splits from the same version"
        )
    index = {label: place for place, label in enumerate(names)}
    splits = [Split(texts, [index[label] for label in labels]) for texts, labels in (train, test)]
    return Splits(splits[0], splits[1], names)
