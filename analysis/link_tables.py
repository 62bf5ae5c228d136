"""Tables of what travelled: bytes, and how the links kept the rates of their profile. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis import stats, targets, units
from analysis.load import Run
from analysis.methods import fleets, is_reference
from analysis.rendering import Column, Record, Table
from analysis.rows import named, number
from harness.profiles import RateProfile
from harness.records import ClientRecord, undisturbed

WAYS = ("down", "up")


def transfers(runs: Sequence[Run]) -> Table:
    """Bytes: payload of one client in each direction, totals of the run, and the rates that links achieved."""
    runs = fleets(runs)
    records = tuple(_transfer_record(run) for run in runs)
    each = units.byte_unit(number(r[key]) for r in records for key in ("client_download_bytes", "client_upload_bytes"))
    whole = units.byte_unit(number(r[key]) for r in records for key in ("payload_bytes", "wire_bytes"))
    scales = {"client_download_bytes": each, "client_upload_bytes": each, "payload_bytes": whole, "wire_bytes": whole}
    scales |= dict.fromkeys(("download_bps", "link_down_bps", "upload_bps", "link_up_bps"), units.MBITS)
    return Table(
        name="transfers",
        title="Bytes and links",
        note="Payload is the blob itself, wire bytes count every frame both ways. Per client and rates: medians.",
        columns=(
            Column("method", numeric=False),
            Column(f"down per client, {each.symbol}"),
            Column(f"up per client, {each.symbol}"),
            Column(f"payload in all, {whole.symbol}"),
            Column(f"on the wire, {whole.symbol}"),
            *(Column(f"{head}, {units.MBITS.symbol}") for head in ("down", "link down", "up", "link up")),
        ),
        rows=tuple(
            (label, *(unit.number(number(record[key])) for key, unit in scales.items()))
            for label, record in zip(stats.labels(runs), records, strict=True)
        ),
        records=records,
    )


def link_rates(runs: Sequence[Run]) -> Table:
    """What shaped links of real agents gave, and what their profile says: a row for each run and direction."""
    found = [
        (label, run, way, list(_rates(run, way)))
        for label, run in zip(stats.labels(runs), runs, strict=True)
        for way in WAYS
        if not is_reference(run) and not run.experiment.virtual and run.experiment.link.rate(way).shaped
    ]
    kept = [each for each in found if each[-1]]
    records = tuple(_rate_record(run, way, rates) for _, run, way, rates in kept)
    rate = units.MBITS
    return Table(
        name="link-rates",
        title="Shaped links: achieved and allowed rates",
        note="Shaped by: user, the pace at which agent and controller send; kernel, a tc class of the interface. "
        "Allowed: what the link let through on average in a transfer's seconds. Achieved counts payload alone, and a "
        "transfer's first round trip. Medians over undisturbed transfers.",
        columns=(
            Column("method", numeric=False),
            Column("direction", numeric=False),
            Column("shaped by", numeric=False),
            Column(f"profile, {rate.symbol}", numeric=False),
            Column("transfers"),
            *(Column(f"{head}, {rate.symbol}") for head in ("allowed", "achieved", "least", "most")),
            Column("achieved of allowed"),
        ),
        rows=tuple(
            (
                label,
                way,
                run.experiment.link.shaping,
                profile_words(run.experiment.link.rate(way)),
                units.count(len(rates)),
                *(rate.number(number(record[f"{key}_bps"])) for key in ("allowed", "achieved", "least", "most")),
                f"{100 * float(record['ratio'] or 0):.1f} %",
            )
            for (label, run, way, rates), record in zip(kept, records, strict=True)
        ),
        records=records,
    )


def profile_words(rate: RateProfile) -> str:
    """The rate that a profile gives a direction: "25", "20 to 30" of a trace that is drawn, or of one recorded."""
    if rate.rate_mbps is not None:
        return f"{rate.rate_mbps:g}"
    if rate.rates_mbps:
        return f"{min(rate.rates_mbps):g} to {max(rate.rates_mbps):g}, recorded"
    return f"{rate.rate_min_mbps:g} to {rate.rate_max_mbps:g}" if rate.rate_min_mbps is not None else ""


def _rates(run: Run, way: str) -> Iterator[tuple[float, float]]:
    """Achieved and allowed rate of each transfer of a direction that moved anything."""
    for client in undisturbed(run.clients):
        moved, achieved, allowed = _transfer(client, way)
        if moved and allowed:
            yield achieved, allowed


def _transfer(client: ClientRecord, way: str) -> tuple[int, float, float | None]:
    if way == "down":
        return client.download_bytes, client.download_bps, client.link_down_bps
    return client.upload_bytes, client.upload_bps, client.link_up_bps


def _rate_record(run: Run, way: str, rates: Sequence[tuple[float, float]]) -> Record:
    return named(run) | {
        "direction": way,
        "shaping": run.experiment.link.shaping,
        "profile_mbps": profile_words(run.experiment.link.rate(way)),
        "transfers": len(rates),
        "allowed_bps": stats.median_or_none(allowed for _, allowed in rates),
        "achieved_bps": stats.median_or_none(achieved for achieved, _ in rates),
        "least_bps": min(achieved for achieved, _ in rates),
        "most_bps": max(achieved for achieved, _ in rates),
        "ratio": stats.median_or_none(achieved / allowed for achieved, allowed in rates),
    }


def _transfer_record(run: Run) -> Record:
    down, up = stats.download_use(run), stats.upload_use(run)
    return named(run) | {
        "client_download_bytes": stats.median_or_none(c.download_bytes for c in run.clients),
        "client_upload_bytes": stats.median_or_none(c.upload_bytes for c in run.clients),
        "payload_bytes": targets.payload_bytes(run.rounds),
        "wire_bytes": targets.wire_bytes(run.rounds),
        "download_bps": down.achieved_bps,
        "link_down_bps": down.link_bps,
        "upload_bps": up.achieved_bps,
        "link_up_bps": up.link_bps,
    }
