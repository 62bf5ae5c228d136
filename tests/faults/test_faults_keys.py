"""Keys against an attacker on the wire: damaged, recorded and foreign words get nowhere, and disturb nobody else."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from crossing import over_a_wire
from fleet_stage import hello
from ground import Ground, Setting
from growth import Held
from keyring import make_keys, security_of
from ledger import Faults
from quiet import Quiet, check_end
from wire import HERE, KIND, Mischief, Wire
from zmtp import GREETING, Stranger, ready, without_greeting

from harness.keys import AllowedList, controller_security, make_pair
from harness.protocol import messages as m
from harness.protocol.codec import decode_to_agent
from harness.rounds.events import AgentJoined, AgentLost, MessagesRefused
from harness.transport import Channel, connect, listen

SETTING = Setting(rounds=12, state_bytes=50_000, rate_mbps=4.0, lost_after_s=1.5)
LONG = dataclasses.replace(SETTING, rounds=25)
"""A handshake without a key counts as failed after some seconds, and the run is to see it."""
HANDSHAKE_BYTES = 700
"""More than an agent says until its first message: greeting, HELLO, INITIATE."""


@pytest.fixture
def quiet(undisturbed: Callable[..., Quiet]) -> Quiet:
    return undisturbed(SETTING, secured=True)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = make_keys(tmp_path / "keys", ("agent-1", "agent-2", "visitor"))
    make_pair(folder, "unknown")
    return folder


@pytest.fixture
def crossed(tmp_path: Path, keys: Path, quiet: Quiet) -> Iterator[tuple[Ground, Wire]]:
    """An encrypted run that has begun; the quiet one is over."""
    with over_a_wire(tmp_path / "run", SETTING, KIND, keys=keys) as (ground, wire):
        ground.until_progress(0)
        yield ground, wire


def check(ground: Ground, quiet: Quiet) -> Held:
    """The run goes on and ends as the quiet one, and none of its agents was lost; by how much they grew."""
    ground.until_progress(ground.progress())
    growth = check_end(ground, quiet)
    lost = {event.agent for event in ground.events() if isinstance(event, AgentLost)}
    assert not lost & {"agent-1", "agent-2"}
    return growth


def answers(ground: Ground, channel: Channel) -> Iterator[m.Message]:
    """What the controller answers, one message after the other, as long as the run lasts."""
    heard: list[m.Message] = []
    while True:
        ground.until(lambda: heard.extend(decode_to_agent(it.head) for it in channel.receive()) or heard, "an answer")
        yield heard.pop(0)


def test_a_damaged_chunk_is_noticed_by_who_gets_it(keys: Path) -> None:
    server = listen("tcp://127.0.0.1:*", controller_security(None, keys, {}))
    chunk = m.Chunk(sha256="0" * 64, offset=0)
    with Wire(Mischief(flip_every_bytes=1e-9, after_bytes=5_000, most=1)) as wire:
        wire.carry(port := int(server.endpoint.rpartition(":")[2]))
        channel = connect(f"tcp://{HERE}:{port}", security_of(keys, "visitor"))
        channel.send(hello("visitor"))
        arrivals = next(found for _ in range(3000) if (found := server.poll(0.01)[0]))
        for _ in range(10):
            assert server.send(arrivals[0].peer, chunk, bytes(m.MAX_CHUNK_BYTES))
        assert any(channel.broken() or server.poll(0.01)[0] for _ in range(3000)), "a connection that is dead, and open"
        channel.close(0)
    server.close(0)


def test_each_byte_of_a_handshake_flipped_disturbs_nobody(
    faults: Faults, crossed: tuple[Ground, Wire], quiet: Quiet, keys: Path
) -> None:
    ground, wire = crossed
    with faults.trying("each byte of an encrypted handshake flipped") as attempt:
        for at in range(0, HANDSHAKE_BYTES, faults.tries(35, 1)):
            damaged = wire.done["flipped"]
            wire.mischief = Mischief(flip_every_bytes=1e-9, after_bytes=at, most=damaged + 1)
            visitor = connect(f"tcp://{HERE}:{ground.port}", security_of(keys, "visitor"))
            visitor.send(hello("visitor"))
            ground.until(lambda damaged=damaged: wire.done["flipped"] > damaged, f"byte {at}")
            visitor.close(0)
        wire.mischief = KIND
        attempt.grew(check(ground, quiet))


@pytest.mark.parametrize("name", ["unknown", None])
def test_who_has_no_key_that_is_allowed_gets_no_answer(
    faults: Faults, undisturbed: Callable[..., Quiet], tmp_path: Path, keys: Path, name: str | None
) -> None:
    quiet = undisturbed(LONG, secured=True)
    words = "an unknown key" if name else "no key"
    crossed = over_a_wire(tmp_path / "run", LONG, KIND, keys=keys)
    with faults.trying(words) as attempt, crossed as (ground, _):
        ground.until_progress(0)
        stranger = connect(f"tcp://127.0.0.1:{ground.port}", security_of(keys, name) if name else None)
        stranger.send(hello("agent-1"))
        refusals: list[str] = []
        ground.until(lambda: refusals.extend(filter(None, [stranger.refused()])) or refusals, "the refusal")
        assert stranger.receive() == []
        stranger.close(0)
        ground.until_seen(MessagesRefused)
        attempt.grew(check(ground, quiet))


def test_a_key_that_claims_the_name_of_another_is_refused(
    faults: Faults, crossed: tuple[Ground, Wire], quiet: Quiet, keys: Path
) -> None:
    ground, _ = crossed
    with faults.trying("an allowed key that claims another agent's name") as attempt:
        visitor = connect(f"tcp://127.0.0.1:{ground.port}", security_of(keys, "visitor"))
        visitor.send(hello("agent-1"))
        answer = next(answers(ground, visitor))
        assert isinstance(answer, m.Refused)
        visitor.close(0)
        attempt.grew(check(ground, quiet))


def test_a_key_that_is_revoked_in_the_middle_of_a_run_is_cut_off(
    faults: Faults, quiet: Quiet, tmp_path: Path, keys: Path
) -> None:
    with (
        faults.trying("a key revoked in the middle of a run") as attempt,
        over_a_wire(tmp_path / "run", SETTING, KIND, keys=keys) as (ground, _),
    ):
        ground.until(lambda: sum(isinstance(event, AgentJoined) for event in ground.events()) >= 2, "both agents")
        AllowedList(keys).remove("agent-2")
        lost = [AgentLost, "agent-2", "its key was revoked"]
        ground.until(lambda: lost in [_of(event) for event in ground.events()], "its loss")
        attempt.recovered(ground.until_progress(ground.progress()))
        since = ground.progress("agent-2")
        attempt.grew(check_end(ground, quiet))
        assert ground.progress("agent-2") - ground.done() <= since, "it went on"


def _of(event: object) -> list[object]:
    return [AgentLost, event.agent, event.reason] if isinstance(event, AgentLost) else []


def test_recorded_bytes_of_an_encrypted_agent_open_nothing(
    faults: Faults, crossed: tuple[Ground, Wire], quiet: Quiet
) -> None:
    ground, wire = crossed
    ground.until(lambda: ground.progress() >= 5, "the second round")
    chance = Random(0)
    with faults.trying("recorded bytes of encrypted agents said again") as attempt:
        for number, said in enumerate([bytes(said) for said in wire.said]):
            whole, part = Stranger(ground.port), Stranger(ground.port)
            whole.say(said)
            part.say(GREETING + ready(b"again-%d" % number) + without_greeting(said[: chance.randrange(500, 5000)]))
            ground.until(whole.cut_off, "its end")
            ground.until(part.cut_off, "its end")
            whole.socket.close()
            part.socket.close()
        attempt.grew(check(ground, quiet))
