"""Where a data set comes from: the package itself, parquet files in a folder, or the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import UsageError
from harness.learning.data.rows import Table, roles_of
from harness.profiles import DatasetProfile, Role

if TYPE_CHECKING:
    import datasets
    import pyarrow

EMBEDDED = Path(__file__).parents[2] / "embedded"
"""The folder of what the package brings along."""

SplitName = Literal["train", "test"]


def read_table(profile: DatasetProfile, split: SplitName, data: Path | None) -> Table:
    """The columns of one split, from the first source that the profile and ``data`` allow.

    Raises:
        UsageError: a folder, file or column is missing, or the hub cannot be reached.
    """
    file = f"{profile.embedded or profile.parquet or profile.name}_{getattr(profile.splits, split)}.parquet"
    if profile.embedded is not None:
        return _read_parquet(EMBEDDED / file, profile)
    if profile.parquet is not None and data is not None:
        return _read_parquet(file_in(data, file), profile)
    if profile.hub is not None:
        return hub_table(_load(profile, split, file), profile, split)
    raise UsageError(f"data set '{profile.name}' is not on the hub: give DATA=folder (--data) with its files")


def file_in(folder: Path | None, name: str) -> Path:
    """A file or folder in the user's data folder.

    Raises:
        UsageError: there is no data folder.
    """
    if folder is None:
        raise UsageError(f"no data folder is given: give DATA=folder (--data) that holds {name}")
    if not folder.is_dir():
        raise UsageError(f"data folder {folder} does not exist: give DATA=folder (--data) that holds {name}")
    return folder / name


def hub_table(split: datasets.Dataset, profile: DatasetProfile, name: SplitName) -> Table:
    """The columns of a split that the hub's client has loaded; numbers of a ClassLabel become its names.

    Raises:
        UsageError: a column is missing.
    """
    where = f"data set '{profile.hub}' ({getattr(profile.hub_splits, name)})"
    named = {**profile.columns, **profile.hub_columns}
    names = _column_names(profile, named, "hub_columns", split.column_names, where)
    arrow = split.select_columns(_heads(names, split.column_names)).with_format("arrow")[:]
    table = _table(arrow, names, where, "hub_columns")
    labels = {role: _class_names(split.features, column) for role, column in names.items()}
    values = {role: _named(column, labels[role]) for role, column in table.values.items()}
    return Table(where, names, values)


def _read_parquet(path: Path, profile: DatasetProfile) -> Table:
    """The columns of one parquet file."""
    import pyarrow
    import pyarrow.parquet as parquet

    if not path.is_file():
        raise UsageError(f"data file {path} does not exist: put it there, or give another folder with DATA=folder")
    try:
        present = parquet.read_schema(path).names
        names = _column_names(profile, profile.columns, "columns", present, str(path))
        return _table(parquet.read_table(path, columns=_heads(names, present)), names, str(path), "columns")
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"data file {path} is not a readable parquet file ({reason}): fetch it again") from None


def _load(profile: DatasetProfile, split: SplitName, file: str) -> datasets.Dataset:
    """One split on the hub; its client keeps a cache of its own."""
    import datasets

    try:
        return datasets.load_dataset(
            profile.hub,
            name=profile.hub_config,
            revision=profile.hub_revision,
            split=getattr(profile.hub_splits, split),
        )
    except Exception as error:
        # The client's errors share no base class: connection, authorisation, a missing data set or split.
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UsageError(
            f"data set '{profile.hub}' could not be read from the Hugging Face hub ({reason[0]}): "
            f"give DATA=folder (--data) that holds {file}"
        ) from error


def _column_names(
    profile: DatasetProfile, named: Mapping[Role, str], key: str, present: list[str], where: str
) -> dict[Role, str]:
    """The column of each role that is read; each must be there."""
    names = {role: named.get(role, role) for role in roles_of(profile, named)}
    for role, column in names.items():
        if _head(column, present) not in present:
            raise _missing(where, f"column '{_head(column, present)}'", present, f"dataset.{key}.{role}")
    return names


def _head(column: str, present: list[str]) -> str:
    """The column itself, or of ``a.b`` the column a, whose field b is meant."""
    return column if column in present else column.partition(".")[0]


def _heads(names: Mapping[Role, str], present: list[str]) -> list[str]:
    """The columns to read, each once."""
    return list(dict.fromkeys(_head(column, present) for column in names.values()))


def _table(arrow: pyarrow.Table, names: Mapping[Role, str], where: str, key: str) -> Table:
    """The named columns as lists; of ``a.b`` field b of column a."""
    values: dict[Role, list[Any]] = {}
    for role, column in names.items():
        head = _head(column, arrow.column_names)
        values[role] = arrow[head].to_pylist()
        if head == column:
            continue
        field = column.removeprefix(f"{head}.")
        present = [part.name for part in arrow.schema.field(head).type] if _is_struct(arrow, head) else []
        if field not in present:
            raise _missing(where, f"field '{field}' in column '{head}'", present, f"dataset.{key}.{role}")
        values[role] = [None if value is None else value[field] for value in values[role]]
    return Table(where, names, values)


def _is_struct(arrow: pyarrow.Table, column: str) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_struct(arrow.schema.field(column).type))


def _missing(where: str, what: str, present: list[str], key: str) -> UsageError:
    there = f"only {', '.join(present)}" if present else "and no other either"
    return UsageError(f"{where} has no {what}, {there}: name the right one in {key}")


def _class_names(features: Mapping[str, Any], column: str) -> list[str] | None:
    """Names of the classes that a column holds as numbers, also within lists and fields; None where it does not."""
    import datasets

    head = _head(column, list(features))
    feature: Any = features[head]
    while not isinstance(feature, datasets.ClassLabel):
        if isinstance(feature, dict):
            feature = feature[column.removeprefix(f"{head}.")]
        elif isinstance(feature, list):
            feature = feature[0]
        elif hasattr(feature, "feature"):
            feature = feature.feature
        else:
            return None
    names: list[str] = feature.names
    return names


def _named(values: Any, names: list[str] | None) -> Any:
    """Class numbers as names, also within lists; -1 is the hub's word for a label that is not given."""
    if names is None or values is None:
        return values
    if isinstance(values, list):
        return [_named(value, names) for value in values]
    return names[values] if 0 <= values < len(names) else None
