from agent_facts import AGAIN, INIT, PROVISION, SHARD, STATE, TASK
from msgspec.structs import replace
from stub_controller import blob

from agents.kept import key_of


def test_how_often_a_task_was_tried_is_not_in_its_key() -> None:
    assert key_of("r", TASK, SHARD, PROVISION) == key_of("r", AGAIN, SHARD, PROVISION)


def test_everything_an_update_depends_on_is() -> None:
    keys = {
        key_of("r", TASK, SHARD, PROVISION),
        key_of("r2", TASK, SHARD, PROVISION),
        key_of("r", replace(TASK, seed=5), SHARD, PROVISION),
        key_of("r", replace(TASK, state=blob("state", b"new")), SHARD, PROVISION),
        key_of("r", replace(TASK, ref=replace(TASK.ref, round=2)), SHARD, PROVISION),
        key_of("r", replace(TASK, ref=replace(TASK.ref, client=4)), SHARD, PROVISION),
        key_of("r", TASK, blob("3", b"new"), PROVISION),
        key_of("r", TASK, SHARD, replace(PROVISION, init=INIT)),
        key_of("r", TASK, SHARD, replace(PROVISION, base=(STATE,))),
        key_of("r", TASK, SHARD, replace(PROVISION, prepare={"threads": 2})),
    }
    assert len(keys) == 10


def test_the_order_of_what_was_prepared_does_not_matter() -> None:
    one, other = ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})
    first, second = (key_of("r", TASK, SHARD, replace(PROVISION, prepare=prepare)) for prepare in (one, other))
    assert first == second
