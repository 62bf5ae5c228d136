"""``federa-bench doctor``: what of this machine would keep a run from going well, line by line (docs/devices.md)."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.address import address_of
from harness.doctor import SCHEMA, Finding, as_json, examine, worst
from harness.doctor.beside import of_versions
from harness.doctor.examine import PATIENCE_S
from harness.doctor.facts import Role
from harness.doctor.findings import plain
from harness.errors import FederaBenchError, UsageError
from harness.keys import CONTROLLER, default_folder, expanded

COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red", "skipped": "dim"}
WIDEST = 100


def main(argv: Sequence[str] | None = None) -> int:
    """Look, and say what was found; returns the exit code: 0 nothing fails, 1 something does, 2 bad usage."""
    options = _parser().parse_args(argv)
    began_s = time.monotonic()
    try:
        role = options.role or _role(options)
        beside = _report(options.beside) if options.beside is not None else None
        if options.connect is not None:
            address_of(options.connect)
    except FederaBenchError as error:
        sys.stderr.write(f"federa-bench doctor: {error}\n")
        return error.exit_code
    findings = examine(
        role,
        root=options.sys_root,
        keys=options.keys,
        name=options.name,
        connect=options.connect,
        folder=options.folder,
        handshake=True,
        import_torch=options.import_torch,
        patience_s=options.patience,
    )
    if beside is not None:
        findings.append(of_versions(as_json(findings), beside["findings"], str(beside["host"])))
    took_s = time.monotonic() - began_s
    if options.as_json:
        sys.stdout.write(msgspec.json.encode(document(role, findings, took_s)).decode() + "\n")
    else:
        show(Console(highlight=False), role, findings, took_s)
    return 1 if worst(findings) == "fail" else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="federa-bench doctor", description="Say what of this machine would keep a run from going well."
    )
    parser.add_argument(
        "--role",
        choices=["agent", "controller"],
        help="what this machine is to be (default: controller where its key is here and --connect is not given)",
    )
    parser.add_argument("--connect", metavar="tcp://HOST:PORT", help="the controller, for its latency and its word")
    parser.add_argument("--keys", type=Path, metavar="DIR", help="folder of keys (~/.config/federa-bench/keys)")
    parser.add_argument("--name", help="what the agent is called, where the folder has several keys")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where the cache (agent) or the runs will lie")
    parser.add_argument("--import-torch", action="store_true", help="import torch as well: up to a minute")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, metavar="SECONDS", help="for what answers late (%(default)s)"
    )
    parser.add_argument("--beside", type=Path, metavar="FILE", help="compare versions with what --json said elsewhere")
    parser.add_argument("--sys-root", type=Path, default=Path("/"), metavar="DIR", help="read /sys, /proc ... below it")
    parser.add_argument("--json", dest="as_json", action="store_true", help="print JSON, for programs")
    return parser


def _role(options: argparse.Namespace) -> Role:
    folder = expanded(options.keys or default_folder())
    return "controller" if options.connect is None and (folder / f"{CONTROLLER}.secret").exists() else "agent"


def _report(path: Path) -> dict[str, Any]:
    """What ``--json`` printed on another machine.

    Raises:
        UsageError: it is something else.
    """
    try:
        told = msgspec.json.decode(path.read_bytes(), type=_Told)
    except (OSError, msgspec.DecodeError):
        raise UsageError(f"{path} is no report; make it there with: federa-bench doctor --json > {path.name}") from None
    return {"host": plain(told.host), "findings": told.findings}


class _Told(msgspec.Struct):
    """What is read of another machine's report."""

    host: str
    findings: list[dict[str, Any]]


def document(role: Role, findings: Sequence[Finding], took_s: float) -> dict[str, Any]:
    """What ``--json`` prints: schema, role, host, worst, took_s, findings (see :func:`harness.doctor.as_json`)."""
    return {
        "schema": SCHEMA,
        "role": role,
        "host": platform.node(),
        "worst": worst(findings),
        "took_s": round(took_s, 3),
        "findings": as_json(findings),
    }


def show(console: Console, role: Role, findings: Sequence[Finding], took_s: float) -> None:
    """A line for each finding, and below it what to do."""
    console.print(Text(f"{platform.node()} as {role}"))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        says = Text(plain(finding.says))
        if finding.do is not None:
            says.append(f"\n-> {plain(finding.do)}", style="" if finding.state in ("warn", "fail") else "dim")
        table.add_row(Text(finding.state, style=COLOURS[finding.state]), Text(finding.name), says)
    console.print(table, width=min(console.width, WIDEST))
    counts = [f"{sum(one.state == state for one in findings)} {state}" for state in COLOURS]
    console.print(Text(f"{', '.join(counts)}; in {took_s:.1f} s"))
