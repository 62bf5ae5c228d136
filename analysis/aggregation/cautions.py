"""What a reader has to know before comparing ways of aggregating; pure."""

from __future__ import annotations

from collections.abc import Iterator

from analysis import units
from analysis.aggregation import measures
from analysis.caution import Caution
from analysis.load import Run
from analysis.methods import FIRST_STAGE, PERSONAL, is_reference, settings_of, stage_words


def aggregation_cautions(label: str, run: Run) -> Iterator[Caution]:
    """What a run's metric, method or epsilon is that its name does not say."""
    if run.header.method in PERSONAL:
        yield Caution(
            "personal models",
            f"{label}: metrics are the mean over the clients' own models, each on the same samples; there is no global "
            "model, so they do not compare with those of the others.",
        )
    if settings_of(run).scaffold:
        yield Caution(
            "adapted",
            f"{label}: SCAFFOLD's correction is added to the gradient before AdamW; the paper's is for SGD.",
            "note",
        )
    yield from _of_stages(label, run)
    yield from _of_privacy(label, run)
    if is_reference(run):
        yield Caution(
            "reference",
            f"{label}: one client trained on the data of all; it is not ranked, and its bytes are not counted.",
            "note",
        )


def _of_stages(label: str, run: Run) -> Iterator[Caution]:
    method, switch = run.header.method, settings_of(run).switch_round
    if method in FIRST_STAGE and run.rounds and run.rounds[-1].round <= switch:
        yield Caution(
            "first stage",
            f"{label} was in its first stage in all {len(run.rounds)} rounds ({stage_words(method, switch)}): its "
            "numbers are not those of the whole method.",
        )


def _of_privacy(label: str, run: Run) -> Iterator[Caution]:
    privacy = settings_of(run).privacy
    if privacy.kind != "none" and privacy.noise_multiplier == 0:
        yield Caution("epsilon", f"{label} clips and adds no noise: nothing is protected, so there is no epsilon.")
    spent = measures.spent(run)
    if spent and not spent.exact:
        yield Caution(
            "epsilon",
            f"{label}: a round draws a fixed number of clients, which the accountant does not know; its epsilon of "
            f"{units.significant(spent.epsilon)} is that of drawing each client by chance.",
        )
