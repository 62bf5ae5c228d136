"""Messages and facts that tests of the agent begin with, and machines that have come as far as a word says."""

from msgspec.structs import replace
from stub_controller import blob

from agents.frames import TrainedFrame
from agents.kept import Kept, Transfer
from agents.lifecycle import AgentMachine
from agents.steps import (
    BaseCached,
    BlobLanded,
    Connected,
    ConnectionLost,
    KeepUpdate,
    MessageArrived,
    Send,
    TaskTrained,
    TrainerReady,
)
from harness.profiles import LinkProfile
from harness.protocol import messages as m

HELLO = m.Hello(protocol=m.PROTOCOL, version="0", agent="a1", host="h", cores=1, memory_bytes=1, session="0" * 16)
WEIGHTS, SHARD, INIT, STATE, UPDATE = (blob(name, name.encode()) for name in ("w", "3", "init", "state", "update"))
PROVISION = m.Provision(
    base=(WEIGHTS,), shards=(SHARD,), init=None, prepare={}, link=LinkProfile(name="free"), link_seed=0
)
WITH_INIT = m.Provision(
    base=(WEIGHTS,), shards=(SHARD,), init=INIT, prepare={}, link=LinkProfile(name="free"), link_seed=0
)
EQUIPPED = replace(PROVISION, telemetry_hz=10.0)
KERNEL = replace(PROVISION, link=LinkProfile(name="wifi", rate_mbps=5.0, shaping="kernel"))
REF = m.TaskRef(round=1, client=3, attempt=1)
TASK = m.Task(ref=REF, state=STATE, seed=4)
AGAIN = m.Task(ref=m.TaskRef(round=1, client=3, attempt=2), state=STATE, seed=4)
NEXT_STATE, TIP = blob("state", b"the next one"), blob("lean", b"tip")
LEAN = m.Task(
    ref=m.TaskRef(round=2, client=3, attempt=1),
    state=NEXT_STATE,
    seed=5,
    lean=m.LeanState(blob=TIP, since=STATE.sha256),
)
"""Of a trainer that has trained TASK it asks for less than its state."""
TRAINED = TrainedFrame(
    update=UPDATE,
    load_s=0.5,
    train_s=4.0,
    serialise_s=0.25,
    samples=5,
    steps=2,
    tokens=8,
    loss=1.0,
    cpu_s=4.2,
    peak_rss_bytes=9,
    warm_up=False,
)
WELCOME = m.Welcome(run_id="r", beat_port=1, heartbeat_s=1.0, lost_after_s=8.0)
RESUMED = m.Welcome(run_id="r", beat_port=1, heartbeat_s=1.0, lost_after_s=8.0, resumed=True)
LOST = ConnectionLost(at_s=40.0, reason="silence")


def arrived(message: object, at_s: float = 0.0, wire_bytes: int = 0) -> MessageArrived:
    return MessageArrived(at_s=at_s, message=message, wire_bytes=wire_bytes)


def moved(duration_s: float, resumed_bytes: int = 0) -> Transfer:
    return Transfer(duration_s=duration_s, moved_bytes=1000, link_bps=None, resumed_bytes=resumed_bytes)


def machine_that_is(doing: str, *, once: bool = False, kept: Kept | None = None) -> AgentMachine:
    """Take a new machine as far as ``doing``."""
    machine = AgentMachine(HELLO, once=once, kept=kept)
    facts = {
        "joining": [Connected(at_s=0.0), arrived(WELCOME)],
        "provisioning": [arrived(PROVISION, 1.0), BaseCached(at_s=2.0)],
        "idle": [TrainerReady(at_s=4.0)],
        "fetching": [arrived(TASK, 10.0, wire_bytes=100)],
        "training": [BlobLanded(at_s=12.0, transfer=moved(2.0))],
        "sending": [TaskTrained(at_s=17.0, trained=TRAINED, wire_bytes=300)],
    }
    for state, of_state in facts.items():
        for fact in of_state:
            machine.handle(fact)
        if state == doing:
            break
    assert machine.doing == doing
    return machine


def kept_update() -> Kept:
    """What a machine that has trained TASK asks to be kept."""
    orders = machine_that_is("training").handle(TaskTrained(at_s=17.0, trained=TRAINED, wire_bytes=300))
    return next(order.kept for order in orders if isinstance(order, KeepUpdate))


def said(orders: list[object]) -> list[m.Message]:
    return [order.message for order in orders if isinstance(order, Send)]
