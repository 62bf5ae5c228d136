"""What agents of a simulated fleet meet: links, slow devices, failures, losses; drawn from a seed for each task."""

from __future__ import annotations

from random import Random

import msgspec

from harness.links import achieved_bps, transfer
from harness.profiles import LinkProfile, Setting
from harness.records import ClientRecord
from harness.rounds.commands import AssignTask
from harness.timeline import Offset, Timeline
from harness.vitals import Vitals

SETTING = Setting(model="roberta-base", dataset="wnut2017", method="federa", rank=32)
"""Links with rates look nothing up in it."""
NEAR = Offset(offset_s=-79_497.721957, uncertainty_s=0.00048054)


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """How it goes for a fleet. Shares are between 0 and 1: of the tasks, or, ``slow_links`` and ``tardy``, of the
    agents. Seconds are the mean of what is drawn.

    A straggler trains ``straggler_factor`` times as long. A lost agent is noticed after ``noticed_s`` and is back
    ``away_s`` later; every second one offers then what it trained meanwhile, when nobody waits for it any more.
    """

    train_s: float = 30.0
    state_bytes: int = 4_718_592
    link: LinkProfile = LinkProfile(name="wifi", rate_min_mbps=20.0, rate_max_mbps=30.0, step_s=1.0, latency_s=0.01)
    slow_link: LinkProfile = LinkProfile(name="slow", rate_mbps=2.0, latency_s=0.1)
    slow_links: float = 0.1
    tardy: float = 0.02
    """Come only after ``tardy_s``, in the middle of the run."""
    arrive_s: float = 20.0
    tardy_s: float = 120.0
    stragglers: float = 0.02
    straggler_factor: float = 12.0
    fails: float = 0.01
    breaks: float = 0.03
    outage_s: float = 4.0
    losses: float = 0.01
    noticed_s: float = 8.0
    away_s: float = 60.0


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one task, in seconds since it was given; ``record`` is the one of its update.

    At most one of the moments ``fails_s``, ``breaks_s`` and ``lost_s`` is there; without any, and after a break, the
    update comes after ``total_s``. A lost agent is back after ``back_s``, and may offer it then.
    """

    record: ClientRecord
    total_s: float
    fails_s: float | None = None
    breaks_s: float | None = None
    lost_s: float | None = None
    back_s: float = 0.0
    offers: bool = False


def has_slow_link(weather: Weather, seed: int, agent: str) -> bool:
    """Whether this agent has the slow link for all of the run."""
    return Random(f"link/{seed}/{agent}").random() < weather.slow_links


def arrival_s(weather: Weather, seed: int, agent: str) -> float:
    """When an agent first comes, in seconds since the run was opened."""
    draw = Random(f"arrival/{seed}/{agent}")
    late_s = weather.tardy_s if draw.random() < weather.tardy else 0.0
    return late_s + draw.expovariate(1 / weather.arrive_s)


def fate_of(weather: Weather, seed: int, task: AssignTask, slow: bool, given_s: float) -> Fate:
    """What becomes of a task that was given at ``given_s`` to an agent with the usual link, or the ``slow`` one.

    It is drawn from (seed, round, client, attempt) alone, as a local training is.
    """
    draw = Random(f"task/{seed}/{task.round}/{task.client}/{task.attempt}")
    train_s = weather.train_s * draw.lognormvariate(0.0, 0.25)
    if draw.random() < weather.stragglers:
        train_s *= weather.straggler_factor
    record = _record(weather, seed, task, weather.slow_link if slow else weather.link, train_s, given_s)
    kind, share, offers = draw.random(), draw.random(), draw.random() < 0.5
    if kind < weather.fails:
        return Fate(record=record, total_s=record.total_s, fails_s=share * record.total_s)
    if (kind := kind - weather.fails) < weather.losses:
        lost_s = share * record.total_s + weather.noticed_s
        back_s = lost_s + draw.expovariate(1 / weather.away_s)
        return Fate(record=record, total_s=record.total_s, lost_s=lost_s, back_s=back_s, offers=offers)
    if kind - weather.losses < weather.breaks:
        breaks_s, outage_s = share * record.total_s, draw.expovariate(1 / weather.outage_s)
        total_s = record.total_s + outage_s
        broken = msgspec.structs.replace(record, breaks=1, other_s=record.other_s + outage_s, total_s=total_s)
        return Fate(record=broken, total_s=total_s, breaks_s=breaks_s)
    return Fate(record=record, total_s=record.total_s)


def _record(
    weather: Weather, seed: int, task: AssignTask, link: LinkProfile, train_s: float, given_s: float
) -> ClientRecord:
    """The record of an update, with all that a device with sensors tells: its line is as long as a real one."""
    size_bytes = weather.state_bytes
    down = transfer(link, SETTING, seed, task.round, task.client, "down", size_bytes)
    up = transfer(link, SETTING, seed, task.round, task.client, "up", size_bytes)
    load_s, serialise_s, other_s = 0.214803, 0.006932485, 0.026921296
    total_s = down.seconds + load_s + train_s + serialise_s + up.seconds + other_s
    trained_s = down.seconds + load_s + train_s
    moments_s = {"download": 0.0, "load": down.seconds, "train": down.seconds + load_s, "serialise": trained_s}
    return ClientRecord(
        round=task.round,
        client=task.client,
        agent=task.agent,
        attempt=task.attempt,
        samples=85,
        steps=11,
        tokens=3187,
        download_s=down.seconds,
        load_s=load_s,
        train_s=train_s,
        serialise_s=serialise_s,
        upload_s=up.seconds,
        other_s=other_s,
        total_s=total_s,
        provision_s=0.0,
        train_cpu_s=train_s * 0.97,
        download_bytes=size_bytes,
        upload_bytes=size_bytes,
        wire_bytes=2 * size_bytes + 5_868,
        download_bps=achieved_bps(size_bytes, down.seconds),
        upload_bps=achieved_bps(size_bytes, up.seconds),
        link_down_bps=down.link_bps,
        link_up_bps=up.link_bps,
        loss=1.8,
        energy_j=train_s * 9.3,
        peak_rss_bytes=1_314_490_880,
        warm_up=task.round == 1,
        vitals=Vitals(source="ina3221", samples=int(train_s * 10), coverage=1.0, energy_j=train_s * 9.3),
        timeline=Timeline(
            arrived_s=given_s,
            phase_at_s={**moments_s, "upload": trained_s + serialise_s + other_s},
            download=NEAR,
            upload=NEAR,
        ),
        update_sha256=f"{task.round:08x}{task.client:08x}{task.attempt:048x}",
    )
