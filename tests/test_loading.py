"""A lean state and the whole one before it make the whole one of the round."""

from pathlib import Path

import pytest
import torch
from encoders import spec_of

from harness.errors import BlobError, TrainerError
from harness.learning.data.encode import Encoded, flat, read_shard, write_shard
from harness.learning.forms import form_of
from harness.learning.loading import KEPT_BYTES, LATEST_SHARDS, Held, LastState, LatestShards, is_lean, merged
from harness.learning.tensors import write_state

A, B = "q.lora_A.weight", "q.lora_B.weight"
WHOLE = {A: torch.zeros(2, 3), B: torch.zeros(4, 2), "head": torch.zeros(5)}


def test_a_stack_is_added_to_the_change_held() -> None:
    stack_b, stack_a = torch.randn(4, 6), torch.randn(6, 3)
    lean = {"head": torch.ones(5), "stack/q.B": stack_b, "stack/q.A": stack_a}
    one = merged({"head": torch.zeros(5)}, lean)
    assert one.keys() == {"head", "change/q"}
    assert torch.equal(one["head"], torch.ones(5))
    torch.testing.assert_close(one["change/q"], stack_b @ stack_a)
    two = merged(one, lean)
    torch.testing.assert_close(two["change/q"], 2 * stack_b @ stack_a)
    assert two["change/q"].dtype == torch.float32


def test_a_stack_of_no_width_changes_nothing() -> None:
    change = torch.randn(4, 3)
    lean = {"stack/q.B": torch.zeros(4, 0), "stack/q.A": torch.zeros(0, 3)}
    assert torch.equal(merged({"change/q": change}, lean)["change/q"], change)


def test_what_a_lean_state_leaves_out_is_what_was_held() -> None:
    lean = {A: torch.ones(2, 3), "head": torch.ones(5)}
    form = form_of("rolora", spec_of("rolora").settings, 2)
    assert is_lean(lean, form)
    assert not is_lean(WHOLE, form)
    held = merged(WHOLE, lean)
    assert torch.equal(held[A], torch.ones(2, 3))
    assert held[B] is WHOLE[B]


def test_only_the_round_before_is_gone_on_from() -> None:
    held, lean = Held(spec_of("rolora")), {A: torch.ones(2, 3), "head": torch.ones(5)}
    held.keep(held.whole(WHOLE, 1), 1)
    with pytest.raises(TrainerError, match="the state of round 3 tells only what is new since round 2"):
        held.whole(lean, 3)
    with pytest.raises(TrainerError, match="does not hold; send the whole state"):
        held.whole(lean, 2)  # round 1 was let go of


def test_another_client_of_the_round_builds_on_the_round_before_as_the_first_one_did() -> None:
    held, change = Held(spec_of("fedex")), {"change/q": torch.ones(4, 3)}
    held.keep(held.whole(WHOLE | change, 1), 1)
    lean = WHOLE | {"stack/q.B": torch.ones(4, 1), "stack/q.A": torch.ones(1, 3)}
    for _ in range(2):
        whole = held.whole(lean, 2)
        assert torch.equal(whole["change/q"], torch.full((4, 3), 2.0))
        held.keep(whole, 2)


def test_a_method_that_never_leaves_anything_out_keeps_nothing() -> None:
    held = Held(spec_of("fedlr"))
    assert held.whole(WHOLE, 1) is WHOLE
    held.keep(WHOLE, 1)
    assert held.whole({"head": WHOLE["head"]}, 2).keys() == {"head"}


def test_a_state_that_was_read_last_is_not_read_again(tmp_path: Path) -> None:
    states, path = LastState(), tmp_path / "state"
    write_state(path, WHOLE)
    with states.opened(path) as first, states.opened(path) as again:
        assert again is first
        assert first.keys() == WHOLE.keys()


def test_a_state_that_took_a_name_over_is_read(tmp_path: Path) -> None:
    states, path = LastState(), tmp_path / "state"
    for value in (1.0, 2.0):
        write_state(path, {"head": torch.full((5,), value)})
        with states.opened(path) as state:
            assert torch.equal(state["head"], torch.full((5,), value))


def test_a_large_state_is_not_kept_in_memory(tmp_path: Path) -> None:
    states, path = LastState(), tmp_path / "state"
    write_state(path, {"head": torch.zeros(KEPT_BYTES // 4)})
    with states.opened(path) as first, states.opened(path) as again:
        assert again is not first


def test_a_state_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BlobError, match="none cannot be read"), LastState().opened(tmp_path / "none"):
        pass


def test_a_shard_that_is_read_again_is_the_one_in_memory_and_one_that_took_its_name_is_not(tmp_path: Path) -> None:
    shards, path = LatestShards(read_shard), tmp_path / "shard"
    for rows in ([[1, 2]], [[1, 2], [3]]):
        write_shard(Encoded(*flat(rows)), path)
        first = shards.read(path)
        assert len(first) == len(rows)
        assert shards.read(path) is first


def test_shards_that_were_not_read_for_long_are_let_go_of(tmp_path: Path) -> None:
    shards, paths = LatestShards(read_shard), [tmp_path / str(number) for number in range(LATEST_SHARDS + 1)]
    for path in paths:
        write_shard(Encoded(*flat([[1]])), path)
    read = [shards.read(path) for path in paths]
    assert shards.read(paths[-1]) is read[-1]
    assert shards.read(paths[1]) is read[1]
    assert shards.read(paths[0]) is not read[0]
