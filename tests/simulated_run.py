"""A run of two agents on a wire that fails: the controller's fleet and round machine are real, a seed decides all."""

from __future__ import annotations

import hashlib
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from round_facts import plan
from simulated_agent import PlayedAgent
from simulated_states import STATE_BYTES, next_state, trained_update
from simulated_wire import Net, PlayedServer, Wire
from small_tensors import outgoing, tensor_file
from stub_controller import blob

from harness.fleets.provision import Provisioning
from harness.fleets.shelf import Shelf
from harness.fleets.zeromq import ZeromqFleet
from harness.learning.outgoing import Outgoing
from harness.profiles import AgentsProfile, LinkProfile
from harness.protocol import messages as m
from harness.records import ClientRecord
from harness.rounds import commands as c
from harness.rounds import events as e
from harness.rounds.machine import RoundMachine
from harness.rounds.replay import replay
from harness.transport import Arrival

LINK = LinkProfile(name="slow", rate_mbps=1.0)
"""Chunks of 4 KiB, so that a state takes several."""
LOST_AFTER_S = 8.0
ENOUGH_S = 120.0
"""After the last fault; the longest wait in it is for a connection that died unseen."""
PLAN = plan(
    rounds=3,
    clients=4,
    clients_per_round=3,
    over_selection=1,
    agents=2,
    max_attempts=1000,
    max_extensions=1000,
    quorum=1.0,
    evaluated=False,
)


