"""What the sensors, clocks and doctors of the devices say that a reader must know; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from analysis import energy, units
from analysis.caution import Caution, named, unstopped
from analysis.devices import Finding, devices_of
from analysis.load import Run
from harness.records import ClientRecord

FLAG_WORDS = {
    "no samples": "no samples",
    "gap": "gaps between samples",
    "missing rail": "a rail that the total needs is missing",
    "frozen": "a rail gave one value for too long",
    "stale": "values were old",
    "offline sensor": "a sensor was off",
    "low coverage": "too little of the time was sampled",
}
"""What a flag of the sensors means; "throttled" has a sentence of its own."""
BETWEEN_MACHINES = "time"
"""The doctor's line on the synchronisation of clocks: a run on one machine has nothing to synchronise with."""


def device_cautions(label: str, run: Run) -> Iterator[Caution]:
    """A sentence for each kind; nothing of a run without sensors."""
    checks: tuple[Callable[[str, Run], Iterator[Caution]], ...]
    checks = (_throttled, _sensors, _shared, _modes, _unmeasured)
    for check in checks:
        yield from check(label, run)


def cautions_across(labelled: Sequence[tuple[str, Run]]) -> Iterator[Caution]:
    """What is said once of all runs: different power modes, the doctor's words, how well clocks are known."""
    yield from _modes_across(labelled)
    yield from _doctors(labelled)
    yield from _offsets([run for _, run in labelled])


def _throttled(label: str, run: Run) -> Iterator[Caution]:
    """Which agents lowered their clocks, how often, and since when."""
    events: Counter[str] = Counter()
    first: dict[str, int] = {}
    for client in run.clients:
        if client.vitals and (client.vitals.throttle_events or "throttled" in client.vitals.flags):
            events[client.agent] += client.vitals.throttle_events or 1
            first[client.agent] = min(client.round, first.get(client.agent, client.round))
    if events:
        told = [
            f"{agent} {'once' if count == 1 else f'{units.count(count)} times'} from round {first[agent]} on"
            for agent, count in sorted(events.items())
        ]
        yield Caution(
            "throttling",
            f"{label}: {units.counted(len(events), 'agent')} throttled, {named(told)}: their seconds and joules are of "
            "lowered clocks.",
        )


def _sensors(label: str, run: Run) -> Iterator[Caution]:
    """Updates whose sensors fell short, by what was wrong and at which agents."""
    found: defaultdict[str, list[ClientRecord]] = defaultdict(list)
    for client in run.clients:
        for flag in client.vitals.flags if client.vitals else ():
            if flag in FLAG_WORDS:
                found[flag].append(client)
    if not found:
        return
    told = [
        f"{FLAG_WORDS[flag]} ({units.counted(len(clients), 'update')} of {named(sorted({c.agent for c in clients}))})"
        for flag, clients in found.items()
    ]
    least = energy.least_coverage(run)
    yield Caution(
        "sensors",
        f"{label}: sensors fell short: {named(told)}; the least that was sampled of an update's time is "
        f"{100 * (least or 0):.0f} %. What would have to be guessed is left empty.",
    )


def _shared(label: str, run: Run) -> Iterator[Caution]:
    """Agents of one machine read the same sensors: its energy is counted for each of them."""
    agents_of: defaultdict[str, set[str]] = defaultdict(set)
    measured = {client.agent for client in run.clients if client.energy_j is not None}
    for happened in run.events:
        if happened.event == "agent-joined" and happened.agent in measured:
            agents_of[happened.host].add(happened.agent)
    for host, agents in sorted(agents_of.items()):
        if len(agents) > 1:
            yield Caution(
                "shared energy",
                f"{label}: {named(sorted(agents))} share the machine {host} and its sensors, so its energy is counted "
                "for each of them.",
            )


def _modes(label: str, run: Run) -> Iterator[Caution]:
    """That agents are in different power modes, or changed theirs."""
    by_agent = _modes_by_agent(run)
    changed = {agent: modes for agent, modes in by_agent.items() if len(modes) > 1}
    if changed:
        told = [f"{agent} ({', '.join(modes)})" for agent, modes in sorted(changed.items())]
        yield Caution("power modes", f"{label}: the power mode changed during the run at {named(told)}.")
    first = {agent: modes[0] for agent, modes in by_agent.items()}
    if len(set(first.values())) > 1:
        told = [f"{agent} {mode}" for agent, mode in sorted(first.items())]
        yield Caution("power modes", f"{label}: agents are in different power modes: {named(told)}.")


