"""``federa-bench profiles measure RUN...``: writes what runs on agents measured, shows how well it predicts them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Column, Table

from harness import launch, measuring
from harness.durable import replace_whole
from harness.errors import UsageError, not_written
from harness.library import list_experiments
from harness.measuring import Recorded, Replay
from harness.profiles import build
from harness.store import HEADER, RunFolder

DEVICE, LINK = "measured-device.yaml", "measured-link.yaml"
NOT_REPLAYED = ("description", "fleet", "device", "link", "agents")


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured: the files written, the command that uses them, how well they predict each run.

    ``warnings`` are sentences for people.
    """

    device: str
    link: str
    command: str
    warnings: tuple[str, ...]
    replays: tuple[Replay, ...]


def measure(runs: Sequence[Path], out: Path | None, as_json: bool) -> None:
    """Measure run folders, write a device and a link profile, and show how well a replay under them predicts the runs.

    The files are written into ``out``, or into the first run's folder; older ones are replaced.

    A folder of run folders stands for all of them.

    Raises:
        UsageError: no run is named, a folder is none, has nothing to measure, or is not of the others' device and link.
        StoreError: a record cannot be read, or a file not be written.
    """
    if not runs:
        raise UsageError("profiles measure: name the runs; federa-bench status lists those there are")
    folders = [folder for path in dict.fromkeys(runs) for folder in _run_folders(path)]
    measured = _measured([recorded(folder) for folder in folders], out or folders[0])
    if as_json:
        launch.print_json(measured)
    else:
        show(Console(), measured)


def _run_folders(path: Path) -> list[Path]:
    """The folder itself if it is a run's, else the run folders in it; itself again where there is none."""
    below = [] if (path / HEADER).is_file() else sorted(header.parent for header in path.glob(f"*/{HEADER}"))
    return below or [path]


def recorded(path: Path) -> Recorded:
    """The closed rounds of a run folder."""
    folder = RunFolder.open(path)
    header, rounds = folder.read_header(), folder.read_rounds()
    closed = {record.round for record in rounds}
    return Recorded(
        name=str(path),
        experiment=build(header.profile, str(path / "header.json")),
        header=header,
        rounds=tuple(rounds),
        clients=tuple(record for record in folder.read_clients() if record.round in closed),
    )


def _measured(runs: Sequence[Recorded], out: Path) -> Measured:
    measuring.check(runs)
    device, link = measuring.measured_device(runs), measuring.measured_link(runs)
    replays = measuring.replayed(runs, device, link)
    command = replay_command(runs, out)
    _write(out / DEVICE, measuring.device_text(device, runs, command))
    _write(out / LINK, measuring.link_text(link, runs, command))
    return Measured(
        device=str(out / DEVICE),
        link=str(out / LINK),
        command=command,
        warnings=(*measuring.unlike_agents(runs), *measuring.disturbed(runs)),
        replays=replays,
    )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(path, text.encode())
    except OSError as error:
        raise not_written(str(path), error, "name another folder with --out") from None


def replay_command(runs: Sequence[Recorded], out: Path) -> str:
    """The command that replays ``runs``, with the overrides of the first, virtually under the profiles in ``out``."""
    experiment, header = runs[0].experiment, runs[0].header
    known = any(listed.name == experiment.name for listed in list_experiments())
    methods = list(dict.fromkeys(run.header.method for run in runs))
    words = ["federa-bench", "run" if len(methods) == 1 else "compare", experiment.name if known else "PROFILE"]
    words += ["--method" if len(methods) == 1 else "--methods", " ".join(methods)]
    words += ["--rounds", str(experiment.rounds.count), "--seed", str(header.seed)]
    for option, folder in (("--data", header.data), ("--models", header.models)):
        words += [option, folder] if folder else []
    if known:
        named = launch.experiment_of(experiment.name, [], experiment.rounds.count, seed=header.seed)
        for override in _overrides(msgspec.to_builtins(named), msgspec.to_builtins(experiment)):
            words += ["--set", override]
    words += ["--set", "fleet=virtual", "--set", f"device={out / DEVICE}", "--set", f"link={out / LINK}"]
    return shlex.join(words)


def _overrides(named: dict[str, Any], run: dict[str, Any], within: str = "") -> list[str]:
    """The ``a.b=c`` that make the profile ``named`` that of ``run``, but for what a replay has of its own."""
    found = []
    for key, value in run.items():
        path, before = f"{within}{key}", named.get(key)
        if path in NOT_REPLAYED or value == before:
            continue
        if isinstance(value, dict) and isinstance(before, dict) and value.keys() == before.keys():
            found += _overrides(before, value, f"{path}.")
        else:
            found.append(f"{path}={msgspec.json.encode(value).decode()}")
    return found


def show(console: Console, measured: Measured) -> None:
    """A table for each run, then what was written and what to do with it."""
    for replay in measured.replays:
        console.print(_table(replay))
        console.print(
            f"whole run: {replay.real_s:.3f} s real, {replay.predicted_s:.3f} s replayed ({_percent(replay.error)} %)",
            highlight=False,
            end="\n\n",
        )
    for line in (
        *(f"warning: {warning}" for warning in measured.warnings),
        f"written: {measured.device}",
        f"written: {measured.link}",
        f"replay it without agents: {measured.command}",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _table(replay: Replay) -> Table:
    """Phases down, medians and totals across; narrow enough for a terminal of 80 columns."""
    figures = (
        "median\nreal s",
        "median\nreplay s",
        "error\n%",
        "total\nreal s",
        "total\nreplay s",
        "error\n%",
        "by\nround %",
        "held\nout %",
    )
    table = Table(
        Column("phase", no_wrap=True),
        *(Column(name, justify="right") for name in figures),
        title=f"{replay.method}: {replay.updates} updates in {replay.rounds} rounds, as recorded and replayed",
        caption=(
            "by round: median over rounds of the absolute error. "
            "held out: error of the total of even rounds, measured on odd ones alone."
        ),
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=0,
    )
    for phase in replay.phases:
        table.add_row(
            phase.phase,
            _seconds(phase.real_s),
            _seconds(phase.predicted_s),
            _percent(phase.error),
            _seconds(phase.real_total_s),
            _seconds(phase.predicted_total_s),
            _percent(phase.total_error),
            _percent(phase.by_round_error, sign=""),
            _percent(phase.held_out_total_error),
        )
    return table


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if value < 10 else f"{value:.1f}"


def _percent(error: float | None, sign: str = "+") -> str:
    return "-" if error is None else f"{100 * error:{sign}.1f}"
