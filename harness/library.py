"""The profile files: finds them by name, puts what they name in their place, applies overrides.

An experiment's ``model``, ``dataset``, ``device`` and ``link`` are names of files in the folders of those parts, paths
of YAML files (relative to the experiment's file), or the keys themselves. A model may also be an encoder's folder, or
its id on the hub. An experiment may name another as its ``base`` and say only what differs: groups of keys are merged
key by key, lists, single values and whole parts are replaced; name and description are never the base's.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from os.path import isdir, isfile  # those of Path raise where a path is too long
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from harness.errors import ProfileError
from harness.explanation import Problem, explain, shown, suggestion
from harness.profiles import DeviceProfile, Experiment, LinkProfile, build
from harness.yaml12 import parse

PARTS = {"model": "models", "dataset": "datasets", "device": "devices", "link": "links"}
EXPERIMENTS = "experiments"
BASE = "base"
NEVER_THE_BASE_S = ("name", "description")
PROFILE_ENDS = (".yaml", ".yml")

P = TypeVar("P", LinkProfile, DeviceProfile)


class Listed(NamedTuple):
    """An experiment in a list: ``command`` opens its file, ``brought_along`` says that the package holds its data."""

    name: str
    description: str
    command: str
    fleet: str = "zeromq"
    brought_along: bool = False


class Source(NamedTuple):
    """Where the keys at and below ``key`` come from; ``whole`` if a file of its own holds them."""

    key: str
    label: str
    whole: bool = False


def profiles_root() -> Path:
    """The folder of the profiles: the copy inside an installed package, else the repository's."""
    packaged = Path(__file__).parent / "_profiles"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "profiles"


def list_experiments() -> list[Listed]:
    """All experiments by name, with description and command.

    Raises:
        ProfileError: one of the files is not valid YAML.
    """
    embedded = {path.stem for path in (profiles_root() / PARTS["dataset"]).glob("*.yaml") if "embedded" in _read(path)}
    return sorted(_listed(path, embedded) for path in (profiles_root() / EXPERIMENTS).glob("*.yaml"))


def _listed(path: Path, embedded: Container[str]) -> Listed:
    keys = own = _read(path)
    while BASE in own:
        own = _read(_find(str(own[BASE]), EXPERIMENTS, path.parent))
        keys = {**own, **keys}
    description, fleet = str(keys.get("description", "")), str(keys.get("fleet", "zeromq"))
    return Listed(path.stem, description, first_comment(path), fleet, keys.get("dataset") in embedded)


def first_comment(path: Path) -> str:
    """The comment on a profile's first line: the command that uses it. Empty where there is none."""
    first, _, _ = path.read_text(encoding="utf-8").partition("\n")
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def load_experiment(name_or_path: str, overrides: Sequence[str] = ()) -> Experiment:
    """An experiment by its name or file, with ``a.b=c`` overrides applied in order (values are YAML).

    Raises:
        ProfileError: no such profile, bad YAML, an unknown key, a value out of range; names where, and what is allowed.
    """
    path = _find(name_or_path, EXPERIMENTS, Path())
    data, origins = _composed(path)
    sources = [Source("", _label(path)), *origins]
    for override in overrides:
        sources.extend(_override(data, override))
    problem = explain(data, Experiment)
    if problem:
        raise ProfileError(_blame(problem, sources, overrides))
    return build(data, sources[0].label)


def _composed(path: Path, above: tuple[Path, ...] = ()) -> tuple[dict[str, Any], list[Source]]:
    """The keys of an experiment's file on top of its base's, with all parts in place; and where each comes from.

    ``above`` are the files that stand on this one.
    """
    own, where = _read(path), _label(path)
    data, sources = _base_of(own, path, above) if BASE in own else ({}, [])
    for part in PARTS:
        if part in own:
            data[part] = own.pop(part)
            sources.append(_resolve(data, part, path.parent, where))
    keys = _merge(data, own)
    return data, [*sources, *(Source(key, where) for key in keys)]


def _base_of(own: dict[str, Any], path: Path, above: tuple[Path, ...]) -> tuple[dict[str, Any], list[Source]]:
    """The keys of the experiment that ``own`` names as its base, which is taken out of it."""
    name, where = own.pop(BASE), f"{_label(path)}: key '{BASE}'"
    if not isinstance(name, str):
        raise ProfileError(f"{where} is {shown(name)}; allowed is the name of an experiment or the path of its file")
    try:
        base = _find(name, EXPERIMENTS, path.parent)
    except ProfileError as error:
        raise ProfileError(f"{where}: {error}") from None
    below = (*above, path.resolve())
    if base.resolve() in below:
        raise ProfileError(f"{where} is '{name}', which stands on this file itself; take it out of one of the files")
    data, sources = _composed(base, below)
    inherited = {key: value for key, value in data.items() if key not in NEVER_THE_BASE_S}
    return inherited, [source for source in sources if source.key not in NEVER_THE_BASE_S]


