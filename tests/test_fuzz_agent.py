"""Whatever a controller says to an agent and whatever dies beside it: the machine holds, and good luck ends in Done."""

from __future__ import annotations

from typing import Any, ClassVar

from agent_facts import HELLO, NEXT_STATE, PROVISION, STATE, TASK, TIP, TRAINED, WELCOME, WITH_INIT, moved
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from wire_words import values_of

from agents import steps as s
from agents.lifecycle import AgentMachine
from harness.protocol import messages as m

NUMBERS = st.integers(1, 3)
REFS = st.builds(m.TaskRef, round=NUMBERS, client=st.sampled_from([3, 4]), attempt=NUMBERS)
MESSAGES = (m.Welcome, m.Provision, m.Task, m.Cancel)
ENOUGH_STEPS = 30


class Shell(RuleBasedStateMachine):
    """What an agent's shell has under way: transfers, a trainer, a connection. Only what is under way can end."""

    done: ClassVar[list[m.TaskRef]] = []
    lean: ClassVar[list[m.TaskRef]] = []

    @initialize()
    def starts(self) -> None:
        self.machine = AgentMachine(HELLO, once=False)
        self.now_s = 0.0
        self.over = self.filling = self.welcomed = False
        self.fetch: s.FetchShaped | None = None
        self.upload: s.OfferUpdate | None = None
        self.trainer = "none"
        self.given: list[str] = []
        self.fetched: m.BlobRef | None = None
        self.task: tuple[m.TaskRef, str] | None = None
        self.said: list[m.Message] = []
        self.happens(s.Connected)

    def happens(self, kind: type[s.Fact], /, **more: Any) -> None:
        self.now_s += 1.0
        for order in self.machine.handle(kind(at_s=self.now_s, **more)):
            self._carry_out(order)
        if self.over:
            self.starts()

    def hears(self, message: m.Message) -> None:
        self.welcomed = self.welcomed or isinstance(message, m.Welcome)
        self.happens(s.MessageArrived, message=message, wire_bytes=0)

    def _carry_out(self, order: s.AnyOrder) -> None:
        match order:
            case s.Send(message):
                assert self.welcomed or isinstance(message, m.Hello | m.Goodbye), f"said to nobody: {message}"
                self.said.append(message)
                if isinstance(message, m.Done):
                    self.done.append(message.ref)
                if isinstance(message, m.Done | m.Failed) and self.task and self.task[0] == message.ref:
                    self.task = None
            case s.FillCache():
                self.filling = True
            case s.FetchShaped():
                whole_after_all = self.task == (order.task, "fetching") and self.fetched == TIP
                assert not (order.task and self.task) or whole_after_all, "two tasks at a time"
                self.fetched = order.blob
                self.fetch, self.task = order, (order.task, "fetching") if order.task else None
            case s.OfferUpdate():
                assert self.task in (None, (order.offer.ref, "training")), "an update of another task"
                self.upload, self.task = order, (order.offer.ref, "sending")
            case s.DropTransfers():
                self.filling, self.fetch, self.upload, self.task = False, None, None, None
            case s.PrepareTrainer():
                self.trainer, self.given = "preparing", []
            case s.EndTrainer():
                self.trainer, self.given = "none", []
            case s.StartTraining():
                assert self.trainer == "ready", "an order for a trainer that is not ready"
                assert self.task == (order.task.ref, "fetching"), "trained twice, or after its end"
                self.trainer, self.task = "training", (order.task.ref, "training")
                if self.fetched != order.task.state:
                    assert order.task.lean is not None
                    assert self.fetched == order.task.lean.blob, "trained from what was not fetched for it"
                    before = self.given[:-1] if self.given[-1:] == [order.task.state.sha256] else self.given
                    assert before[-1:] == [order.task.lean.since], "less than a state for a trainer that lacks the rest"
                    self.lean.append(order.task.ref)
                if self.given[-1:] != [order.task.state.sha256]:
                    self.given.append(order.task.state.sha256)
            case s.Reconnect():
                self.welcomed = False
                self.happens(s.Connected)
            case s.End():
                self.over = True

    # What a controller may say, at any time

    @rule(message=st.sampled_from(MESSAGES).flatmap(values_of))
    def it_hears_anything(self, message: m.Message) -> None:
        self.hears(message)

    @rule(resumed=st.booleans(), run_id=st.sampled_from(["r", "another"]))
    def it_is_welcomed(self, resumed: bool, run_id: str) -> None:
        self.hears(m.Welcome(run_id=run_id, beat_port=1, heartbeat_s=1.0, lost_after_s=3.0, resumed=resumed))

    @rule(provision=st.sampled_from([PROVISION, WITH_INIT]))
    def it_is_provisioned(self, provision: m.Provision) -> None:
        self.hears(provision)

    @rule(ref=REFS)
    def it_gets_a_task(self, ref: m.TaskRef) -> None:
        state, before = (STATE, NEXT_STATE) if ref.round % 2 else (NEXT_STATE, STATE)
        lean = None if ref.attempt == 3 else m.LeanState(blob=TIP, since=before.sha256)
        self.hears(m.Task(ref=ref, state=state, seed=ref.round, lean=lean))

    @rule()
    def it_gets_its_task_again(self) -> None:
        if self.task:
            self.it_gets_a_task(self.task[0])

    @rule(ref=REFS)
    def its_task_is_cancelled(self, ref: m.TaskRef) -> None:
        self.hears(m.Cancel(ref=ref))

    @rule()
    def the_run_is_over(self) -> None:
        self.hears(m.Stop(reason="the run is over"))

    # What may happen beside it

    @rule()
    def the_connection_breaks(self) -> None:
        self.welcomed = False
        self.happens(s.ConnectionLost, reason="it broke")

    @rule()
    def what_is_under_way_ends_well(self) -> None:
        if self.filling:
            self.filling = False
            self.happens(s.BaseCached)
        elif self.fetch is not None:
            self.fetch = None
            self.happens(s.BlobLanded, transfer=moved(1.0))
        elif self.trainer == "preparing":
            self.trainer = "ready"
            self.happens(s.TrainerReady)
        elif self.trainer == "training":
            self.trainer = "ready"
            self.happens(s.TaskTrained, trained=TRAINED, wire_bytes=0)
        elif self.upload is not None and self.welcomed:
            self.upload = None
            self.happens(s.UpdateAcknowledged, transfer=moved(1.0), wire_bytes=0)

    @rule(steps=st.integers(2, 6))
    def all_goes_well_for_a_while(self, steps: int) -> None:
        for _ in range(steps):
            self.what_is_under_way_ends_well()

    @rule(ref=REFS, steps=st.integers(0, 2))
    def it_is_in_the_middle_of_a_task(self, ref: m.TaskRef, steps: int) -> None:
        for message in (WELCOME, PROVISION):
            self.hears(message)
            self.all_goes_well_for_a_while(3)
        self.it_gets_a_task(ref)
        self.all_goes_well_for_a_while(steps)

    @rule(ref=REFS)
    def it_trains_one_after_the_other(self, ref: m.TaskRef) -> None:
        self.it_is_in_the_middle_of_a_task(ref, 3)
        self.all_goes_well_for_a_while(3)
        self.it_gets_a_task(m.TaskRef(round=ref.round + 1, client=ref.client, attempt=1))
        self.all_goes_well_for_a_while(1)

    @rule()
    def a_transfer_fails(self) -> None:
        if self.filling or self.fetch is not None or self.upload is not None:
            self.filling, self.fetch, self.upload = False, None, None
            self.happens(s.TransferFailed, reason="the disk is full")

    @rule(died=st.booleans())
    def the_trainer_fails(self, died: bool) -> None:
        if self.trainer != "none":
            self.trainer, self.given = "none", []
            self.happens(s.TrainerFailed, reason="out of memory", died=died)
        if died and self.trainer == "preparing":
            self.trainer = "ready"
            self.happens(s.TrainerReady)

    def teardown(self) -> None:
        """From here on all goes well: a new controller welcomes it, provisions it and gives it a task."""
        if not hasattr(self, "machine"):
            return
        self.the_connection_breaks()
        task = m.Task(ref=m.TaskRef(round=9, client=3, attempt=1), state=TASK.state, seed=9)
        for message in (WELCOME, PROVISION, task):
            self.hears(message)
            for _ in range(ENOUGH_STEPS):
                self.what_is_under_way_ends_well()
        ends = [word for word in self.said if isinstance(word, m.Done | m.Failed) and word.ref == task.ref]
        assert [type(word) for word in ends] == [m.Done], f"{self.machine.doing}, after {self.said[-5:]}"
        assert self.machine.doing == "idle"


def test_an_agent_comes_back_from_whatever_happens() -> None:
    run_state_machine_as_test(Shell, settings=settings(max_examples=120, stateful_step_count=40, deadline=None))
    assert Shell.done, "it never came to much"
    assert Shell.lean, "no trainer ever held what less than a state builds on"
