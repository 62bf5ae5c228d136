"""Measured profiles as the text of their files: YAML that opens with the command that uses it, and says its origin."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import msgspec

from harness.measuring.device import LocalTraining, local_trainings, unlike_agents
from harness.measuring.figures import middle_mean, quantile
from harness.measuring.link import Transfer, transfers
from harness.measuring.runs import MACHINE, Recorded, disturbed
from harness.profiles import DeviceProfile, LinkProfile, RateProfile

WIDTH = 120
KEYS = 3
"""An entry of seconds begins with model, data set and method; its seconds are a line of their own."""


def device_text(device: DeviceProfile, runs: Sequence[Recorded], command: str) -> str:
    """The file of a device that was measured on ``runs``; ``command`` is its first line."""
    environment = runs[0].header.environment
    machine = ", ".join(f"{key} {environment[key]}" for key in MACHINE if environment.get(key))
    said = [
        f"Measured on {_names(runs)}; means of the middle eight tenths of updates, without those of trainers that had "
        f"just started where there are others.{f' The controller ran on: {machine}.' if machine else ''}",
        *(_training_words(training) for training in local_trainings(runs)),
        *unlike_agents(runs),
        *disturbed(runs),
    ]
    if device.server.aggregate_s is None:
        said.append("The runs' aggregation took unlike seconds, so aggregate_s is left out: those it takes here count.")
    body = [f"name: {device.name}", f"threads: {device.threads}", "seconds:"]
    for entry in device.seconds:
        given = _given(entry)
        body += [f"  - {{{', '.join(given[:KEYS])},", f"     {', '.join(given[KEYS:])}}}"]
    return _file(command, said, [*body, f"server: {{{', '.join(_given(device.server))}}}"])


def _names(runs: Sequence[Recorded]) -> str:
    return ", ".join(run.header.run_id for run in runs)


def _training_words(training: LocalTraining) -> str:
    of = training.runs[0]
    spread = training.step_s or [record.train_s for record in training.updates]
    what = "a step" if training.step_s else "a training"
    model, dataset = of.experiment.model, of.experiment.dataset
    stands = [f"{one.name} timed as {one.timed_as}" for one in (model, dataset) if one.timed_as]
    return (
        f"{of.header.method}: {len(training.updates)} updates by {', '.join(of.header.agents) or 'its agents'}; "
        f"{middle_mean(spread):.4g} s {what}, nine of ten between {quantile(spread, 0.05):.4g} and "
        f"{quantile(spread, 0.95):.4g}{'; ' if stands else ''}{', '.join(stands)}."
    )


def link_text(link: LinkProfile, runs: Sequence[Recorded], command: str) -> str:
    """The file of a link that was measured on ``runs``; ``command`` is its first line."""
    own, moved = runs[0].experiment.link, transfers(runs)
    said = [f"Measured on {_names(runs)}, under the link profile {own.name}."]
    for direction, plural in (("down", "downloads"), ("up", "uploads")):
        of = [one for one in moved if one.direction == direction]
        said.append(_transfer_words(of, plural, own.rate(direction).shaped))
    body = [f"name: {link.name}", *_rate_lines(link, "")]
    body += [f"latency_s: {_yaml(link.latency_s)}"] if link.latency_s else []
    body += [f"overhead_s: {_yaml(link.overhead_s)}"] if link.overhead_s else []
    if link.up is not None:
        body += ["up:", *_rate_lines(link.up, "  ")] if link.up.shaped else ["up: {}"]
    return _file(command, said, body)


def _transfer_words(moved: Sequence[Transfer], plural: str, shaped: bool) -> str:
    sizes = sorted({one.size_bytes for one in moved})
    bytes_of = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
    words = f"{len(moved)} {plural} of {bytes_of} bytes: {middle_mean(one.seconds for one in moved):.4g} s, "
    if shaped:
        return (
            f"{words}of which {middle_mean(one.beyond_s for one in moved):.3g} s beyond the profile's rate and latency."
        )
    return f"{words}not shaped, so the rates are those achieved; each transfer draws one of them."


def _rate_lines(rate: RateProfile, indent: str) -> list[str]:
    """The keys of a rate that are given."""
    lines = []
    for key in ("rate_mbps", "rate_min_mbps", "rate_max_mbps"):
        value = getattr(rate, key)
        lines += [f"{indent}{key}: {_yaml(value)}"] if value is not None else []
    if rate.rates_mbps:
        listed = f"rates_mbps: [{', '.join(map(_yaml, rate.rates_mbps))}]"
        lines += _wrapped(listed, indent, f"{indent}  ")
    return [*lines, f"{indent}step_s: {_yaml(rate.step_s)}"] if rate.shaped else lines


def _given(profile: msgspec.Struct) -> list[str]:
    """The keys of a profile that are given, with their values."""
    found = msgspec.structs.asdict(profile)
    return [f"{key}: {_yaml(value)}" for key, value in found.items() if value is not None]


def _yaml(value: Any) -> str:
    """A value of a profile as YAML: exactly, and a name in quotes where it could be read as something else."""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    text = str(value)
    return text if text[:1].isalpha() and text.lower() not in ("null", "true", "false") else f'"{text}"'


def _file(command: str, said: Sequence[str], body: Sequence[str]) -> str:
    comments = [line for sentence in said for line in _wrapped(sentence, "# ", "# ")]
    return "\n".join([f"# {command}", *comments, *body]) + "\n"


def _wrapped(text: str, first: str, further: str) -> list[str]:
    """Lines that begin with ``first``, then ``further``; no word is torn."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )
