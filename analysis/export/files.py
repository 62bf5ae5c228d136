"""Writes figures as files: pages that share one plotly.min.js, SVG and PNG. Nothing in them asks a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from analysis.export.chromium import PIXELS_A_POINT, pictures
from analysis.export.printed import Plate, Printed, plates_of, printed
from analysis.load import Run
from analysis.sections import sections_of
from harness.errors import FederaBenchError, UsageError, not_written

FORMATS = ("html", *PIXELS_A_POINT)
SCRIPT = "plotly.min.js"
NEEDED = "SVG and PNG files are drawn by a browser and there is none on the path; install chromium"


@dataclass(frozen=True)
class Exported:
    """The files that were written, and in ``note`` a sentence about those that could not be; "" if there is none."""

    files: tuple[Path, ...]
    note: str = ""

    @property
    def words(self) -> str:
        """How many files of which formats: "31 HTML, 31 SVG"."""
        return ", ".join(
            f"{number} {suffix[1:].upper()}" for suffix, number in Counter(file.suffix for file in self.files).items()
        )


def formats_of(text: str) -> tuple[str, ...]:
    """The formats in a list such as "html,svg", in their usual order.

    Raises:
        UsageError: one of them is not known, or there is none.
    """
    asked = [word.strip().lower() for word in text.split(",") if word.strip()]
    if unknown := [word for word in asked if word not in FORMATS]:
        raise UsageError(f"--formats: '{unknown[0]}' is no format; choose from: {', '.join(FORMATS)}")
    if not asked:
        raise UsageError(f"--formats names no format; choose from: {', '.join(FORMATS)}")
    return tuple(name for name in FORMATS if name in asked)


def plates(runs: Sequence[Run]) -> tuple[Plate, ...]:
    """Every figure of the report of these runs."""
    return plates_of(sections_of(runs, ()))


def write_figures(
    plates: Sequence[Plate], out_dir: Path, browser: Path | None, formats: Sequence[str] = ()
) -> Exported:
    """Write each figure into ``out_dir`` in each of the formats; without formats in all that can be made here.

    Raises:
        UsageError: a format was asked for that needs a browser, and there is none.
        FederaBenchError: a file cannot be written, or the browser did not draw; the latter is said in a note instead
            where no format was asked for.
    """
    wanted = tuple(formats or FORMATS)
    drawn_formats = tuple(name for name in wanted if name in PIXELS_A_POINT)
    if formats and drawn_formats and browser is None:
        raise UsageError(f"{NEEDED}, or give --formats html")
    figures = [printed(plate) for plate in plates]
    drawn, note = _drawn(browser, figures, drawn_formats, bool(formats))
    try:
        return Exported(tuple(_write(figures, drawn, out_dir, "html" in wanted)), note)
    except OSError as error:
        raise not_written(f"{out_dir}: figures", error, "give another folder") from None


def _drawn(
    browser: Path | None, figures: Sequence[Printed], formats: Sequence[str], asked: bool
) -> tuple[list[dict[str, bytes]], str]:
    """Pictures of the figures, by format, and what to say where there are none."""
    nothing: list[dict[str, bytes]] = [{} for _ in figures]
    if not formats or not figures:
        return nothing, ""
    if browser is None:
        return nothing, f"{NEEDED} and run this again. HTML was written."
    try:
        return pictures(browser, figures, formats), ""
    except FederaBenchError as error:
        if asked:
            raise
        return nothing, f"{error}. HTML was written."


def _write(figures: Sequence[Printed], drawn: Sequence[dict[str, bytes]], out_dir: Path, pages: bool) -> list[Path]:
    """Write the files; those of the same names that an earlier report left in other formats go."""
    out_dir.mkdir(parents=True, exist_ok=True)
    written = []
    if pages and figures:
        (out_dir / SCRIPT).write_text(get_plotlyjs(), encoding="utf-8")
    for figure, pictures_of_it in zip(figures, drawn, strict=True):
        contents = {"html": _page(figure).encode()} if pages else {}
        contents |= pictures_of_it
        for name in FORMATS:
            path = out_dir / f"{figure.name}.{name}"
            path.unlink(missing_ok=True)
            if name in contents:
                path.write_bytes(contents[name])
                written.append(path)
    return written


def _page(figure: Printed) -> str:
    environment = Environment(loader=PackageLoader("analysis"), autoescape=True, undefined=StrictUndefined)
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
    return environment.get_template("figure.html").render(figure=figure, script=SCRIPT)
