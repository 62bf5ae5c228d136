"""Links to files: relative, only to what is there, and harmless whatever a folder is called."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from run_folders import demo, partition, write

from analysis.load import load_run
from analysis.raw_files import links_from


def test_a_run_has_a_link_to_each_file_that_is_there(tmp_path: Path) -> None:
    made = load_run(write(tmp_path / "runs" / "one", demo("federa", rounds=2)))
    links = links_from(tmp_path / "runs" / "reports" / "x" / "report.html", [made]).runs[made.header.run_id]
    assert [(link.label, link.address) for link in links] == [
        ("header", "../../one/header.json"),
        ("rounds", "../../one/rounds.jsonl"),
        ("clients", "../../one/clients.jsonl"),
    ]


def test_a_run_that_recorded_its_partition_has_a_link_to_it(tmp_path: Path) -> None:
    made = load_run(write(tmp_path / "one", demo("federa", rounds=2, holding=partition(3, 2))))
    links = links_from(made.path / "report.html", [made]).runs[made.header.run_id]
    assert [link.address for link in links] == ["header.json", "rounds.jsonl", "clients.jsonl", "partition.json"]


def test_a_copied_folder_keeps_its_links(tmp_path: Path) -> None:
    made = load_run(write(tmp_path / "here" / "one", demo("federa", rounds=2)))
    links = links_from(tmp_path / "here" / "report.html", [made]).runs[made.header.run_id]
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    assert all((tmp_path / "there" / link.address).is_file() for link in links)


def test_tables_and_figures_beside_the_page_are_found_by_their_names(tmp_path: Path) -> None:
    for name in ("tables/times.md", "tables/times.csv", "tables/notes.txt", "figures/figure-3.svg", "figures/x.min.js"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    links = links_from(tmp_path / "report.html", [])
    assert {name: [(link.label, link.address) for link in found] for name, found in links.tables.items()} == {
        "times": [("CSV", "tables/times.csv"), ("MD", "tables/times.md")]
    }
    assert [link.address for link in links.figures["figure-3"]] == ["figures/figure-3.svg"]
    assert list(links.figures) == ["figure-3"]


@pytest.mark.parametrize("name", ["javascript:alert(1)", "a#b?c d", '"><script>'])
def test_a_folder_with_a_strange_name_is_an_address_all_the_same(tmp_path: Path, name: str) -> None:
    if "/" in name:
        name = name.replace("/", "")
    made = load_run(write(tmp_path / name, demo("federa", rounds=2)))
    address = links_from(tmp_path / "report.html", [made]).runs[made.header.run_id][0].address
    assert not set(address) & set(':#?" <>')
