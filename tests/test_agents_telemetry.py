"""The agent's side of a sampler: with a fake one, with a broken one, and with the project's own."""

import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_equipment import FakeSampler

from agents.telemetry import SamplerLike, Telemetry


class Starts(list[FakeSampler]):
    def __call__(self, root: Path, hz: float) -> SamplerLike:
        self.append(FakeSampler(root, hz))
        return self[-1]


@pytest.fixture
def starts() -> Starts:
    return Starts()


@pytest.fixture
def telemetry(starts: Starts, tmp_path: Path) -> Iterator[Telemetry]:
    telemetry = Telemetry(tmp_path, starts)
    yield telemetry
    telemetry.end()


def test_a_provision_starts_a_sampler_and_an_equal_one_keeps_it(
    telemetry: Telemetry, starts: Starts, tmp_path: Path
) -> None:
    telemetry.begin(10.0)
    telemetry.begin(10.0)
    assert [(sampler.root, sampler.hz) for sampler in starts] == [(tmp_path, 10.0)]
    telemetry.begin(20.0)
    assert [sampler.closed for sampler in starts] == [True, False]
    telemetry.begin(0.0)
    assert (starts[1].closed, telemetry.fds) == (True, [])


def test_what_it_reads_is_sent_when_it_is_due(telemetry: Telemetry, starts: Starts) -> None:
    telemetry.begin(10.0)
    starts[0].say(1.0, 2.0)
    telemetry.heard({starts[0].fd})
    message = telemetry.due(100.0)
    assert message is not None
    assert message.rows == ((1.0, 5.0), (2.0, 5.0))
    assert telemetry.due(200.0) is None


@pytest.mark.parametrize(
    "ask",
    [
        lambda it: it.window(0.0, 1.0),
        lambda it: it.idle(0.0, 1.0),
        lambda it: it.describe(),
        lambda it: it.heard(set(it.fds)),
    ],
)
def test_a_sampler_with_a_fault_is_ended_and_nothing_is_known(
    telemetry: Telemetry, starts: Starts, ask, caplog: pytest.LogCaptureFixture
) -> None:
    telemetry.begin(10.0)
    starts[0].broken = True
    assert ask(telemetry) is None
    assert (starts[0].closed, telemetry.fds) == (True, [])
    assert [record.message for record in caplog.records] == [
        "sensors are not read any more: RuntimeError: the sampler has a fault"
    ]
    telemetry.begin(10.0)
    assert telemetry.window(0.0, 1.0) is not None


def test_a_sampler_that_cannot_be_started_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def start(root: Path, hz: float) -> SamplerLike:
        raise OSError("no more processes")

    telemetry = Telemetry(Path("/"), start)
    telemetry.begin(10.0)
    assert (telemetry.fds, telemetry.window(0.0, 1.0), telemetry.describe()) == ([], None, None)
    assert [record.message for record in caplog.records] == ["no sensors are read: OSError: no more processes"]
    telemetry.end()


def test_the_project_s_own_sampler_reads_this_machine() -> None:
    telemetry = Telemetry(Path("/"))
    begin_s = time.monotonic()
    telemetry.begin(50.0)
    try:
        while telemetry.due(time.monotonic()) is None:
            telemetry.heard(set(select.select(telemetry.fds, [], [], 30.0)[0]))
        vitals = telemetry.window(begin_s, time.monotonic())
        described = telemetry.describe()
    finally:
        telemetry.end()
    assert vitals is not None
    assert vitals.samples >= 1
    assert described is not None
    assert described["source"] == vitals.source
