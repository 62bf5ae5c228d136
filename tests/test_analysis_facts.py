"""What the runs are: of which fleet their seconds are, what they share, where they differ."""

from __future__ import annotations

from run_folders import experiment, run

from analysis import facts
from harness.profiles import TrainSeconds

VIRTUAL = experiment(fleet="virtual")
TABLE = experiment(fleet="virtual", device={"name": "orin", "seconds": (TrainSeconds(train_s=3.0),)})


def test_a_virtual_fleet_is_said_to_be_none_that_was_measured() -> None:
    assert dict(facts.facts([run()]))["fleet"] == "agents: seconds measured"
    for of in (VIRTUAL, experiment(fleet="ray")):
        assert dict(facts.facts([run(of=of)]))["fleet"] == "virtual: seconds of profiles, not measured"
    assert facts.basis([run()]) == ()
    assert facts.basis([run(of=TABLE), run(method="fedlr", of=TABLE)]) == (
        "Seconds were not measured: they are those of the device profile orin and the link profile wifi, "
        "on a virtual clock.",
    )


def test_a_device_without_a_table_has_seconds_of_training_that_were_measured_here() -> None:
    (text,) = facts.basis([run(of=VIRTUAL)])
    assert text.startswith("Seconds of transfers were not measured")
    assert text.endswith("Seconds of training are those that it took on the machine that ran it.")
    slow = experiment(fleet="virtual", device={"slowdown": 3.0, "slower_than": "desk"})
    assert facts.basis([run(of=slow)])[0].endswith("on the machine that ran it, times 3.")
    assert facts.basis([run(of=experiment(fleet="ray"))])[0].endswith("it took on the Ray cluster that ran it.")


def test_where_some_runs_were_measured_the_others_are_counted() -> None:
    (text,) = facts.basis([run(), run(method="fedlr", of=TABLE)])
    assert text.startswith("Of 1 run of 2: Seconds were not measured")


def test_facts_list_what_differs_once() -> None:
    found = dict(facts.facts([run(), run(seed=1), run(of=experiment(link={"name": "lte"}))]))
    assert (found["link"], found["seeds"], found["model"]) == ("wifi, lte", "0, 1", "tiny")


def test_a_stand_in_is_named_with_what_it_stands_for() -> None:
    assert dict(facts.facts([run(of=experiment(model={"timed_as": "roberta-base"}))]))["model"] == (
        "tiny (timed as roberta-base)"
    )


def test_a_row_of_the_list_of_runs_says_where_agents_were_virtual() -> None:
    rows = [dict(zip(facts.RUN_COLUMNS, facts.run_row(run(of=of)), strict=True)) for of in (experiment(), VIRTUAL)]
    assert [row["agents"] for row in rows] == ["2", "virtual"]
    assert rows[0]["started"] == "2026-01-02 03:04"


def test_settings_stand_side_by_side_where_runs_differ() -> None:
    runs = [run(), run(method="fedlr")]
    found = facts.settings(runs, [{"cores": 2, "os": {"name": None}}, {"cores": 4, "os": {"name": None}}])
    assert [(s.key, s.values, s.differs) for s in found] == [
        ("cores", ("FeDeRA: 2", "FedLR: 4"), True),
        ("os.name", ("none",), False),
    ]
