"""Each warning appears when it should, as one sentence, and only then."""

from __future__ import annotations

import msgspec
from run_folders import QUESTIONS, client_record, demo, experiment, round_record, run

from analysis.caution import grouped
from analysis.load import Run
from analysis.warnings import cautions
from harness.profiles import AgentsProfile, MethodProfile
from harness.records import Failure

REACHED = (0.5, 0.8)


def said(*runs: Run) -> dict[str, str]:
    return {caution.kind: caution.text for caution in cautions(runs)}


def test_a_run_without_fault_is_not_warned_about() -> None:
    assert said(run(REACHED, clients=[client_record()])) == {}


def test_fractions_that_were_not_reached_are_named_with_the_best_value() -> None:
    assert said(run((0.5, 0.73))) == {
        "not reached": "FeDeRA did not reach 95 % and 99 % of accuracy 0.8 in 2 rounds; its best was 0.7300."
    }


def test_each_target_that_was_missed_is_said() -> None:
    texts = [caution.text for caution in cautions([demo("fedbf", of=QUESTIONS)]) if caution.kind == "not reached"]
    assert len(texts) == 2
    assert "of exact match 0.65 in 30 rounds" in texts[0]
    assert "of F1 0.8 in 30 rounds" in texts[1]


def test_a_metric_that_was_never_evaluated_is_said() -> None:
    assert "never evaluated accuracy" in said(run((None, None)))["not reached"]


def test_a_trainer_without_a_core_of_its_own_is_oversubscribed() -> None:
    crowded = [client_record(train_s=2.0, train_cpu_s=1.0)] * 3
    assert "(medians: FeDeRA 50 %)" in said(run(REACHED, clients=crowded))["oversubscribed"]
    both = [run(REACHED, method=method, clients=crowded) for method in ("fedlr", "federa")]
    assert "(medians: FedLR 50 % and FeDeRA 50 %)" in said(*both)["oversubscribed"]
    settled = [client_record(train_s=2.0, train_cpu_s=1.6)]
    assert said(run(REACHED, clients=settled)) == {}


def test_the_null_trainer_uses_no_processor_and_is_not_oversubscribed() -> None:
    crowded = [client_record(train_s=2.0, train_cpu_s=0.0)]
    found = said(run((None, None), clients=crowded, of=experiment(train={"trainer": "null"})))
    assert found == {
        "null trainer": "FeDeRA used the null trainer: it measures the harness itself and has nothing to evaluate."
    }


def test_what_the_run_itself_warned_about_is_repeated_once() -> None:
    both = [run(REACHED, method=method, warnings=("2 agents share 1 core",)) for method in ("fedlr", "federa")]
    assert [caution.text for caution in cautions(both)] == ["2 agents share 1 core."]


def test_failed_clients_are_counted_with_their_reasons() -> None:
    made = run(REACHED)
    lost, full = Failure(client=1, agent="a", reason="lost"), Failure(client=2, agent="b", reason="out of memory.")
    rounds = (round_record(1, 0.8, failed=(lost, full)), round_record(2, 0.8, failed=(lost,)))
    text = said(Run(made.header, rounds, (), made.path))["failed clients"]
    assert text == (
        "FeDeRA: 3 clients failed in 2 rounds: lost (2); out of memory (1). The clock counts no second that was "
        "spent on them, or waited for them."
    )


def test_agents_that_did_not_come_are_counted() -> None:
    text = said(run(REACHED, of=experiment(agents=AgentsProfile(count=4))))["agents"]
    assert "2 of 4 agents came" in text


def test_a_link_that_did_not_give_its_rate_is_named_by_direction() -> None:
    slow = [client_record(upload_bps=15e6)]
    text = said(run(REACHED, clients=slow))["links"]
    assert text.startswith("Links off their profile: FeDeRA's uplink 15.0 of 25.0 Mbit/s (medians)")
    assert said(run(REACHED, clients=[client_record(upload_bps=22.6e6)])) == {}
    assert "links" in said(run(REACHED, clients=[client_record(download_bps=28e6)]))


def test_an_unfinished_a_failed_and_an_interrupted_run_are_told_apart() -> None:
    assert said(run(REACHED, state="running"))["unfinished"] == "FeDeRA is not finished: 2 of 30 rounds are recorded."
    failed = said(run(REACHED, state="failed", reason="a disk is full."))["unfinished"]
    assert failed == "FeDeRA failed after 2 of 30 rounds: a disk is full."
    assert "was interrupted after 2 of 30" in said(run(REACHED, state="interrupted"))["unfinished"]


