"""The model card of an export: what was trained how, the run's figures, and how it is loaded. Pure.

The form is the hub's: a front matter in YAML, then Markdown (https://huggingface.co/docs/hub/model-cards).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from harness.profiles import METRICS, Experiment, Method, TaskName
from harness.profiles.choices import initialisation_of
from harness.records import Header, RoundRecord

Kind = Literal["peft", "merged"]

CLASSES: dict[TaskName, str] = {
    "text-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
    "question-answering": "AutoModelForQuestionAnswering",
}
PERSONAL = ("fedsa",)
"""The figures are those of the clients' own models, and what is exported is none of them."""
NOTES: dict[str, str] = {
    "fedsa": "B and the head are the means of what each client keeps for itself: a reference, not one of the personal "
    "models that the figures are of.",
    "central": "Trained on the data of all clients in one place, not federated: a reference.",
}


class Exported(NamedTuple):
    """What stands in the folder: ``rank`` is the adapter's (None of a whole model), ``base_name`` the encoder's."""

    kind: Kind
    rank: int | None
    base_name: str
    hub: str | None
    label_names: tuple[str, ...]


def card(exported: Exported, header: Header, experiment: Experiment, rounds: Sequence[RoundRecord]) -> str:
    """README.md of the folder. Values are those of the records, rounded here alone."""
    method: Method = header.method  # type: ignore[assignment]  # of a header that was checked
    parts = [
        _front_matter(exported, experiment, header, rounds),
        f"# {experiment.name}: {method}",
        _said(exported, header, experiment, rounds, method),
        "## Figures",
        _table(_figures(header, experiment, rounds)),
        _after_figures(experiment, rounds, method),
        "## Load it",
        f"```python\n{_code(exported, experiment.dataset.task)}\n```",
        "## Settings",
        _table(_settings(header, experiment, method)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(exported: Exported, experiment: Experiment, header: Header, rounds: Sequence[RoundRecord]) -> str:
    """What the hub reads; JSON is YAML, so that no value can be taken for something else."""
    dataset, last = experiment.dataset, _last_metrics(rounds)
    results = [{"type": name, "value": value} for name, value in last.items()]
    entry = {
        "task": {"type": dataset.task},
        "dataset": {"name": dataset.name, "type": dataset.hub or dataset.name},
        "metrics": results,
    }
    facts: dict[str, Any] = {
        "library_name": "peft" if exported.kind == "peft" else "transformers",
        "pipeline_tag": dataset.task,
        "tags": ["federated-learning", header.method, *(["lora"] if exported.kind == "peft" else [])],
    }
    facts |= {"base_model": exported.hub} if exported.hub else {}
    facts |= {"datasets": [dataset.hub]} if dataset.hub else {}
    if results and header.method not in PERSONAL:
        facts["model-index"] = [{"name": header.run_id, "results": [entry]}]
    return "\n".join(["---", *(f"{key}: {json.dumps(value)}" for key, value in facts.items()), "---"])


def _said(
    exported: Exported, header: Header, experiment: Experiment, rounds: Sequence[RoundRecord], method: Method
) -> str:
    """A paragraph: what this is."""
    clients = f"{experiment.partition.clients} clients, {experiment.rounds.clients_per_round} a round"
    what = (
        f"An adapter of rank {exported.rank} for PEFT, on the pretrained weights as they are, with the task's head"
        if exported.kind == "peft"
        else "A whole model in float32, with all that was learned in its weights"
    )
    said = (
        f"{what}: {experiment.model.name}, fine-tuned on {experiment.dataset.name} by the method {method} over "
        f"{len(rounds)} of {experiment.rounds.count} rounds ({clients}), with federa-bench, run `{header.run_id}`."
    )
    settings = experiment.method(method)
    if exported.rank is not None and exported.rank != settings.rank:
        said += (
            f" The run trained rank {settings.rank} from FeDeRA's B0 A0, the principal part of W, over W - s B0 A0; "
            "over W itself that is B A - B0 A0, of twice the rank."
        )
    return f"{said} {NOTES[method]}" if method in NOTES else said


def _figures(header: Header, experiment: Experiment, rounds: Sequence[RoundRecord]) -> list[tuple[str, str]]:
    """Name and value."""
    last, rows = rounds[-1], []
    names = [name for name in METRICS[experiment.dataset.task] if name in _last_metrics(rounds)]
    for name in names:
        values = [record.metrics[name] for record in rounds if name in record.metrics]
        rows.append((f"{name}, last", f"{values[-1]:.4f}"))
        best = min(values) if name == "loss" else max(values)
        rows.append((f"{name}, best", f"{best:.4f}"))
    rows.append(("clock after the last round", f"{last.elapsed_s:.1f} s ({header.clock or 'not known'})"))
    if header.method != "central":  # where nothing travels
        up, down = (sum(getattr(record, key) for record in rounds) for key in ("upload_bytes", "download_bytes"))
        rows += [("bytes up, all clients", f"{up:,}"), ("bytes down, all clients", f"{down:,}")]
    if header.parameters is not None:
        rows.append(("trained parameters", f"{header.parameters.adapter:,} and a head of {header.parameters.head:,}"))
    if last.privacy is not None:
        spent = last.privacy
        near = "" if spent.exact else " (nearest)"
        rows.append(
            (f"epsilon at delta {spent.delta:g}", f"{spent.epsilon:.3f}{near}, of a {spent.unit} ({spent.accountant})")
        )
    return rows + _errors(header, last)


def _errors(header: Header, last: RoundRecord) -> list[tuple[str, str]]:
    """What the last round lost; where clients keep B, nothing was made of it that could miss anything."""
    if last.errors is None:
        return []
    made = None if header.method in PERSONAL else last.errors.made
    told = (("error made", made), ("averaging error", last.errors.averaging))
    return [(f"{name}, last round", f"{value:.4f} of the round's change") for name, value in told if value is not None]


def _after_figures(experiment: Experiment, rounds: Sequence[RoundRecord], method: Method) -> str:
    """What the figures are of."""
    split = experiment.evaluate.split
    of = (
        f"a sample of {experiment.evaluate.sample} of the {split} split"
        if experiment.evaluate.sample
        else f"the {split} split"
    )
    what = "means over the clients' own models" if method in PERSONAL else "the global model's"
    return (
        f"Metrics are {what}, on {of}. This is the state after round {rounds[-1].round}, `{rounds[-1].state_sha256}`."
    )


def _code(exported: Exported, task: TaskName) -> str:
    """How to load it, from within its folder."""
    name = CLASSES[task]
    tokenizer = 'tokenizer = AutoTokenizer.from_pretrained(".")'
    if exported.kind == "merged":
        return f'from transformers import {name}, AutoTokenizer\n\nmodel = {name}.from_pretrained(".")\n{tokenizer}'
    labels = dict(enumerate(exported.label_names))
    given = f", num_labels={len(labels)}, id2label={_harmless(labels)}" if labels else ""
    return (
        f"from peft import PeftModel\nfrom transformers import {name}, AutoTokenizer\n\n"
        f'base = {name}.from_pretrained({exported.base_name!r}, dtype="float32"{given})\n'
        f'model = PeftModel.from_pretrained(base, ".")\n{tokenizer}'
    )


def _settings(header: Header, experiment: Experiment, method: Method) -> list[tuple[str, str]]:
    """The settings that one asks for first; the header has all."""
    settings, train = experiment.method(method), experiment.train
    rows = [("learning rate", f"{settings.lr:g}")]
    if (start := initialisation_of(method, settings)) is not None:
        rows += [("rank, alpha", f"{settings.rank}, {settings.alpha:g}"), ("initialisation", start)]
    steps = f", at most {train.max_steps} steps" if train.max_steps else ""
    rows += [
        ("local training", f"batch {train.batch_size}, epochs {train.epochs}{steps}, {train.max_length} tokens"),
        ("partition", experiment.partition.kind),
        ("privacy", settings.privacy.kind),
        ("seed", str(header.seed)),
        ("profile", f"`{header.profile_sha256}`"),
    ]
    return rows


def _last_metrics(rounds: Sequence[RoundRecord]) -> Mapping[str, float]:
    """Those of the last round that was evaluated."""
    return next((record.metrics for record in reversed(rounds) if record.metrics), {})


def _table(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value.replace('|', '&#124;')} |" for name, value in rows)])


def _harmless(value: object) -> str:
    """As Python writes it, without the marks that would end a block of code."""
    return repr(value).replace("`", "\\x60")