class SimulatedRun:
    """One run, from its opening to its end; what goes wrong goes wrong in its first minute, unless nothing does.

    ``overlap``: its states are evaluated while the next round trains; the round before it may still be needed then.
    """

    def __init__(self, folder: Path, seed: int, *, faulty: bool = True, overlap: bool = False) -> None:
        self._folder, self.random = folder, Random(seed)
        self.net = Net(self.random)
        self.plan = msgspec.structs.replace(PLAN, evaluated=overlap)
        self.machine = RoundMachine(self.plan)
        self.events: list[e.AnyEvent] = []
        self.accepted: dict[tuple[int, int], ClientRecord] = {}
        self.errand: c.Aggregate | None = None
        self.evaluation: c.Evaluate | None = None
        self._faults = (self._break, self._half_open, self._kill, self._restart, self._stand_still, self._bereave)
        self._stands_still_s = 0.0
        self._faulty_s = self.random.uniform(1.0, 40.0) if faulty else 0.0
        self._fault_rate = self.random.choice([0.02, 0.05, 0.1])
        self.agents: dict[str, PlayedAgent | None] = {"a": None, "b": None}
        self.starts = 0
        (folder / "0").write_bytes(tensor_file(bytes(STATE_BYTES)))
        self._listen()
        state_sha256 = blob("", (folder / "0").read_bytes()).sha256
        self._happened([e.RunOpened(at_s=0.0, svd_s=0.0, state_sha256=state_sha256, overlap=overlap)])

    def carry_out(self) -> None:
        """Faults for a while, then none: the run must come to its end."""
        while not self.machine.over:
            faulty = self.net.now_s < self._faulty_s
            self.net.loss = 0.02 if faulty else 0.0
            in_time = self.net.now_s < self._faulty_s + ENOUGH_S
            assert in_time, f"stuck in {self.machine.phase} of round {self.machine.round}"
            if faulty and self.random.random() < self._fault_rate:
                self.random.choices(self._faults, [4, 1, 1, 1, 1, 2])[0]()
            self._step()

    def close(self) -> None:
        for agent in self.agents.values():
            if agent is not None:
                agent.kill()
        self.fleet.close("the test is over")

    # What happens in turn

    def _step(self) -> None:
        net = self.net
        net.now_s += self.random.choice([0.0, 0.01, 0.05, 0.2])
        if self.server.down and self.random.random() < 0.05:
            self._listen()
            self.machine, _ = replay(self.plan, self.events)
            self._happened([e.ControllerResumed(at_s=net.now_s)])
        self._read()
        for name, agent in self.agents.items():
            if agent is None:
                if self.random.random() < 0.1:
                    self._start(name)
                continue
            for _ in range(self.random.randint(0, 3)):
                if agent.wire.down:
                    agent.hear()
            agent.tend()
            if agent.trainer is not None and self.random.random() < 0.1:
                agent.end_trainer(well=net.now_s > self._faulty_s or self.random.random() > 0.01)
            assert not agent.ends, f"agent {name} ended: {agent.ends}"
        if self.errand is not None and self.random.random() < 0.2:
            self._aggregate(self.errand)
        if self.evaluation is not None and self.random.random() < 0.02:
            self._evaluate(self.evaluation)

    def _read(self) -> None:
        """The controller reads what has come: of any connection the first message first."""
        if self.server.down:
            self.net.beats.clear()
        if self.server.down or self.net.now_s < self._stands_still_s:
            return
        self.server.arrivals, self.net.beats = self.net.beats, []
        ready = [wire for wire in self.net.wires if wire.up and self.net.now_s >= wire.opens_s]
        for _ in range(self.random.randint(0, 4)):
            if ready:
                wire = self.random.choice(ready)
                self._take(wire)
                ready = [wire for wire in ready if wire.up]
        self._happened(self.fleet.wait(0.0))

    def _take(self, wire: Wire) -> None:
        head, payload = wire.up.popleft()
        data = None if payload is None else memoryview(payload)
        self.server.arrivals.append(Arrival(wire.id, False, memoryview(head), data, 0))

    def _happened(self, events: list[e.AnyEvent]) -> None:
        for event in events:
            self.events.append(event)
            for order in self.machine.handle(event):
                self._carry_out(order)
            self.machine.validate()

    # Orders of the round machine

    def _carry_out(self, order: c.AnyCommand) -> None:
        match order:
            case c.AssignTask():
                seed, update = order.round * 100 + order.client, self._update(order.round, order.client)
                self.fleet.assign(order, self._given(order.round), seed, update)
            case c.CancelTask():
                self.fleet.cancel(order)
            case c.Aggregate():
                self.errand = order
            case c.Evaluate():
                assert self.evaluation is None, "two states are evaluated at once"
                self.evaluation = order
            case c.WriteClient(record=record):
                key = (record.round, record.client)
                assert key not in self.accepted, f"{key} counted twice"
                assert record.update_sha256 == hashlib.sha256(self._expected(*key)).hexdigest()
                self.accepted[key] = record
            case c.Abort():
                raise AssertionError(f"the run was given up: {order.reason}")

    def _aggregate(self, errand: c.Aggregate) -> None:
        self.errand, total = None, b""
        for update in errand.updates:
            data = self._update(errand.round, update.client).read_bytes()
            assert data == self._expected(errand.round, update.client)
            total += data
        state, lean = next_state((self._folder / str(errand.round - 1)).read_bytes(), errand.round, total)
        (self._folder / str(errand.round)).write_bytes(state)
        (self._folder / f"lean-{errand.round}").write_bytes(lean)
        done: dict[str, Any] = {"at_s": self.net.now_s, "aggregate_s": 0.0, "state_sha256": blob("", state).sha256}
        self._happened([e.Aggregated(round=errand.round, **done)])

    def _evaluate(self, order: c.Evaluate) -> None:
        self.evaluation = None
        assert blob("", (self._folder / str(order.round)).read_bytes()).sha256 == order.state_sha256
        for client in order.clients:
            assert self._update(order.round, client).read_bytes() == self._expected(order.round, client)
        self._happened([e.Evaluated(at_s=self.net.now_s, round=order.round, metrics={"f1": 0.5}, evaluate_s=0.1)])

    def _given(self, round: int) -> Outgoing:
        state, before = self._folder / str(round - 1), self._folder / str(round - 2)
        if round == 1:
            return outgoing(state)
        return outgoing(state, self._folder / f"lean-{round - 1}", blob("", before.read_bytes()).sha256)

    def _expected(self, round: int, client: int) -> bytes:
        return trained_update((self._folder / str(round - 1)).read_bytes(), client, round * 100 + client)

    def _update(self, round: int, client: int) -> Path:
        return self._folder / "updates" / f"{round}-{client}"

    # What goes wrong

    def _break(self) -> None:
        """A connection breaks, and the link is down for a while; the agent notices soon."""
        self._cut(notice_s=self.random.choice([0.0, 0.1, 1.0]))

    def _half_open(self) -> None:
        """A connection is dead, and neither end is told; heartbeats are lost as well."""
        self._cut(notice_s=float("inf"))

    def _cut(self, notice_s: float) -> None:
        agent = self.random.choice(list(self.agents.values()))
        if agent is None:
            return
        agent.wire.dead, agent.wire.notice_s = True, self.net.now_s + notice_s
        kept = self.random.randint(0, len(agent.wire.up))
        while len(agent.wire.up) > kept:
            agent.wire.up.pop()
        down_s = self.random.choice([0.0, 0.5, 4.0]) if notice_s < LOST_AFTER_S else 1.0 + LOST_AFTER_S
        agent.link_down_s = max(agent.link_down_s, self.net.now_s + down_s)

    def _stand_still(self) -> None:
        """The controller is stopped, and goes on: what was said meanwhile waits, of several connections of an agent."""
        self._stands_still_s = self.net.now_s + self.random.choice([0.5, 4.0, 12.0])

    def _kill(self) -> None:
        name = self.random.choice(list(self.agents))
        agent, self.agents[name] = self.agents[name], None
        if agent is not None:
            agent.kill()

    def _bereave(self) -> None:
        """A trainer that waits for its next order dies."""
        agent = self.random.choice(list(self.agents.values()))
        if agent is not None and agent.machine.trainer == "ready":
            agent.end_trainer(well=False)

    def _start(self, name: str) -> None:
        self.starts += 1
        self.agents[name] = PlayedAgent(self.net, name, self._folder / "cache", self.starts)

    def _restart(self) -> None:
        """The controller is killed, or stopped: then it says so."""
        if self.server.down:
            return
        self.server.down = self.random.random() < 0.7
        self.fleet.close("stopped")
        self.server.down, self.errand, self.evaluation = True, None, None
        for wire in self.net.wires:
            wire.up.clear()
            wire.dead, wire.notice_s = True, self.net.now_s + 0.1

    def _listen(self) -> None:
        """A controller comes up; nobody of an earlier one is connected."""
        shelf, folder = Shelf(), self._folder / "offered"
        folder.mkdir(exist_ok=True)
        names = ("weights", "init", *map(str, range(PLAN.clients)))
        weights, init, *shards = (blob(name, name.encode() * 500) for name in names)
        for ref in (weights, init, *shards):
            (folder / ref.name).write_bytes(ref.name.encode() * 500)
            shelf.put(ref, folder / ref.name)
        message = m.Provision(base=(weights,), shards=tuple(shards), init=init, prepare={}, link=LINK, link_seed=1)
        self.server = PlayedServer(self.net)
        server: Any = self.server
        settings = AgentsProfile(heartbeat_s=0.5, lost_after_s=LOST_AFTER_S)
        self.fleet = ZeromqFleet("r", server, Provisioning(message, shelf), settings, None, lambda: self.net.now_s)
