"""The command ``federa-bench export``: a trace is the analysis' matter, models are made here."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.errors import FederaBenchError, UsageError, not_written
from harness.exporting.card import Exported, Kind, card
from harness.exporting.run import Finished, read_run, source_of
from harness.passed_on import other_package

KINDS: tuple[Kind, ...] = ("peft", "merged")


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 a record is not readable or a file not writable, 2 bad usage."""
    options = _parser().parse_args(argv)
    try:
        return _export(options)
    except FederaBenchError as error:
        if options.debug:
            raise
        sys.stderr.write(f"federa-bench: {error}\n")
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="federa-bench export",
        description="Write what a run learned or recorded as files for other programs.",
        epilog="A trace opens in ui.perfetto.dev, which keeps it in the browser, and in chrome://tracing. An adapter "
        "and a model come with a README.md that has the run's figures and the lines of Python that load them.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    parser.add_argument("--peft", type=Path, metavar="DIR", help="the last round as an adapter that plain PEFT loads")
    parser.add_argument("--merged", type=Path, metavar="DIR", help="the last round as a whole model of transformers")
    parser.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        help="the run over time as a Chrome/Perfetto trace (JSON): a track an agent",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="the data sets, where the run's own folder is gone")
    parser.add_argument("--models", type=Path, metavar="DIR", help="the models, where the run's own folder is gone")
    parser.add_argument("--debug", action="store_true", help="show a traceback where something fails")
    return parser


def _export(options: argparse.Namespace) -> int:
    wanted = {kind: folder for kind in KINDS if (folder := getattr(options, kind)) is not None}
    if not wanted and options.trace is None:
        raise UsageError("nothing was asked for; give --peft DIR, --merged DIR or --trace FILE")
    if len(set(wanted.values())) < len(wanted):
        raise UsageError("--peft and --merged name the same folder; give each one of its own")
    for kind, folder in wanted.items():
        _check_free(folder, kind)
    if wanted:
        _write_models(read_run(options.run), wanted, options)
    if options.trace is None:
        return 0
    debug = ["--debug"] if options.debug else []
    return other_package("export")([str(options.run), "--trace", str(options.trace), *debug])


def _write_models(run: Finished, wanted: dict[Kind, Path], options: argparse.Namespace) -> None:
    """Each kind into its folder; what cannot be is refused before anything is read or written."""
    from harness.learning.exporting import refusal, write_adapter, write_merged

    for kind in wanted:
        if fault := refusal(run.method, run.checkpoint, kind):
            raise UsageError(f"--{kind}: {fault}")
    with tempfile.TemporaryDirectory(prefix="federa-bench-") as workdir:
        source = source_of(run, options.data, options.models, Path(workdir), _say)
        for kind, folder in wanted.items():
            with _made_whole(folder, kind) as partial:
                rank = write_adapter(source, partial) if kind == "peft" else None
                if kind == "merged":
                    write_merged(source, partial)
                hub = run.experiment.model.hub
                exported = Exported(kind, rank, source.base_name, hub, source.label_names)
                text = card(exported, run.header, run.experiment, run.rounds)
                (partial / "README.md").write_text(text, encoding="utf-8")
            what = f"adapter of rank {rank}" if kind == "peft" else "model"
            sys.stdout.write(f"{what}: {folder}, as after round {source.round}; README.md in it says how to load it\n")


@contextmanager
def _made_whole(folder: Path, kind: Kind) -> Iterator[Path]:
    """A folder beside ``folder`` that gets its name once everything is in it.

    Raises:
        FederaBenchError: it cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            yield partial
            for path in (partial, *partial.iterdir()):  # what was made as a temporary file is its owner's alone
                path.chmod(0o755 if path.is_dir() else 0o644)
            os.replace(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise not_written(str(folder), error, f"give another DIR to --{kind}") from None


def _check_free(folder: Path, kind: Kind) -> None:
    """See that nobody's files are mixed with those of an export.

    Raises:
        UsageError: the folder holds something, or is a file.
    """
    if folder.is_dir() and next(folder.iterdir(), None) is not None:
        raise UsageError(f"{folder} holds files already; give a new DIR to --{kind}")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; give a new DIR to --{kind}")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
