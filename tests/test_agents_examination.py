"""The doctor in a process of its own: a quick one, a broken one, one that never comes back, and the real one."""

import select
import sys
import time

from agents.examination import LONGEST_S, Examination, command_of
from harness.doctor import Finding


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def waited(it: Examination) -> Examination:
    began_s = time.monotonic()
    while not it.over and time.monotonic() - began_s < 300.0:  # a doctor waits for all others on a busy machine
        it.heard(set(select.select(it.fds, [], [], 30.0)[0]), 0.0)
    it.end()
    return it


def test_findings_are_there_when_the_doctor_is_done() -> None:
    it = waited(Examination(python('print(\'[{"name": "tc", "state": "ok"}]\')'), 0.0))
    assert it.findings == [{"name": "tc", "state": "ok"}]


def test_where_no_doctor_is_asked_it_is_over_at_once_and_nothing_was_found() -> None:
    it = Examination((), 0.0)
    assert it.over
    assert it.findings == []


def test_a_doctor_that_fails_leaves_no_findings() -> None:
    assert waited(Examination(python("raise SystemExit('ill')"), 0.0)).findings is None
    assert waited(Examination(python('print(\'{"no": "list"}\')'), 0.0)).findings is None
    assert waited(Examination(("/no/such/doctor",), 0.0)).findings is None


def test_a_doctor_that_does_not_stop_talking_is_stopped() -> None:
    assert waited(Examination(python("while True: print('x' * 65536)"), 0.0)).findings is None


def test_a_doctor_that_does_not_come_back_is_not_waited_for() -> None:
    it = Examination(python("import time; time.sleep(600)"), 100.0)
    it.heard(set(), 100.0 + LONGEST_S)
    assert not it.over
    it.heard(set(), 101.0 + LONGEST_S)
    assert it.over
    assert (it.findings, it.fds) == (None, [])


def test_the_project_s_own_doctor_finds_something(tmp_path) -> None:
    cache = tmp_path / "cache"
    it = waited(Examination(command_of(tmp_path, tmp_path / "keys", "a1", cache), 0.0))
    assert it.findings is not None
    [disk] = [finding["says"] for finding in it.findings if finding["name"] == "disk"]
    assert str(cache) in disk, "it looks where the agent keeps its files, not where another one would"
    assert set(Finding.__struct_fields__) >= {key for finding in it.findings for key in finding}
