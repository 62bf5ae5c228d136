"""What the round machine needs to know of an experiment, before anything happens."""

from __future__ import annotations

import math

import msgspec

from harness.profiles import Experiment

BESIDE = (
    "evaluate.overlap=always: states are evaluated on the machine whose seconds are measured, beside the next round; "
    "these are longer for it, so leave evaluate.overlap out to measure them"
)
ROUNDING = 1e-9
"""A quorum of 0.55 of 100 clients is 55, although 0.55 * 100 is a little more than 55 in binary."""


class RunPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one run. See :class:`harness.profiles.RoundsProfile` for what quorum and attempts mean.

    ``agents`` are awaited for ``join_timeout_s`` before the run starts, and again whenever all of them are gone.
    ``evaluated`` is False where there is nothing to evaluate (the null trainer). ``virtual`` agents have no host.
    """

    rounds: int
    clients: int
    clients_per_round: int
    over_selection: int = 0
    cohort_seed: int
    deadline_s: float
    quorum: float
    max_extensions: int
    max_attempts: int
    agents: int
    join_timeout_s: float
    evaluate_every: int
    evaluated: bool
    virtual: bool = False

    @classmethod
    def of(cls, experiment: Experiment, method: str | None = None) -> RunPlan:
        """The rules that a resolved profile gives; to ``central`` all clients are one."""
        central = method == "central"
        rounds, agents = experiment.rounds, experiment.agents
        return cls(
            rounds=rounds.count,
            clients=1 if central else experiment.partition.clients,
            clients_per_round=1 if central else rounds.clients_per_round,
            over_selection=0 if central else rounds.over_selection,
            cohort_seed=experiment.seeds.cohort,
            deadline_s=rounds.deadline_s,
            quorum=rounds.quorum,
            max_extensions=rounds.max_extensions,
            max_attempts=rounds.max_attempts,
            agents=1 if central else experiment.agents_awaited,
            join_timeout_s=agents.join_timeout_s,
            evaluate_every=experiment.evaluate.every,
            evaluated=experiment.train.trainer != "null",
            virtual=experiment.virtual,
        )

    @property
    def chosen(self) -> int:
        """How many clients are chosen for a round; the first ``clients_per_round`` updates of theirs are enough."""
        return self.clients_per_round + self.over_selection

    @property
    def needed(self) -> int:
        """How many updates make a round worth aggregating: a part of ``clients_per_round``, and at least one."""
        return max(1, math.ceil(self.quorum * self.clients_per_round - ROUNDING))

    def evaluates(self, round: int) -> bool:
        """Whether a round is evaluated: every so many, and the last one in any case."""
        return self.evaluated and (round % self.evaluate_every == 0 or round == self.rounds)


def overlaps(experiment: Experiment, *, agents_here: bool) -> bool:
    """Whether states are evaluated while the next round trains, by ``evaluate.overlap``.

    Where the profile leaves it open: if that makes no seconds longer which are measured. Those of training are where
    agents are started on this machine (``agents_here``), and where a virtual device has no table of them; so are those
    of aggregation, there, without an entry for the server.
    """
    if experiment.evaluate.overlap != "auto":
        return experiment.evaluate.overlap == "always"
    device = experiment.device
    if experiment.virtual:
        return bool(device.seconds) and device.server.aggregate_s is not None
    return not agents_here


def disturbing(experiment: Experiment, *, agents_here: bool) -> str | None:
    """A warning where states are evaluated beside the next round although that makes measured seconds longer."""
    usual = msgspec.structs.replace(experiment.evaluate, overlap="auto")
    undisturbed = overlaps(msgspec.structs.replace(experiment, evaluate=usual), agents_here=agents_here)
    evaluated = experiment.train.trainer != "null"
    return BESIDE if evaluated and not undisturbed and overlaps(experiment, agents_here=agents_here) else None