def _modes_by_agent(run: Run) -> dict[str, list[str]]:
    """The power modes of each agent, as its sensors saw them one after the other."""
    found: dict[str, list[str]] = {}
    for client in run.clients:
        mode = client.vitals.power_mode if client.vitals else None
        if mode is not None and mode not in found.setdefault(client.agent, []):
            found[client.agent].append(mode)
    return found


def _unmeasured(label: str, run: Run) -> Iterator[Caution]:
    """That sensors were read and there is no energy all the same, as of a machine without sensors of power."""
    if run.clients and energy.sources(run) and not energy.is_measured(run):
        yield Caution("energy", f"{label}: no energy was measured: {energy.spent(run).why}.", "note")


def _modes_across(labelled: Sequence[tuple[str, Run]]) -> Iterator[Caution]:
    """That runs of one report were made in different power modes."""
    of: defaultdict[str, list[str]] = defaultdict(list)
    for label, run in labelled:
        modes = sorted({mode for modes in _modes_by_agent(run).values() for mode in modes})
        if modes:
            of[units.listing(modes)].append(label)
    if len(of) > 1:
        told = "; ".join(f"{modes} in {named(labels)}" for modes, labels in of.items())
        yield Caution("power modes", f"The runs were made in different power modes: {told}: do not compare seconds.")


def _doctors(labelled: Sequence[tuple[str, Run]]) -> Iterator[Caution]:
    """What the doctor was not content with, once for all devices and runs; its figures are those of the first."""
    found: defaultdict[tuple[str, str], list[tuple[str, str, Finding]]] = defaultdict(list)
    for label, run in labelled:
        examined = [device for device in devices_of(run) if device.findings]
        for device in examined:
            for finding in device.unsound:
                if finding.name == BETWEEN_MACHINES and len(examined) == 1:
                    continue
                found[finding.state, finding.name].append((label, device.agent, finding))
    for (state, name), said in sorted(found.items(), key=lambda item: (item[0][0] != "fail", item[0][1])):
        labels = list(dict.fromkeys(label for label, _, _ in said))
        agents = list(dict.fromkeys(agent for _, agent, _ in said))
        first = said[0][2]
        alike = "" if all(each.says == first.says for _, _, each in said) else f" (at {agents[0]}; elsewhere alike)"
        where = f" ({named(labels)})" if len(labels) < len(labelled) else ""
        do = f" To do: {unstopped(first.do)}." if first.do else ""
        yield Caution(
            "Wi-Fi power save" if _is_power_save(first) else "doctor",
            f"Doctor, {state}, at {named(agents)}{where}: {name}: {unstopped(first.says)}{alike}.{do}",
        )


def _is_power_save(finding: Finding) -> bool:
    words = f"{finding.name} {finding.says}".lower().replace("_", " ").replace("-", " ")
    return "power save" in words or "powersave" in words


def _offsets(runs: Sequence[Run]) -> Iterator[Caution]:
    """How well agents' clocks are known against the run's: it moves what is drawn over time, and no duration."""
    lines = [client.timeline for run in runs for client in run.clients if client.timeline]
    known = [offset for line in lines for offset in (line.download, line.upload) if offset]
    off_ms = [1000 * offset.uncertainty_s for offset in known if offset.offset_s or offset.uncertainty_s]
    without = sum(line.download is None and line.upload is None for line in lines)
    if off_ms:
        middle, most = units.significant(median(off_ms)), units.significant(max(off_ms))
        missing = f"; of {units.counted(without, 'update')} the clocks were not compared" if without else ""
        yield Caution(
            "clock offsets",
            f"Agents' stamps stand on the runs' clocks within \N{PLUS-MINUS SIGN}{middle} ms (median), "
            f"\N{PLUS-MINUS SIGN}{most} ms at most{missing}. It concerns charts over time; durations do not need it.",
            "note",
        )
