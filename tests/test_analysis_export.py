"""Figures as files: what is written, what is in it, and what is said where there is no browser."""

from __future__ import annotations

import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import sync_playwright
from run_folders import DEMO, demo, partition

from analysis.export.chromium import PIXELS_A_POINT, find_browser, pictures
from analysis.export.files import FORMATS, SCRIPT, formats_of, plates, write_figures
from analysis.export.printed import Plate, printed
from analysis.parts import chart
from analysis.plots import Drawn, blank
from harness.errors import FederaBenchError, UsageError

BROWSER = find_browser()
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: install chromium to run this")
SVG = "{http://www.w3.org/2000/svg}"
ALL = tuple(demo(method, rounds=4, holding=partition(6, 3)) for method in DEMO)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All figures of five methods, in all formats."""
    folder = tmp_path_factory.mktemp("figures")
    written = write_figures(plates(ALL), folder, BROWSER, FORMATS)
    assert written.note == ""
    assert len(written.files) == len(FORMATS) * len(plates(ALL))
    return folder


def some(name: str = "one", title: str = "One") -> Plate:
    return Plate(chart(Drawn(name, title, "It shows one.", blank("x", "y"))))


def test_every_figure_of_report_and_paper_is_there_once() -> None:
    reached = [demo(method, holding=partition(6, 3)) for method in DEMO]
    names = [plate.chart.name for plate in plates(reached)]
    assert len(names) == len(set(names))
    assert {"metric-by-time", "bytes-by-round", "mean-round", "milestones", "classes"} <= set(names)
    assert {"figure-3-metric-by-round", "figure-7-divergence", "figure-9-budget-of-bytes"} <= set(names)


@needs_browser
def test_an_svg_is_xml_that_names_the_methods(exported: Path) -> None:
    root = ElementTree.parse(exported / "figure-3-metric-by-round.svg").getroot()
    assert root.tag == f"{SVG}svg"
    words = {"".join(text.itertext()) for text in root.iter(f"{SVG}text")}
    assert {"FedFT", "FedBF", "FedAP", "FedLR", "FeDeRA", "round", "accuracy", "99 %"} <= words


@needs_browser
def test_a_png_has_two_pixels_for_each_of_the_figure(exported: Path) -> None:
    for plate in plates(ALL):
        made = printed(plate)
        data = (exported / f"{made.name}.png").read_bytes()
        assert data.startswith(b"\x89PNG\r\n")
        assert struct.unpack(">II", data[16:24]) == (2 * made.width_px, 2 * made.height_px), made.name
        assert len(data) > 5000, made.name


@needs_browser
def test_a_page_draws_and_asks_for_nothing_but_the_script_beside_it(exported: Path) -> None:
    said, asked = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--headless", "--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((exported / "figure-3-metric-by-round.html").as_uri())
        assert page.locator(".legendtext").all_text_contents() == ["FedFT", "FedBF", "FedAP", "FedLR", "FeDeRA"]
        assert "Figure 3" in page.locator("body").inner_text()
        browser.close()
    assert said == []
    assert sorted(asked) == [(exported / name).as_uri() for name in ("figure-3-metric-by-round.html", SCRIPT)]


@needs_browser
def test_what_a_run_calls_itself_is_shown_and_never_run(tmp_path: Path) -> None:
    evil = "</script><script>document.body.innerHTML = ''</script><img src=x>"
    plate = Plate(chart(Drawn("evil", evil, evil, blank(evil, "y"))))
    written = write_figures([plate], tmp_path, BROWSER, FORMATS)
    assert [file.suffix for file in written.files] == [".html", ".svg", ".png"]
    page = (tmp_path / "evil.html").read_text()
    assert "<img" not in page
    assert page.count("</script>") == 3


def test_pages_share_one_script(tmp_path: Path) -> None:
    write_figures([some("one"), some("two")], tmp_path, None, ("html",))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one.html", SCRIPT, "two.html"]
    assert (tmp_path / "one.html").stat().st_size < 20_000
    assert f'src="{SCRIPT}"' in (tmp_path / "one.html").read_text()


def test_without_a_browser_there_are_pages_and_a_sentence(tmp_path: Path) -> None:
    written = write_figures([some()], tmp_path, None)
    assert [file.name for file in written.files] == ["one.html"]
    assert written.words == "1 HTML"
    assert written.note == (
        "SVG and PNG files are drawn by a browser and there is none on the path; install chromium and run this again. "
        "HTML was written."
    )


def test_a_format_that_was_asked_for_and_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="install chromium, or give --formats html"):
        write_figures([some()], tmp_path / "none", None, ("html", "svg"))
    assert not (tmp_path / "none").exists()


def test_a_browser_that_does_not_draw_is_said(tmp_path: Path) -> None:
    """A program that ends at once stands for one that breaks."""
    broken = Path("/bin/false")
    written = write_figures([some()], tmp_path, broken)
    assert [file.suffix for file in written.files] == [".html"]
    assert written.note.startswith("/bin/false could not draw the figures")
    with pytest.raises(FederaBenchError, match="could not draw the figures"):
        write_figures([some()], tmp_path, broken, ("png",))
    with pytest.raises(FederaBenchError, match=r"did not draw the figure one \(no picture\)"):
        pictures(Path("/bin/true"), [printed(some())], tuple(PIXELS_A_POINT))


def test_files_of_an_earlier_report_do_not_stay_beside_new_ones(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"old")
    (tmp_path / "mine.png").write_bytes(b"kept")
    write_figures([some()], tmp_path, None, ("html",))
    assert sorted(file.name for file in tmp_path.glob("*.png")) == ["mine.png"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="figures cannot be written: a file stands where a folder"):
        write_figures([some()], tmp_path / "file", None)


def test_formats_are_a_list_in_any_order() -> None:
    assert formats_of("PNG, html") == ("html", "png")
    with pytest.raises(UsageError, match="'pdf' is no format; choose from: html, svg, png"):
        formats_of("pdf")
    with pytest.raises(UsageError, match="names no format"):
        formats_of(",")
