"""Python, packages, torch, and what kind of machine this is. Pure."""

from __future__ import annotations

import re

from harness.doctor.facts import Accelerator, Board, Software, Wanted
from harness.doctor.findings import Finding, State, Value, fail, ok, warn

LEAST_PYTHON = (3, 10)
SHOWN = ("federa-bench", "torch", "transformers", "peft")
JETPACKS = {35: 5, 36: 6, 38: 7}
"""JetPack by the release of Jetson Linux that it carries."""


def of_software(facts: Software) -> list[Finding]:
    """Lines "python" and "packages"."""
    return [_python(facts.python), _packages(facts)]


def _python(version: str) -> Finding:
    if numbers(version) < LEAST_PYTHON:
        least = ".".join(map(str, LEAST_PYTHON))
        return fail(
            "python", f"{version}, too old", f"make the environment with Python {least} or newer", python=version
        )
    return ok("python", version, python=version)


def _packages(facts: Software) -> Finding:
    missing = [one.name for one in facts.wanted if not facts.installed.get(one.name)]
    old = [one for one in facts.wanted if one.name not in missing and _too_old(one, facts.installed[one.name])]
    state: State
    if missing:
        state, says = "fail", f"not installed: {', '.join(missing)}"
        do = f"pip install 'federa-bench[{facts.role}]'; on a board torch is JetPack's own (docs/devices.md)"
    elif old:
        listed = ", ".join(f"{one.name} {facts.installed[one.name]} (needs {one.least})" for one in old)
        state, says, do = "warn", f"older than what is tested: {listed}", "upgrade them: pip install --upgrade"
    else:
        state, do = "ok", None
        says = ", ".join(f"{name} {facts.installed[name]}" for name in SHOWN if facts.installed.get(name))
    versions = {name: version for name, version in sorted(facts.installed.items()) if version}
    return Finding(name="packages", state=state, says=says, do=do, values={**versions})


def _too_old(wanted: Wanted, installed: str | None) -> bool:
    return wanted.least is not None and numbers(installed or "") < numbers(wanted.least)


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: (2, 4, 0) of "2.4.0a0+07cecf4168.nv24.05"; () where there are none."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(number) for number in found[0].split(".")) if found else ()


def of_board(facts: Board) -> list[Finding]:
    """The line "board": for the record; it asks for nothing but JetPack 6, whose Python is new enough."""
    values: dict[str, Value] = {
        "model": facts.model,
        "l4t": facts.l4t,
        "machine": facts.machine,
        "container": facts.container,
    }
    inside = f", in a container ({facts.container})" if facts.container else ""
    if not facts.jetson:
        says = f"no Jetson: {facts.model or facts.machine}{inside}"
        return [ok("board", says, **values)]
    release = numbers(facts.l4t or "")
    jetpack = JETPACKS.get(release[0]) if release else None
    says = f"{facts.model or 'Jetson'}, Jetson Linux {facts.l4t or 'of unknown release'}{inside}"
    if jetpack is not None:
        says += f" (JetPack {jetpack})"
    if release and release < (36,):
        do = "flash JetPack 6 or newer: Python 3.8 of older ones is too old for the packages"
        return [warn("board", says, do, **values)]
    return [ok("board", says, **values)]


def of_accelerator(facts: Accelerator) -> list[Finding]:
    """The line "torch": whether training would run on the GPU that there is."""
    values: dict[str, Value] = {"torch": facts.torch, "built_for_cuda": facts.built_for, "tried": facts.tried}
    state, says, do = _torch(facts)
    return [Finding(name="torch", state=state, says=says, do=do, values={**values})]


def _torch(facts: Accelerator) -> tuple[State, str, str | None]:
    if facts.torch is None:
        return "fail", "torch is not installed", "install torch; on a board the wheel of its JetPack (docs/devices.md)"
    built = f"torch {facts.torch}, " + (
        f"built for CUDA {facts.built_for}" if facts.built_for else "for processors alone"
    )
    if facts.tried is not None:
        return _tried(facts, built)
    if not facts.nodes:
        state: State = "warn" if facts.jetson else "ok"
        do = "is this a container without the GPU? give it --runtime nvidia" if facts.jetson else None
        return state, f"{built}; there is no GPU here", do
    if facts.built_for is None:
        on = "install the wheel of this JetPack, or a virtual environment with --system-site-packages, for the GPU"
        return "warn", f"{built}: training runs on the processor beside a GPU", on if facts.jetson else _CUDA_WHEEL
    if facts.closed:
        do = "add the user to the groups video and render, then log in again"
        return "fail", f"{built}; {facts.closed[0]} may not be opened", do
    return "ok", f"{built}; a GPU is here (--import-torch tries it)", None


_CUDA_WHEEL = "install a torch that is built for CUDA"


def _tried(facts: Accelerator, built: str) -> tuple[State, str, str | None]:
    word, _, rest = (facts.tried or "").partition(" ")
    if word == "cuda" and rest:
        return "ok", f"{built}; imported, it sees {rest}", None
    if facts.tried == "no cuda":
        state: State = "warn" if facts.nodes or facts.jetson else "ok"
        do = (
            "install the torch of this JetPack, and see that the user is in video and render"
            if state == "warn"
            else None
        )
        return state, f"{built}; imported, it sees no GPU", do
    return (
        "fail",
        f"torch {facts.torch} cannot be imported: {facts.tried}",
        "install it anew (docs/devices.md on a board)",
    )
