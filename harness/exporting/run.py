"""A run folder as what is exported of it: its last closed round, its pretrained model, the names of its labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from harness.blobs import blob_of
from harness.errors import StoreError, UsageError
from harness.profiles import Experiment, Method, build
from harness.records import Header, RoundRecord
from harness.store import RunFolder

if TYPE_CHECKING:
    from harness.learning.exporting import Source

Report = Callable[[str], None]


@dataclass(frozen=True)
class Finished:
    """What a run recorded: its header, its experiment and its closed rounds, of which there is at least one."""

    folder: RunFolder
    header: Header
    experiment: Experiment
    rounds: list[RoundRecord]

    @property
    def method(self) -> Method:
        """The run's method."""
        method: Method = msgspec.convert(self.header.method, Method)
        return method

    @property
    def checkpoint(self) -> Path:
        """The state after the last closed round."""
        return self.folder.checkpoint(self.rounds[-1].round)


def read_run(path: Path) -> Finished:
    """A run that has something to export.

    Raises:
        UsageError: it is no run folder, has no closed round, or trained nothing.
        StoreError: it cannot be read, or its last state is not the one that was recorded.
    """
    folder = RunFolder.open(path)
    header = folder.read_header()
    experiment = build(header.profile, str(path / "header.json"))
    if experiment.train.trainer == "null":
        raise UsageError(f"{path} was run with the null trainer, which learns nothing; export a run of another profile")
    run = Finished(folder, header, experiment, folder.read_rounds())
    if not run.rounds:
        raise UsageError(f"{path} has no closed round yet; go on with: federa-bench resume {path}")
    for checkpoint in (run.checkpoint, folder.checkpoint(0)):
        if not checkpoint.is_file():
            raise StoreError(f"{checkpoint} is missing, so there is nothing to export; copy the run folder whole")
    if blob_of(run.checkpoint).sha256 != run.rounds[-1].state_sha256:
        raise StoreError(
            f"{run.checkpoint} is not the state that round {run.rounds[-1].round} ended with; copy it again"
        )
    return run


def source_of(run: Finished, data: Path | None, models: Path | None, workdir: Path, report: Report) -> Source:
    """All that the export needs. ``data`` and ``models`` stand for the folders that the run was given.

    Raises:
        UsageError: the pretrained model, or the data set that names the labels, is not there.
    """
    from harness.learning.data.dataset import load_dataset
    from harness.learning.data.model_source import find_model
    from harness.learning.exporting import Source
    from harness.learning.tasks.registry import outputs_of

    experiment, header = run.experiment, run.header
    data = data or (Path(header.data) if header.data else None)
    models = models or (Path(header.models) if header.models else None)
    report(f"finding model {experiment.model.name}")
    model = find_model(experiment.model, models, workdir)
    task, label_names = experiment.dataset.task, tuple[str, ...]()
    if task != "question-answering":  # whose outputs are an answer's two ends
        report(f"reading the labels of {experiment.dataset.name}")
        dataset, _ = load_dataset(experiment, data, models, workdir, report)
        label_names = dataset.label_names
    return Source(
        checkpoint=run.checkpoint,
        initial=run.folder.checkpoint(0),
        round=run.rounds[-1].round,
        method=run.method,
        settings=experiment.method(run.method),
        seed=experiment.seeds.initialisation,
        base=model.base,
        tokenizer=model.tokenizer,
        base_name=experiment.model.hub or str(model.base.resolve()),
        task=task,
        modules=experiment.model.modules,
        labels=outputs_of(task, label_names),
        label_names=label_names,
    )
