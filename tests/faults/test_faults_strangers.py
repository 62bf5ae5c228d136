"""Whoever reaches the port may connect, fall silent, dawdle, and say what is wrong: nobody else is disturbed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
from crossing import beat_port, over_a_wire, pid_of
from fleet_stage import SESSION, hello
from ground import Ground, Setting, free_port
from growth import held
from ledger import Faults
from quiet import Quiet, check_end
from run_folders import client_record
from stub_controller import blob
from wire import KIND
from zmtp import GREETING, Stranger, flipped, framed, ready, spoken, without_greeting

from harness.protocol import messages as m
from harness.rounds.events import AgentJoined

SETTING = Setting(rounds=30, state_bytes=50_000, rate_mbps=4.0, lost_after_s=1.5)
SILENT = 500
REF = m.TaskRef(round=1, client=3, attempt=1)
UPDATE = b"not an update"

WORDS: dict[str, m.Message | tuple[m.Message, bytes]] = {
    "hello": hello("stranger"),
    "ready": m.Ready(provision_s=0.5, ship_s=0.25),
    "fetch": m.Fetch(sha256=blob("state", UPDATE).sha256, offset=0, credit_bytes=1000, chunk_bytes=100),
    "report": m.Report(ref=REF, record=client_record(1, 3, agent="stranger")),
    "offer": m.Offer(ref=REF, blob=blob("update", UPDATE)),
    "chunk": (m.Chunk(sha256=blob("update", UPDATE).sha256, offset=0), UPDATE),
    "done": m.Done(ref=REF, record=client_record(1, 3, agent="stranger")),
    "failed": m.Failed(ref=REF, reason="so it goes"),
    "goodbye": m.Goodbye(agent="stranger", reason="enough"),
}


@pytest.fixture
def quiet(undisturbed: Callable[..., Quiet]) -> Quiet:
    return undisturbed(SETTING)


@pytest.fixture
def ground(tmp_path: Path, quiet: Quiet) -> Iterator[Ground]:
    """A run that has begun; the quiet one is over."""
    with Ground(tmp_path / "run", SETTING, free_port()) as ground:
        ground.until_progress(0)
        yield ground


def test_silent_connections_keep_nobody_from_work_and_a_newcomer_joins(
    faults: Faults, ground: Ground, quiet: Quiet
) -> None:
    before = held(pid_of(ground))
    with faults.trying(f"{SILENT} silent connections") as attempt, ExitStack() as stack:
        ports = (ground.port, beat_port(ground))
        crowd = [stack.enter_context(Stranger(ports[number % 2])) for number in range(SILENT)]
        since, began_s = ground.progress(), time.monotonic()
        ground.add_agent("newcomer")
        ground.until(lambda: "newcomer" in _joined(ground), "the newcomer")
        attempt.recovered(time.monotonic() - began_s)
        assert ground.progress() > since, "nobody worked meanwhile"
        ground.until(lambda: all(stranger.cut_off() for stranger in crowd), "their end")
        ground.until(lambda: held(pid_of(ground)).descriptors < before.descriptors + 20, "their descriptors")
        attempt.grew(check_end(ground, quiet))


def _joined(ground: Ground) -> list[str]:
    return [event.agent for event in ground.events() if isinstance(event, AgentJoined)]


@pytest.mark.parametrize(
    ("what", "quick", "slow"),
    [
        ("a greeting", b"", GREETING),
        ("a handshake", GREETING, ready(b"a" * 16)),
        ("a message", GREETING + ready(b"a" * 16), framed(b"\x80" * 200)),
    ],
)
def test_a_byte_a_second_delays_nobody(
    faults: Faults, ground: Ground, quiet: Quiet, what: str, quick: bytes, slow: bytes
) -> None:
    with faults.trying(f"{what} at one byte a second") as attempt, Stranger(ground.port) as stranger:
        stranger.say(quick)
        since = ground.progress()
        said = sum(1 for _ in zip(range(faults.tries(2, 8)), stranger.say_slowly(slow, 1.0), strict=False))
        assert ground.progress() > since, "nobody worked meanwhile"
        assert said < 8 or what == "a message", "who does not get through a handshake is cut off"
        attempt.grew(check_end(ground, quiet))


def _conversations() -> Iterator[tuple[bytes, int]]:
    """What a stranger says with each kind of message, and where the part begins that is to be damaged."""
    yield GREETING + ready(b"stranger") + framed(b"\xc0"), 0
    for name, word in WORDS.items():
        before = [] if name == "hello" else [WORDS["hello"]]
        opening = spoken(b"stranger-" + name.encode(), *before)
        yield opening + spoken(b"", word)[len(spoken(b"")) :], len(opening)


def test_a_flipped_bit_in_any_byte_of_a_greeting_or_a_message_disturbs_nobody(
    faults: Faults, ground: Ground, quiet: Quiet
) -> None:
    chance = Random(0)
    with faults.trying("each byte of greeting, handshake and every kind of message flipped") as attempt:
        for said, start in _conversations():
            for at in range(start, len(said), faults.tries(7, 1)):
                with Stranger(ground.port) as stranger:
                    stranger.say(flipped(said, at, chance.randrange(8)))
                    stranger.cut_off()
                assert ground.controller is not None
                assert ground.controller.poll() is None, f"the controller ended at byte {at} of {said!r}"
        ground.until_progress(ground.progress())
        attempt.grew(check_end(ground, quiet))


def test_what_an_agent_said_said_again_counts_once(faults: Faults, quiet: Quiet, tmp_path: Path) -> None:
    with over_a_wire(tmp_path / "run", SETTING, KIND) as (ground, wire):
        ground.until(lambda: ground.progress() >= 5, "the second round")
        words = "recorded messages said again, over connections of their own"
        with faults.trying(words) as attempt, ExitStack() as stack:
            recorded = [bytes(said) for said in wire.said]
            for number, said in enumerate(recorded):
                again = stack.enter_context(Stranger(ground.port))
                again.say(said)
                other = stack.enter_context(Stranger(ground.port))
                other.say(GREETING + ready(b"again-%d" % number) + without_greeting(said))
            ground.until_progress(ground.progress())
            attempt.grew(check_end(ground, quiet))


def test_a_beat_in_another_agents_name_neither_keeps_it_alive_nor_ends_it(
    faults: Faults, ground: Ground, quiet: Quiet
) -> None:
    beat = m.Beat(agent="agent-1", session=SESSION, number=1, doing="idle")
    beats = Stranger(beat_port(ground))
    with faults.trying("heartbeats in another agent's name") as attempt, beats as stranger:
        stranger.say(spoken(b"beats", *[beat] * 20))
        ground.until_progress(ground.progress())
        attempt.grew(check_end(ground, quiet))
