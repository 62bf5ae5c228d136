"""The report's text: complete, escaped, self-contained."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from run_folders import QUESTIONS, demo, experiment, partition, round_record, run

from analysis.load import Run
from analysis.report import render, unbroken, write_report, write_tables
from harness.errors import StoreError
from harness.records import Failure

EVIL = "<script>alert('x')</script>"


def without_plotly(page: str) -> str:
    """The page without plotly's script, which is not ours to check."""
    return re.sub(r"<script>.{1000000,}?</script>", "", page, flags=re.DOTALL)


def test_the_page_holds_plotly_once_and_names_no_address_to_fetch() -> None:
    page = render([run()])
    assert page.count("plotly.js v") == 1
    ours = without_plotly(page)
    assert len(ours) < 100_000
    assert not re.search(r"(src|href)\s*=|url\(|@import|https?:", ours)
    assert "default-src 'none'" in ours


def test_every_text_of_a_run_is_escaped() -> None:
    made = run(
        method=EVIL,
        of=experiment(description=EVIL, target={"metric": EVIL}, train={"trainer": "null"}, model={"folder": EVIL}),
        run_id=EVIL,
        warnings=(EVIL,),
        state="failed",
        reason=EVIL,
        environment={EVIL: EVIL},
        started_at=EVIL,
    )
    failed = round_record(1, 0.8, failed=(Failure(client=1, agent=EVIL, reason=EVIL),))
    held = msgspec.structs.replace(partition(3, 2), kind=EVIL, classes=(EVIL, "b"))
    made = Run(made.header, (failed,), (), made.path, (EVIL,), held)
    page = without_plotly(render([made, run()], left_out=(EVIL,)))
    assert "alert(" in page
    assert "<script>alert" not in page
    assert "</script>alert" not in page


def test_clients_are_shown_once_for_runs_that_share_a_partition() -> None:
    page = without_plotly(render([demo(method, holding=partition(3, 2)) for method in ("fedlr", "federa")]))
    assert page.count("<figcaption>Divergence between clients; mean of pairs 0.548<") == 1
    assert 'class="whose"' not in page
    mixed = [demo("fedlr", holding=partition(3, 2)), demo("federa", holding=partition(4, 2)), demo("fedft")]
    assert re.findall(r'class="whose">(.*?)<', render(mixed)) == ["FedLR", "FeDeRA"]


def test_a_run_without_a_recorded_partition_has_no_such_section() -> None:
    assert "Clients and their classes" not in render([run()])


def test_each_target_has_its_headline_table_and_curves() -> None:
    page = render([demo(method, of=QUESTIONS) for method in ("fedlr", "federa")])
    assert re.findall(r'<div class="table" id="(time.*?)">', page) == ["time-to-target", "time-to-target-f1"]
    assert page.count('class="headline"') == 2
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert [caption for caption in captions if "rounds" in caption] == [
        "Exact match against rounds",
        "F1 against rounds",
    ]
    assert [caption for caption in captions if "bytes" in caption] == ["Exact match against bytes", "F1 against bytes"]


def test_without_failures_the_page_says_so() -> None:
    assert "Every chosen client completed its round." in render([run()])


def test_a_run_without_rounds_has_a_report() -> None:
    page = render([run(metrics=(), clock=None, parameters=None, svd_s=None, ship_s=None, init_s=None, agents=())])
    assert "FeDeRA never evaluated accuracy" in page


def test_a_number_and_its_unit_stay_on_one_line() -> None:
    assert unbroken("90 % after 5.0 s, 3 seeds") == "90\u00a0% after 5.0\u00a0s, 3 seeds"


def test_a_report_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match=r"report\.html cannot be written"):
        write_report([run()], tmp_path / "taken" / "report.html")
    with pytest.raises(StoreError, match="tables cannot be written"):
        write_tables([run()], tmp_path / "taken" / "tables")


def test_tables_are_written_as_csv_and_markdown_and_stale_ones_go(tmp_path: Path) -> None:
    (tmp_path / "failures.csv").write_text("of an earlier report")
    written = write_tables([run()], tmp_path)
    assert sorted(path.name for path in written) == [
        "round-phases.csv",
        "round-phases.md",
        "time-to-target.csv",
        "time-to-target.md",
        "transfers.csv",
        "transfers.md",
    ]
    assert sorted(tmp_path.iterdir()) == sorted(written)
