"""The benchmarks of what travels: each does what it says, small and once; the bare sockets and light agents of them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from perf import bench_a_loopback, bench_b_shaped, bench_c_agents, light_agents
from perf.bare_sockets import BareSockets
from perf.base import Benchmark, Pace
from perf.light_agents import LightAgent
from perf.null_runs import see_complete

from harness.fleets.claims import fault_of
from harness.profiles import LinkProfile
from harness.protocol import messages as m
from harness.protocol.transfer import WINDOW_BYTES, spans

BENCHMARKS = [bench_a_loopback.BENCHMARK, bench_b_shaped.BENCHMARK, bench_c_agents.BENCHMARK]


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids="abc")
def test_a_benchmark_measures_small_and_once(benchmark: Benchmark, tmp_path: Path) -> None:
    result = benchmark.run(Pace(tmp_path, lambda _: None, repetitions=1, warm_ups=0, quick=True))
    assert result.letter == benchmark.letter
    assert all(value > 0 for figure in result.figures for value in figure.values)
    assert any(figure.reached is not None for figure in result.figures)
    assert result.remark
    if benchmark.letter in "ac" and any(figure.reached is False for figure in result.figures):
        assert "controller, thread" in result.profile


REFUSES = """
import sys
sys.path.insert(0, {tests!r})
from perf import light_agents
answers = light_agents.LightAgent.answers
def refusing(self, message, data):
    if isinstance(message, light_agents.m.Task) and message.ref.client == 1 and message.ref.round > {round}:
        return iter([(light_agents.m.Failed(ref=message.ref, reason="it cannot"), None)])
    return answers(self, message, data)
light_agents.LightAgent.answers = refusing
keys = light_agents.msgspec.json.decode(sys.stdin.buffer.read(), type=light_agents.LightKeys)
light_agents.Crowd(sys.argv[1], int(sys.argv[2]), keys).run()
"""


def test_rounds_in_which_a_client_fails_are_no_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "refuses.py"
    script.write_text(REFUSES.format(tests=str(Path(__file__).parent), round=3))
    monkeypatch.setattr(light_agents, "__file__", str(script))
    pace = Pace(tmp_path, lambda _: None, repetitions=1, warm_ups=0, quick=True)
    with pytest.raises(RuntimeError, match=r"round 4 has 1 of 2 clients; client 1: .*it cannot"):
        bench_c_agents.run(pace)


def test_a_round_that_is_not_there_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="round 3 of the run is missing"):
        see_complete([], range(3, 5), clients=2)


def test_bare_sockets_move_the_bytes_again_and_again() -> None:
    with BareSockets(count=2, size_bytes=3000, piece_bytes=1024) as sockets:
        assert all(sockets.round_s() > 0 for _ in range(3))


def test_a_light_agent_says_what_agents_say() -> None:
    agent, state = LightAgent(7), bytes(range(256)) * 16
    blob = m.BlobRef(name="state", sha256="1" * 64, size_bytes=len(state))
    task = m.Task(ref=m.TaskRef(round=1, client=7, attempt=1), state=blob, seed=1)
    provision = m.Provision(base=(), shards=(), init=None, prepare={}, link=LinkProfile(name="free"), link_seed=1)
    assert said(agent, provision) == [m.Ready(provision_s=0.1, ship_s=0.1)]
    (fetch,) = said(agent, task)
    (span,) = spans(fetch, len(state))
    report, offer = said(agent, m.Chunk(sha256=blob.sha256, offset=span.offset), memoryview(state))
    assert (offer.ref, offer.blob.sha256, report.ref) == (task.ref, blob.sha256, task.ref)
    accept = m.Accept(sha256=blob.sha256, offset=0, credit_bytes=WINDOW_BYTES)
    [(chunk, data)] = agent.answers(accept, None)
    assert (chunk.offset, bytes(data)) == (0, state)
    (done,) = said(agent, m.Received(sha256=blob.sha256))
    assert fault_of(done.record, [len(state)], len(state)) is None
    assert msgspec.msgpack.encode(done)


def said(agent: LightAgent, message: m.ToAgent, data: memoryview | None = None) -> list[m.Message]:
    return [answer for answer, _ in agent.answers(message, data)]
