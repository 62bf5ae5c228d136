"""The words of a sweep, once more."""

from __future__ import annotations

import shlex
from pathlib import Path

from typer.testing import CliRunner

from harness.commands import app
from harness.sweep.options import SweepOptions


def test_the_command_to_go_on_with_is_the_one_that_was_given() -> None:
    options = SweepOptions(
        profile="my profile.yaml",
        methods="fedlr federa",
        lrs="1e-3",
        seeds="0-1",
        tune_rounds=3,
        data=Path("parquet"),
        fleet="ray",
        ray="10.0.0.1:6379",
        sets=("device=table8",),
        jobs=2,
    )
    assert options.command == (
        "federa-bench sweep 'my profile.yaml' --methods 'fedlr federa' --lrs 1e-3 --seeds 0-1 --fleet ray "
        "--tune-rounds 3 --data parquet --ray 10.0.0.1:6379 --jobs 2 --set device=table8"
    )


def test_the_command_line_takes_it(tmp_path: Path) -> None:
    options = SweepOptions(
        methods="fedlr",
        seeds="3",
        tune_seeds="0-1",
        rounds=2,
        tune_rounds=1,
        out=tmp_path,
        sets=("fleet=virtual",),
        jobs=2,
    )
    told = CliRunner().invoke(app, [*shlex.split(options.command)[1:], "--dry-run", "--json"])
    assert told.exit_code == 0, told.output
    assert told.stdout.count('"stage": "validation"') == 2 * 5
