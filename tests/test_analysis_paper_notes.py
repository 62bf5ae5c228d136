"""What a note says of the runs in a table of the paper."""

from __future__ import annotations

from paper_runs import curve, setting

from analysis.load import Run
from analysis.paper.cells import by_place, cells_of, stand_ins
from analysis.paper.notes import note, places_words

MICRO = setting(trained="micro")


def noted(*runs: Run) -> str:
    return note(["What it shows."], by_place(cells_of(runs)))


def test_the_papers_own_setting_needs_its_clock_alone() -> None:
    assert noted(curve("federa", {2: 0.8})) == (
        "What it shows. n/a: no run of ours. Ours: critical path, virtual: device table8, link table8."
    )


def test_a_stand_in_is_named_and_what_it_reaches_is_not_the_papers() -> None:
    text = noted(curve("federa", {2: 0.8}, of=MICRO))
    assert "link table8; trained on micro, timed as roberta-base." in text
    assert "A stand-in's metrics, bytes and parameters are its own" in text


def test_a_stand_in_among_others_is_named_with_its_method() -> None:
    text = noted(curve("federa", {2: 0.8}, of=MICRO), curve("fedlr", {2: 0.8}))
    assert "FeDeRA of RoBERTa on 20News: trained on micro" in text


def test_runs_on_agents_are_told_from_those_of_a_virtual_fleet() -> None:
    agents = setting("debertav3-base", fleet="zeromq", link={"name": "wifi"}, device={"name": "orin"})
    text = noted(curve("federa", {2: 0.8}), curve("federa", {2: 0.8}, of=agents, clock="wall"))
    assert "RoBERTa on 20News: critical path, virtual: device table8, link table8." in text
    assert "DeBERTaV3 on 20News: wall, on agents: device orin, link wifi." in text


def test_the_number_of_runs_is_said_where_there_are_several() -> None:
    seeds = [curve("federa", {2: 0.8}, seed=seed) for seed in (0, 1)]
    assert "2 runs a cell." in noted(*seeds)
    assert "1 to 2 runs a cell." in noted(*seeds, curve("fedlr", {2: 0.8}))


def test_a_choice_among_settings_is_said() -> None:
    ten = curve("federa", {2: 0.8}, of=setting(partition={"alpha": 10.0}), run_id="ten")
    text = noted(curve("federa", {2: 0.8}), ten)
    assert "the one closest to the paper's is shown" in text
    assert text.endswith(": FeDeRA alpha 0.1.")


def test_a_table_of_seconds_says_nothing_of_targets() -> None:
    made = curve("federa", {2: 0.8}, of=setting(trained="micro", target={"value": 0.5}))
    text = note([], by_place(cells_of([made])), stand_ins)
    assert "timed as" in text
    assert "target accuracy" not in text


def test_places_are_named_once_for_all_their_methods() -> None:
    cells = by_place(cells_of([curve(method, {2: 0.8}) for method in ("fedft", "fedlr", "federa")]))
    assert places_words(cells, cells) == "RoBERTa on 20News"
    assert places_words(cells[1:], cells) == "FedLR and FeDeRA of RoBERTa on 20News"
