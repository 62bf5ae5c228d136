"""What privacy a run has spent by a round: its clients' records as the accountant wants them."""

from __future__ import annotations

from collections.abc import Iterable

from harness.learning.accounting import most_spent, rate_of, spent
from harness.profiles import PrivacyProfile
from harness.records import ClientRecord, PrivacySpent
from harness.rounds.plan import RunPlan


def spent_until(
    round: int, privacy: PrivacyProfile, plan: RunPlan, batch_size: int, clients: Iterable[ClientRecord]
) -> PrivacySpent | None:
    """The (epsilon, delta) at the end of ``round``; None where there is no bound, or no privacy.

    ``clients`` are the updates that were aggregated. With ``dp-sgd`` it is that of the client that spent most: each
    draws ``batch_size`` of its samples in the mean, at every step of the rounds it took part in. At the server each
    round is a step on the clients drawn, those beyond need too: a fast one is aggregated whenever it is drawn. Since a
    fixed number of them is, that is exact where it is all of them.
    """
    if privacy.kind == "none":
        return None
    if privacy.kind == "server":
        exact = plan.clients_per_round == plan.clients
        return spent(privacy, plan.chosen / plan.clients, round, "client", exact=exact)
    return most_spent(privacy, shares(clients, round, batch_size), "sample")


def shares(clients: Iterable[ClientRecord], round: int, batch_size: int) -> list[tuple[float, int]]:
    """Of each client that took part until ``round``: the rate at which it draws its samples, and its steps."""
    samples: dict[int, int] = {}
    steps: dict[int, int] = {}
    for record in clients:
        if record.round <= round:
            samples[record.client] = record.samples
            steps[record.client] = steps.get(record.client, 0) + record.steps
    return [(rate_of(samples[client], batch_size), steps[client]) for client in sorted(samples)]