def test_mixed_profiles_are_named_by_key_but_seeds_may_differ() -> None:
    other = run(REACHED, method="fedlr", of=experiment(target={"value": 0.7}))
    assert said(run(REACHED), other)["profiles"] == "The runs do not share one profile; what differs: target.value."


def test_settings_of_methods_that_did_not_run_are_no_difference() -> None:
    """Both profiles set the rank of FedLR too, which neither run trained."""
    ranks = [
        msgspec.structs.replace(experiment(), methods={name: MethodProfile(rank=rank) for name in ("fedlr", "federa")})
        for rank in (3, 32)
    ]
    text = said(*(run(REACHED, of=of) for of in ranks))["profiles"]
    assert text == "The runs do not share one profile; what differs: methods.federa.rank."


def test_a_name_and_a_description_tell_no_profiles_apart() -> None:
    renamed = run(REACHED, of=experiment(name="other", description="The same under another name."))
    assert "profiles" not in said(run(REACHED), renamed)
    assert said(run(REACHED), run(REACHED, seed=1, of=experiment(seeds={"cohort": 1, "training": 1}))) == {}


def test_different_clocks_are_not_to_be_compared() -> None:
    found = said(run(REACHED), run(REACHED, method="fedlr", clock="wall"))
    assert "different clocks (critical path and wall)" in found["clocks"]


def test_warm_up_is_one_note_after_the_warnings() -> None:
    warm = [client_record(warm_up=True), client_record(client=2, warm_up=True)]
    found = cautions([run((0.5,), clients=warm), run(REACHED, method="fedlr", clients=warm)])
    assert [caution.level for caution in found] == ["warning", "note"]
    assert found[-1].text.startswith("4 updates of round 1 (FeDeRA and FedLR) came from trainers")


def test_what_could_not_be_read_is_said() -> None:
    made = run(REACHED)
    torn = Run(made.header, made.rounds, (), made.path, notes=("rounds.jsonl: the last line is unfinished.",))
    assert said(torn)["records"] == "FeDeRA: rounds.jsonl: the last line is unfinished."
    assert cautions([made], ["A run was left out: x"])[0].text == "A run was left out: x"


def test_a_virtual_fleet_is_not_warned_about_cores_links_and_agents_that_it_does_not_have() -> None:
    crowded = [client_record(train_s=2.0, train_cpu_s=1.0, upload_bps=15e6, warm_up=True)]
    found = cautions([run(REACHED, clients=crowded, agents=("one",), of=experiment(fleet="virtual"))])
    assert [(caution.kind, caution.level) for caution in found] == [("virtual clock", "note")]
    assert {"agents", "oversubscribed", "links", "warm-up"} <= set(said(run(REACHED, clients=crowded, agents=("one",))))


def test_a_stand_in_is_a_warning_that_its_accuracies_are_its_own() -> None:
    of = experiment(fleet="virtual", model={"timed_as": "roberta-base"}, dataset={"timed_as": "20newsgroups"})
    found = cautions([run(REACHED, of=of), run(REACHED, method="fedlr", of=of)])
    texts = [(caution.text, caution.level) for caution in found if caution.kind == "stand-in"]
    assert texts == [
        (
            "A stand-in was trained, tiny in place of roberta-base and topics in place of 20newsgroups: accuracies "
            "are those of the stand-in, the seconds of tables are those of roberta-base and 20newsgroups.",
            "warning",
        )
    ]
    assert "stand-in" not in said(run(REACHED, of=experiment(model={"timed_as": "tiny"})))


def test_seeds_are_counted_and_not_named_one_by_one() -> None:
    crowded = [client_record(train_s=2.0, train_cpu_s=1.0, upload_bps=15e6, warm_up=True)]
    found = said(*[run(REACHED, seed=seed, clients=crowded) for seed in range(5)])
    assert "(medians: FeDeRA 50 % in 5 of 5 runs)" in found["oversubscribed"]
    assert "FeDeRA's uplink 15.0 of 25.0 Mbit/s in 5 of 5 runs" in found["links"]
    assert found["warm-up"].startswith("5 updates of round 1 came from")


def test_cautions_are_grouped_by_kind_the_gravest_first_and_notes_last() -> None:
    runs = [run((0.5, 0.73), seed=seed, clients=[client_record(warm_up=True)]) for seed in range(3)]
    groups = grouped(cautions([*runs, run(REACHED, method="fedlr", clock="wall")], ["A run was left out: x"]))
    assert [(group.kind, group.level, len(group.texts)) for group in groups] == [
        ("left out", "warning", 1),
        ("clocks", "warning", 1),
        ("not reached", "warning", 3),
        ("warm-up", "note", 1),
    ]
