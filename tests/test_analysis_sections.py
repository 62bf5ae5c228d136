"""A report's sections: each only if it holds something, every anchor once."""

from __future__ import annotations

from run_folders import QUESTIONS, demo, experiment, partition, run

from analysis.parts import Chart, Charts, Folded, Link, Links, Section, TablePart, Text
from analysis.sections import MOST_OF_A_FIGURE, MOST_OPEN, sections_of


def by_anchor(sections: tuple[Section, ...]) -> dict[str, Section]:
    return {section.anchor: section for section in sections}


def all_charts(section: Section) -> list[Chart]:
    blocks = [one for block in section.blocks for one in (block.blocks if isinstance(block, Folded) else (block,))]
    charts = [block.charts if isinstance(block, Charts) else (block,) for block in blocks]
    return [each for group in charts for each in group if isinstance(each, Chart)]


def test_one_run_has_the_sections_that_it_can_fill() -> None:
    found = by_anchor(sections_of([run(metrics=())], ()))
    for absent in ("seeds", "paper-figures", "paper-tables", "clients", "warnings"):
        assert absent not in found
    assert next(iter(found)) == "summary"
    assert {"time", "curves", "phases", "bytes", "failed-clients", "runs", "environment"} <= set(found)


def test_seeds_and_the_papers_figures_have_sections_where_they_hold_something() -> None:
    found = by_anchor(sections_of([demo("federa", rounds=6, seed=seed) for seed in range(2)], ()))
    assert any(isinstance(block, TablePart) for block in found["seeds"].blocks)
    assert all_charts(found["paper-figures"])


def test_tables_of_the_paper_are_shown_of_its_data_sets() -> None:
    of = experiment(model={"name": "roberta-base"}, dataset={"name": "20newsgroups"})
    found = by_anchor(sections_of([demo("federa", rounds=6, of=of)], ()))
    assert "paper-table-5" in [entry.anchor for entry in found["paper-tables"].entries]


def test_every_anchor_stands_once_whatever_is_shown() -> None:
    runs = [
        demo(method, of=QUESTIONS, holding=partition(3, clients)) for method, clients in (("fedlr", 2), ("federa", 3))
    ]
    sections = sections_of(runs, ())
    charts = [chart.name for section in sections for chart in all_charts(section)]
    tables = [block.table.name for s in sections for block in s.blocks if isinstance(block, TablePart)]
    anchors = [*charts, *tables, *(section.anchor for section in sections)]
    assert sorted(anchors) == sorted(set(anchors))


def test_the_divergence_of_clients_is_drawn_once_with_their_classes() -> None:
    found = by_anchor(sections_of([demo("federa", rounds=3, holding=partition(3, 2))], ()))
    assert [chart.name for chart in all_charts(found["clients"])] == ["figure-7-divergence", "classes"]
    assert not any("divergence" in chart.name for chart in all_charts(found["paper-figures"]))
    (pointer,) = (block for block in found["paper-figures"].blocks if isinstance(block, Text))
    assert pointer.link == Link("Clients and their classes", "#clients")


def test_maps_of_two_partitions_are_named_after_them() -> None:
    runs = [
        demo(method, rounds=3, holding=partition(3, 2, seed=seed)) for seed, method in enumerate(("fedlr", "federa"))
    ]
    assert [chart.name for chart in all_charts(by_anchor(sections_of(runs, ()))["clients"])] == [
        f"{name}-dirichlet-alpha-0.1-seed-{seed}" for seed in (0, 1) for name in ("figure-7-divergence", "classes")
    ]


def test_where_nobody_reached_anything_no_empty_figure_of_it_is_drawn() -> None:
    missed = [run((0.1,), method=method) for method in ("fedlr", "federa")]
    assert all_charts(by_anchor(sections_of(missed, ()))["time"]) == []
    reached = [*missed, run((0.75,), method="fedap")]
    assert [chart.name for chart in all_charts(by_anchor(sections_of(reached, ()))["time"])] == ["milestones"]


def test_the_rounds_of_a_run_are_named_after_it() -> None:
    section = by_anchor(sections_of([demo("federa", rounds=3, seed=seed) for seed in range(2)], ()))["phases"]
    assert [(chart.name, chart.title) for chart in all_charts(section)[1:]] == [
        (f"rounds-of-federa-seed-{seed}", f"FeDeRA seed {seed}, round by round") for seed in range(2)
    ]


def test_marks_of_settings_are_explained_below_the_legend() -> None:
    runs = [demo("federa", rounds=3, of=experiment(partition={"alpha": alpha})) for alpha in (0.1, 1.0)]
    found = by_anchor(sections_of(runs, ()))
    for anchor in ("curves", "bytes"):
        assert any(isinstance(block, Text) and block.text.startswith("Marks: ") for block in found[anchor].blocks)
    alone = by_anchor(sections_of(runs[:1], ()))["curves"]
    assert not any(isinstance(block, Text) for block in alone.blocks)


def test_rounds_of_many_runs_are_folded_and_none_is_missing() -> None:
    few = by_anchor(sections_of([demo("federa", rounds=3, seed=seed) for seed in range(2)], ()))["phases"]
    assert not any(isinstance(block, Folded) for block in few.blocks)
    many = [demo("federa", rounds=3, seed=seed) for seed in range(MOST_OPEN + 1)]
    folded = by_anchor(sections_of(many, ()))["phases"]
    assert isinstance(folded.blocks[-1], Folded)
    assert [chart.method for chart in all_charts(folded)].count("federa") == len(many)


def test_tables_figures_and_runs_have_the_links_that_were_found() -> None:
    made = demo("federa", rounds=3)
    link = (Link("CSV", "tables/x.csv"),)
    links = Links(tables={"transfers": link}, figures={"metric-by-time": link}, runs={made.header.run_id: link})
    found = by_anchor(sections_of([made], (), links))
    linked = {block.table.name: block.links for block in found["bytes"].blocks if isinstance(block, TablePart)}
    assert linked == {"transfers": link, "link-rates": ()}
    assert [chart.links for chart in all_charts(found["curves"]) if chart.name == "metric-by-time"] == [link]
    assert found["runs"].blocks[0].content[0][2] == link  # type: ignore[union-attr]


def test_of_a_figure_that_is_drawn_for_many_settings_the_first_few_are_open() -> None:
    alphas = [0.1, 0.5, 1.0, 5.0, 10.0, 50.0]
    runs = [demo("federa", rounds=3, of=experiment(partition={"alpha": alpha})) for alpha in alphas]
    section = by_anchor(sections_of(runs, ()))["paper-figures"]
    by_round = [chart.name for chart in all_charts(section) if chart.name.startswith("figure-3-")]
    assert len(by_round) == len(set(by_round)) == len(alphas)
    shown = [entry.anchor for entry in section.entries if entry.anchor.startswith("figure-3-")]
    assert shown == by_round[:MOST_OF_A_FIGURE]
    folded = [block.title for block in section.blocks if isinstance(block, Folded)]
    assert "Figure 3, 2 more charts" in folded
