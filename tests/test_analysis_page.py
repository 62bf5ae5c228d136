"""The page: complete, escaped, self-contained."""

from __future__ import annotations

import re

import msgspec
from run_folders import QUESTIONS, demo, experiment, partition, round_record, run

from analysis.load import Run
from analysis.page import render, unbroken
from analysis.palette import STYLES
from analysis.parts import Link, Links
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
    assert not re.search(r"src\s*=|url\(|@import|https?:", ours)
    assert all(address.startswith("#") for address in re.findall(r'href="(.*?)"', ours))
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


def test_addresses_of_files_are_escaped_too() -> None:
    made = run()
    links = Links(runs={made.header.run_id: (Link(EVIL, '"><script>alert(1)</script>'),)})
    page = without_plotly(render([made], links=links))
    assert "alert(1)" in page
    assert "<script>alert" not in page


def test_every_address_within_the_page_leads_somewhere() -> None:
    page = without_plotly(render([demo(method, of=QUESTIONS) for method in ("fedlr", "federa")]))
    ids = re.findall(r' id="(.*?)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#(.*?)"', page)) <= set(ids)


def test_the_contents_name_every_section_in_order() -> None:
    page = without_plotly(render([demo("federa")]))
    listed = re.findall(r'^      <li><a href="#(.*?)"', page, flags=re.MULTILINE)
    assert listed == re.findall(r'<section id="(.*?)"', page)


def test_a_method_has_its_mark_beside_its_name_in_every_table() -> None:
    page = without_plotly(render([demo(method) for method in ("fedlr", "federa")]))
    cells = re.findall(r'<th scope="row".*?>(.*?)FedLR</th>', page)
    assert len(cells) == 5  # times, phases, bytes, rates down and up
    assert all(STYLES["fedlr"].colour in cell for cell in cells)


def test_clients_are_shown_once_for_runs_that_share_a_partition() -> None:
    page = without_plotly(render([demo(method, holding=partition(3, 2)) for method in ("fedlr", "federa")]))
    assert page.count("<figcaption>Figure 7: divergence between clients <") == 1
    assert page.count("mean of pairs 0.548") == 1
    assert 'class="whose"' not in page
    mixed = [demo("fedlr", holding=partition(3, 2)), demo("federa", holding=partition(4, 2)), demo("fedft")]
    assert re.findall(r'class="whose">(.*?)<', render(mixed)) == ["FedLR", "FeDeRA"]


def test_a_run_without_a_recorded_partition_has_no_such_section() -> None:
    assert "Clients and their classes" not in render([run()])


def test_each_target_has_its_headline_table_and_curves() -> None:
    page = render([demo(method, of=QUESTIONS) for method in ("fedlr", "federa")])
    assert re.findall(r'<div class="table" id="(time-.*?)">', page) == ["time-to-target", "time-to-target-f1"]
    assert page.count('class="headline"') == 2
    captions = [caption.strip() for caption in re.findall(r"<figcaption>(.*?)<a", page)]
    assert [caption for caption in captions if "against rounds" in caption] == [
        "Exact match against rounds",
        "F1 against rounds",
    ]
    assert [caption for caption in captions if "against bytes" in caption] == [
        "Exact match against bytes",
        "F1 against bytes",
    ]


def test_without_failures_the_page_says_so() -> None:
    assert "Every chosen client completed its round." in render([run()])


def test_a_run_without_rounds_has_a_report() -> None:
    page = render([run(metrics=(), clock=None, parameters=None, svd_s=None, ship_s=None, init_s=None, agents=())])
    assert "FeDeRA never evaluated accuracy" in page


def test_a_number_and_its_unit_stay_on_one_line() -> None:
    assert unbroken("90 % after 5.0 s, 3 seeds") == "90\u00a0% after 5.0\u00a0s, 3 seeds"
