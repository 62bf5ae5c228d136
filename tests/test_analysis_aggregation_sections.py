"""The sections about aggregation: each only where it holds something."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import aggregation_runs
import msgspec
from run_folders import demo, partition

from analysis.aggregation.sections import MOST_DRAWN, MOST_OPEN, extra_tables
from analysis.load import Run, load_runs
from analysis.parts import Charts, Folded, Section, TablePart, Text
from analysis.report import write_report, write_tables
from analysis.sections import sections_of
from harness.profiles import PrivacyProfile

OURS = {"aggregating", "own-models", "privacy-spent"}


def shown(runs: list[Run]) -> dict[str, Section]:
    return {section.anchor: section for section in sections_of(runs, ())}


def test_runs_of_old_have_none_of_them() -> None:
    old = [demo(method, rounds=4, holding=partition()) for method in ("fedlr", "federa")]
    assert not OURS & set(shown(old))
    assert extra_tables(old) == ()


def test_each_stands_where_it_holds_something() -> None:
    assert OURS & set(shown([aggregation_runs.run("fedlr", own=False)])) == {"aggregating"}
    assert OURS & set(shown([aggregation_runs.run("fra")])) == {"aggregating", "own-models"}
    private = aggregation_runs.run("fra", own=False, privacy=PrivacyProfile(kind="server"))
    assert OURS & set(shown([private])) == {"aggregating", "privacy-spent"}


def test_tables_of_the_sections_are_those_that_are_written(tmp_path: Path) -> None:
    runs = [aggregation_runs.run("fra", privacy=PrivacyProfile(kind="dp-sgd")), aggregation_runs.run("central")]
    parts = [b for anchor in OURS for b in shown(runs)[anchor].blocks if isinstance(b, TablePart)]
    names = {"aggregation", "clients-own-metric", "privacy"}
    assert {part.table.name for part in parts} == names == {table.name for table in extra_tables(runs)}
    assert {file.stem for file in write_tables(runs, tmp_path)} >= names
    write_tables([demo("fedlr", rounds=2)], tmp_path)
    assert not names & {file.stem for file in tmp_path.iterdir()}


def test_no_figure_or_table_about_bytes_ranks_or_phases_of_the_paper_has_the_reference() -> None:
    found = shown([aggregation_runs.run(method) for method in ("fedlr", "fra", "central")])
    for anchor in ("bytes", "paper-figures"):
        charts = [c for block in found[anchor].blocks if isinstance(block, Charts) for c in block.charts]
        assert charts
        assert not any("central" in str(trace.get("meta")) for chart in charts for trace in chart.figure["data"])
    assert "bytes" not in shown([aggregation_runs.run("central")])


def test_many_clients_are_folded_and_not_all_are_drawn() -> None:
    made = aggregation_runs.run("fra", rounds=3)
    many = {client: {"accuracy": 0.5 + client / 100} for client in range(MOST_DRAWN + 6)}
    crowd = replace(made, rounds=tuple(msgspec.structs.replace(r, client_metrics=many) for r in made.rounds))
    section = shown([crowd])["own-models"]
    (opened,) = (block for block in section.blocks if isinstance(block, Charts))
    (folded,) = (block for block in section.blocks if isinstance(block, Folded))
    assert (len(opened.charts), len(folded.blocks[0].charts)) == (MOST_OPEN, MOST_DRAWN - MOST_OPEN)
    assert any(isinstance(b, Text) and f"first {MOST_DRAWN} of {MOST_DRAWN + 6}" in b.text for b in section.blocks)


def test_the_report_is_written_from_run_folders(tmp_path: Path) -> None:
    aggregation_runs.write(tmp_path, [aggregation_runs.run(method, rounds=3) for method in aggregation_runs.LOOKS])
    runs = load_runs([tmp_path]).runs
    assert [table.name for table in extra_tables(runs)] == ["aggregation", "clients-own-metric"]
    text = write_report(runs, tmp_path / "report.html").read_text(encoding="utf-8")
    for words in ("FRA then FFA", "FedSA-LoRA (personal)", "Centralised (reference)", "error-averaging", "client-2"):
        assert words in text
