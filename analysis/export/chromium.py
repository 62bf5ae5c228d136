"""Pictures of plotly figures, drawn by a Chromium that stands on this machine: one start for all of them.

A page of our own draws each figure and leaves the pictures in its document, which ``--dump-dom`` prints. The page's
policy forbids it to fetch anything but the script beside it.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

from plotly.offline import get_plotlyjs

from analysis.export.printed import Printed
from harness.errors import FederaBenchError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless_shell")
PIXELS_A_POINT = {"svg": 1, "png": 2}
"""The formats, and how many pixels of a picture one of the figure's has each way."""
START_S, PICTURE_S = 60.0, 10.0
"""Until a browser that says nothing is given up: so long, and so much more for each picture."""

_FLAGS = (
    "--headless",
    "--no-sandbox",  # there is none in most containers, and the page is our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    # Without it the document is printed as soon as it is loaded; it ends when nothing is left to do, long before.
    "--virtual-time-budget=100000000",
    "--dump-dom",
)
_PAGE = """<!doctype html><html><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src file: 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<script src="plotly.min.js"></script></head><body>
<script type="application/json">%s</script>
<script>
(async () => {
  const { figures, formats } = JSON.parse(document.querySelector("script[type]").textContent);
  for (const [place, { figure, width, height }] of figures.entries()) {
    for (const [format, scale] of Object.entries(formats)) {
      const drawn = document.createElement("pre");
      drawn.id = `${format}-${place}`;
      try { drawn.textContent = await Plotly.toImage(figure, { format, width, height, scale }); }
      catch (error) { drawn.textContent = String(error); }
      document.body.append(drawn);
    }
  }
})();
</script></body></html>"""


def find_browser() -> Path | None:
    """The first Chromium or Chrome on the path; None if there is none."""
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


def pictures(browser: Path, figures: Sequence[Printed], formats: Sequence[str]) -> list[dict[str, bytes]]:
    """The figures as files' contents, by format: "svg", "png" with two pixels for each of the figure's.

    Raises:
        FederaBenchError: the browser did not start, or did not draw all of them.
    """
    with TemporaryDirectory(prefix="federa-bench-") as folder:
        page = Path(folder, "figures.html")
        page.write_text(_PAGE % _as_json(figures, formats), encoding="utf-8")
        Path(folder, "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
        dom = _dumped(browser, page, START_S + PICTURE_S * len(figures) * len(formats))
    drawn = dict(re.findall(r'<pre id="([a-z]+-\d+)">([^<]*)</pre>', dom))
    return [
        {name: _decoded(browser, figure, drawn.get(f"{name}-{at}")) for name in formats}
        for at, figure in enumerate(figures)
    ]


def _as_json(figures: Sequence[Printed], formats: Sequence[str]) -> str:
    listed = [{"figure": each.figure, "width": each.width_px, "height": each.height_px} for each in figures]
    whole: Mapping[str, Any] = {"figures": listed, "formats": {name: PIXELS_A_POINT[name] for name in formats}}
    return json.dumps(whole).replace("<", "\\u003c")  # a name in a run must not end the script


def _dumped(browser: Path, page: Path, patience_s: float) -> str:
    """The document of a page when all is done."""
    command = [str(browser), *_FLAGS, f"--user-data-dir={page.parent / 'profile'}", page.as_uri()]
    try:
        done = subprocess.run(command, capture_output=True, timeout=patience_s, check=True)
    except subprocess.TimeoutExpired:
        raise FederaBenchError(
            f"{browser} drew nothing within {patience_s:.0f} s; close other programs, or give --formats html"
        ) from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise FederaBenchError(f"{browser} could not draw the figures ({error}); give --formats html") from None
    return done.stdout.decode(errors="replace")


def _decoded(browser: Path, figure: Printed, drawn: str | None) -> bytes:
    """The content of a data URL."""
    kind, comma, data = (drawn or "").partition(",")
    if not (kind.startswith("data:image/") and comma):
        raise FederaBenchError(
            f"{browser} did not draw the figure {figure.name} ({(drawn or 'no picture')[:120]}); give --formats html"
        )
    return base64.b64decode(data) if kind.endswith("base64") else unquote(data).encode()
