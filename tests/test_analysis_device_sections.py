"""The parts of a report that devices fill, and only they."""

from __future__ import annotations

import device_runs
import run_folders

from analysis.device_sections import MOST_DRAWN, device_blocks, energy_blocks, gantt_blocks
from analysis.parts import NO_LINKS, Charts, Folded, Link, Links, TablePart
from analysis.sections import sections_of


def test_a_run_without_sensors_and_events_has_none_of_them() -> None:
    runs = [run_folders.run(clients=[run_folders.client_record()])]
    for blocks in (energy_blocks, device_blocks, gantt_blocks):
        assert list(blocks(runs, NO_LINKS)) == []
    assert not {"energy", "agents"} & {section.anchor for section in sections_of(runs, ())}


def test_energy_has_its_tables_charts_and_rails() -> None:
    link = (Link("CSV", "x.csv"),)
    blocks = list(energy_blocks([device_runs.run(rounds=2)], Links(tables={"energy-to-target": link})))
    table = next(block for block in blocks if isinstance(block, TablePart))
    assert (table.table.name, table.links) == ("energy-to-target", link)
    (charts,) = (block for block in blocks if isinstance(block, Charts))
    assert [chart.name for chart in charts.charts] == ["metric-by-energy", "energy-by-method"]
    assert isinstance(blocks[-1], Folded)


def test_chosen_rounds_are_drawn_once_a_group_and_folded_where_there_are_many() -> None:
    two = list(gantt_blocks([device_runs.run(rounds=2, seed=seed) for seed in range(2)], NO_LINKS))
    assert sum(isinstance(block, Charts) for block in two) == 1
    three = list(gantt_blocks([device_runs.run(m, rounds=2) for m in device_runs.SPEED], NO_LINKS))
    assert isinstance(three[-1], Folded)
    assert len(three[-1].blocks) == 3 <= MOST_DRAWN
    charts = three[-1].blocks[0].charts
    assert [chart.method for chart in charts] == ["fedft"] * len(charts)
    assert charts[0].name == "round-1-of-fedft"


def test_every_anchor_of_a_report_of_devices_is_there_once() -> None:
    sections = sections_of([device_runs.run(m, rounds=2) for m in device_runs.SPEED], ())
    anchors = [section.anchor for section in sections]
    anchors += [entry.anchor for section in sections for entry in section.entries]
    assert len(anchors) == len(set(anchors))
    assert {"energy", "agents"} <= set(anchors)
