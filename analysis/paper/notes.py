"""What a reader of a paper's table must know of its runs: their clock, and where they are not as the paper's; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analysis import stats, units
from analysis.load import Run
from analysis.paper.cells import Cell, deviations, stand_ins
from analysis.paper.reference import DATASETS, MODELS
from analysis.tables import clock_of

NO_RUN = f"{units.NOT_MEASURED}: no run of ours."
OWN = "A stand-in's metrics, bytes and parameters are its own, and so are its times to a target."


def note(
    sentences: Sequence[str], cells: Sequence[Cell], differing: Callable[[Run], tuple[str, ...]] = deviations
) -> str:
    """The note of a table: what it shows, how the runs of its cells were timed, and where they are not the paper's.

    ``differing`` says of a run what the table's figures depend on and the paper has otherwise.
    """
    parts = [*sentences, NO_RUN, *_said_of(cells, lambda run: (timed_words(run), *differing(run))), *_counts(cells)]
    parts += [OWN] if any(stand_ins(cell.group.runs[0]) for cell in cells) else []
    return " ".join([*parts, *_choices(cells)])


def timed_words(run: Run) -> str:
    """The clock of a run, and the device and link that its seconds are of."""
    profile = run.experiment
    if profile.virtual:
        return clock_of(run)
    return f"{clock_of(run)}, on agents: device {profile.device.name}, link {profile.link.name}"


def places_words(some: Sequence[Cell], every: Sequence[Cell]) -> str:
    """Cells by name: "RoBERTa on 20News", with its methods where these are not all that the table has there."""
    words = []
    for model, dataset in dict.fromkeys((cell.place.model, cell.place.dataset) for cell in some):
        here, all_here = (
            list(dict.fromkeys(cell.place.method for cell in cells if cell.place[:2] == (model, dataset)))
            for cells in (some, every)
        )
        where = f"{MODELS[model]} on {DATASETS[dataset]}"
        words.append(where if here == all_here else f"{units.listing(map(stats.method_name, here))} of {where}")
    return units.listing(words)


def _said_of(cells: Sequence[Cell], say: Callable[[Run], tuple[str, ...]]) -> list[str]:
    """What is said of runs, one sentence for all that holds for the same cells; those that hold for all are "Ours"."""
    having: dict[str, list[Cell]] = {}
    for cell in cells:
        for said in say(cell.group.runs[0]):
            having.setdefault(said, []).append(cell)
    sentences: dict[str, list[str]] = {}
    for said, some in having.items():
        whose = "Ours" if len(some) == len(cells) else places_words(some, cells)
        sentences.setdefault(whose, []).append(said)
    return [f"{whose}: {'; '.join(said)}." for whose, said in sentences.items()]


def _counts(cells: Sequence[Cell]) -> list[str]:
    counts = [len(cell.group.runs) for cell in cells]
    fewest, most = min(counts), max(counts)
    return [] if most == 1 else [f"{most} runs a cell." if fewest == most else f"{fewest} to {most} runs a cell."]


def _choices(cells: Sequence[Cell]) -> list[str]:
    chosen = dict.fromkeys(cell.group.label for cell in cells if cell.set_aside)
    rule = "the one closest to the paper's is shown, of equals that of most runs, then that of the best metric"
    return [f"Where several settings could fill a cell, {rule}: {units.listing(chosen)}."] if chosen else []