def _merge(data: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """Put ``own`` on top of ``data``, group by group; the paths, as a.b, of all that was put there."""
    keys = []
    for name, value in own.items():
        if isinstance(value, dict) and value:
            inner = data.get(name)
            data[name] = inner = inner if isinstance(inner, dict) else {}
            keys += [f"{name}.{key}" for key in _merge(inner, value)]
        else:
            data[name] = value
            keys.append(str(name))
    return keys


def load_part(kind: type[P], name_or_path: str) -> P:
    """A link or a device by its name or file, checked as within an experiment.

    Raises:
        ProfileError: no such profile, bad YAML, an unknown key or a value out of range.
    """
    path = _find(name_or_path, PARTS["link" if kind is LinkProfile else "device"], Path())
    data = _read(path)
    if problem := explain(data, kind):
        raise ProfileError(f"{_label(path)}: {problem}")
    return msgspec.convert(data, kind)


def _find(name: str, folder: str, base: Path) -> Path:
    """The file of a profile: a path if it looks like one (relative to ``base``), else a name in its folder."""
    if name.endswith(PROFILE_ENDS) or "/" in name:
        path = base / name
        if not isfile(path):
            raise ProfileError(f"there is no profile file {path}; give the path of a YAML file or a profile's name")
        return path
    known = sorted(path.stem for path in (profiles_root() / folder).glob("*.yaml"))
    if name not in known:
        many, kind = folder == EXPERIMENTS, folder.removesuffix("s")
        there = f"see all {len(known)} with: federa-bench profiles" if many else f"there are: {', '.join(known)}"
        raise ProfileError(f"there is no {kind} profile '{name}'; {suggestion(name, known)}{there}")
    return profiles_root() / folder / f"{name}.yaml"


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ProfileError(f"{_label(path)} is not UTF-8 text; a profile is a YAML file") from None
    except OSError as error:
        raise ProfileError(f"{_label(path)} cannot be read: {error.strerror}") from None
    data = parse(text, _label(path))
    if not isinstance(data, dict):
        raise ProfileError(f"{_label(path)} holds {shown(data)}; a profile is a group of keys, as in name: value")
    return data


def _label(path: Path) -> str:
    """A profile's file as errors name it: ``profiles/links/wifi-20-30.yaml``, or its path where it is elsewhere."""
    root = profiles_root()
    return f"profiles/{path.relative_to(root)}" if path.is_relative_to(root) else str(path)


def _resolve(data: dict[str, Any], part: str, base: Path, where: str) -> Source:
    """Put the contents of the file that ``data[part]`` names in its place; returns where its keys come from."""
    value = data[part]
    if isinstance(value, dict):
        return Source(part, where)
    if not isinstance(value, str):
        raise ProfileError(
            f"{where}: key '{part}' is {shown(value)}; allowed is the name of a file in profiles/{PARTS[part]}"
        )
    if part == "model" and "/" in value and not value.endswith(PROFILE_ENDS):
        data[part] = _encoder(value, base)
        return Source(part, where)
    try:
        path = _find(value, PARTS[part], base)
    except ProfileError as error:
        raise ProfileError(f"{where}: key '{part}': {error}") from None
    data[part] = _read(path)
    return Source(part, _label(path), whole=True)


def _encoder(value: str, base: Path) -> dict[str, Any]:
    """The model profile of an encoder's folder, where there is one of this path, else of its id on the hub."""
    folder = (base / value).resolve()
    name = re.sub(r"[^A-Za-z0-9._-]", "-", folder.name)
    return {"name": name, "folder": str(folder)} if isdir(folder) else {"name": name, "hub": value}


def _override(data: dict[str, Any], override: str) -> list[Source]:
    """Apply one ``a.b=c``; a key that is not there yet is made, the strict check tells whether it may be."""
    key, equals, text = override.partition("=")
    where, names = f"--set {override}", key.strip().split(".")
    if not equals or not all(names):
        raise ProfileError(f"{where}: an override is KEY=VALUE, as in --set rounds.count=3")
    here = data
    for depth, name in enumerate(names[:-1], start=1):
        inner = here.setdefault(name, {})
        if not isinstance(inner, dict):
            raise ProfileError(f"{where}: '{'.'.join(names[:depth])}' is {shown(inner)} and has no keys of its own")
        here = inner
    here[names[-1]] = parse(text, where)
    if len(names) == 1 and names[0] in PARTS:
        return [_resolve(data, names[0], Path(), where)]
    return [Source(".".join(names), where)]


def _blame(problem: Problem, sources: Sequence[Source], overrides: Sequence[str]) -> str:
    """The sentence for a problem, with the source of its key: the last one that set it or something below it."""
    if not problem.key and overrides:
        return f"{sources[0].label} with {' '.join(f'--set {text}' for text in overrides)}: {problem}"
    source = next(source for source in reversed(sources) if _touches(source, problem.key))
    if source.whole:
        problem = Problem(problem.key.removeprefix(source.key).removeprefix("."), problem.text)
    return f"{source.label}: {problem}"


def _touches(source: Source, key: str) -> bool:
    if not source.key or source.key == key or key.startswith((f"{source.key}.", f"{source.key}[")):
        return True
    return not source.whole and source.key.startswith(f"{key}.")
