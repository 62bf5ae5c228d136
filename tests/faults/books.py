"""Whether a run's books are right: what it recorded, what it kept, and the state it came to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from harness.blobs import blob_of
from harness.controller import training_seed
from harness.learning.aggregation.mean import weighted_mean
from harness.learning.trainer import NullTrainer
from harness.profiles import Experiment, build
from harness.records import RoundRecord
from harness.rounds import commands as c
from harness.rounds.plan import RunPlan
from harness.rounds.replay import replay
from harness.store import RunFolder


def check_books(run: Path) -> list[RoundRecord]:
    """Check a run that is done; its rounds.

    Every (round, client) that a round completed stands once in ``clients.jsonl`` and no other does; the events replay
    to the same records; no update of a closed round is left; each round's state is, bit for bit, the one that its
    completed clients' updates give, each counted once.
    """
    folder = RunFolder.open(run)
    header = folder.read_header()
    assert header.state == "done", header
    experiment = build(header.profile, str(run))
    rounds, clients = folder.read_rounds(), folder.read_clients()
    assert [record.round for record in rounds] == list(range(1, experiment.rounds.count + 1))
    counted = Counter((record.round, record.client) for record in clients)
    assert counted == Counter((record.round, client) for record in rounds for client in record.completed)
    assert set(counted.values()) == {1}
    _, orders = replay(RunPlan.of(experiment), folder.read_events())
    assert [order.record for order in orders if isinstance(order, c.WriteClient)] == clients
    assert [order.record for order in orders if isinstance(order, c.WriteRound)] == rounds
    assert not list((run / "updates").rglob("*.*"))
    assert blob_of(folder.checkpoint(len(rounds))).sha256 == rounds[-1].state_sha256
    if experiment.train.trainer == "null":
        assert [record.state_sha256 for record in rounds] == expected_states(folder, experiment, rounds)
    return rounds


def expected_states(folder: RunFolder, experiment: Experiment, rounds: list[RoundRecord]) -> list[str]:
    """The states' hashes that a null run comes to, given who took part in which round; computed anew from its start."""
    desk = folder.path.parent / "desk"
    desk.mkdir(exist_ok=True)
    state, hashes = folder.checkpoint(0), []
    for record in rounds:
        updates = []
        for client in sorted(record.completed):
            trainer = NullTrainer(experiment.train.null_noise)
            trainer.load(state, shard=state)
            trained = trainer.train(training_seed(experiment.seeds.training, record.round, client), record.round)
            trainer.save(update := desk / f"client-{client}")
            updates.append((update, trained.samples))
        new = desk / f"round-{record.round % 2}"
        hashes.append(weighted_mean(updates, new))
        state = new
    return hashes
