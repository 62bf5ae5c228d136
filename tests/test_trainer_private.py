"""DP-SGD in a local training: the same bits for the same seed, and without noise and bound the plain gradient."""

from pathlib import Path

import msgspec
import pytest
import torch
from encoders import spec_of, write_shard
from local_training import prepared, task, without_dropout
from safetensors.torch import load_file

from harness.learning.spec import PrepareSpec
from harness.learning.trainer import make_trainer
from harness.profiles import Method, MethodProfile, PrivacyProfile, TrainProfile


def private_spec(method: Method, batch_size: int, privacy: PrivacyProfile, micro: int | None = None) -> PrepareSpec:
    train = TrainProfile(batch_size=batch_size, micro_batch_size=micro)
    settings = MethodProfile(rank=4, alpha=4.0, lr=1e-3, privacy=privacy)
    return msgspec.structs.replace(spec_of(method, train=train), settings=settings)


@pytest.mark.parametrize("method", ["fedlr", "ffa", "fra"])
def test_the_seed_decides_the_samples_and_the_noise(tmp_path: Path, method: Method) -> None:
    spec = private_spec(method, 4, PrivacyProfile(kind="dp-sgd"))
    base, state = prepared(tmp_path, spec)
    trainer, shard = make_trainer(spec, base, state), write_shard(tmp_path / "s", 11)
    first = task(trainer, state, shard, 1, tmp_path / "u")
    assert first[0].samples == 11
    assert first[0].steps == 3
    assert task(trainer, state, shard, 1, tmp_path / "u") == first
    assert task(trainer, state, shard, 2, tmp_path / "u")[1] != first[1]


def test_without_noise_and_bound_it_is_plain_training_on_all(tmp_path: Path) -> None:
    """A batch as large as the shard: every sample is in each step."""
    updates = []
    for privacy in (PrivacyProfile(), PrivacyProfile(kind="dp-sgd", noise_multiplier=0.0, clip=1e6)):
        spec = private_spec("federa", 16, privacy, micro=4)
        base, state = prepared(tmp_path, spec)
        without_dropout(base)
        task(make_trainer(spec, base, state), state, write_shard(tmp_path / "s", 11), 0, tmp_path / privacy.kind)
        updates.append(load_file(tmp_path / privacy.kind))
    start = load_file(state)
    for name, tensor in updates[0].items():
        assert not torch.equal(tensor, start[name])
        torch.testing.assert_close(updates[1][name], tensor, rtol=0, atol=1e-5)


def test_a_step_without_samples_is_noise_alone(tmp_path: Path) -> None:
    spec = private_spec("ffa", 1, PrivacyProfile(kind="dp-sgd", noise_multiplier=2.0))
    base, state = prepared(tmp_path, spec)
    shard = write_shard(tmp_path / "s", 30)
    trained, _ = task(make_trainer(spec, base, state), state, shard, 0, tmp_path / "u")
    assert trained.steps == 30  # a third of them empty
    assert all(bool(tensor.isfinite().all()) for tensor in load_file(tmp_path / "u").values())
