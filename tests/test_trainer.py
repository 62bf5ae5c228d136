"""Local training: the same state, shard and seed give the same bits, and everything that is sent was trained."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from encoders import ARCHITECTURES, spec_of, write_encoder, write_shard, write_texts
from local_training import prepared, task
from safetensors.torch import load_file, save_file

from harness.errors import BlobError, TrainerError
from harness.learning.trainer import NullTrainer, make_trainer
from harness.profiles import FEDERA_METHODS, METHODS, Method, TrainProfile


def moved(state: Path, to: Path) -> Path:
    """A state with other values."""
    save_file({name: tensor + 0.1 for name, tensor in load_file(state).items()}, to)
    return to


@pytest.mark.parametrize("method", METHODS)
def test_an_earlier_task_leaves_no_trace(tmp_path: Path, method: Method) -> None:
    spec = spec_of(method, train=TrainProfile(batch_size=4, epochs=2))
    base, state = prepared(tmp_path, spec)
    shards = [write_shard(tmp_path / f"{i}.safetensors", samples=11, seed=i) for i in range(2)]
    update = tmp_path / "update.safetensors"
    torch.manual_seed(1)
    fresh = task(make_trainer(spec, base, state), state, shards[0], 5, update)
    torch.manual_seed(2)
    used = make_trainer(spec, base, state)
    _, other = task(used, state, shards[1], 6, tmp_path / "other.safetensors")
    used.load(moved(state, tmp_path / "moved"), shards[1])  # a task that is begun and given up
    assert task(used, state, shards[0], 5, update) == fresh
    assert other != fresh[1]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("method", FEDERA_METHODS)
def test_all_that_is_sent_was_trained(tmp_path: Path, architecture: str, method: Method) -> None:
    spec = spec_of(method)
    base, state = prepared(tmp_path, spec, architecture)
    update = tmp_path / "update.safetensors"
    trained, _ = task(make_trainer(spec, base, state), state, write_shard(tmp_path / "s", 9), 0, update)
    before, after = load_file(state), load_file(update)
    assert before.keys() == after.keys()
    assert [name for name in before if torch.equal(before[name], after[name])] == []
    assert (trained.samples, trained.steps) == (9, 3)


def test_the_seed_decides_order_and_dropout(tmp_path: Path) -> None:
    spec = spec_of("fedlr")
    base, state = prepared(tmp_path, spec)
    trainer, shard, update = make_trainer(spec, base, None), write_shard(tmp_path / "s", 9), tmp_path / "update"
    assert task(trainer, state, shard, 1, update)[1] != task(trainer, state, shard, 2, update)[1]


def test_global_randomness_is_left_alone(tmp_path: Path) -> None:
    spec = spec_of("federa")
    base, state = prepared(tmp_path, spec)
    before = torch.get_rng_state()
    task(make_trainer(spec, base, state), state, write_shard(tmp_path / "s", 5), 1, tmp_path / "update")
    assert torch.equal(torch.get_rng_state(), before)


def test_training_lowers_the_loss_of_what_it_trains_on(tmp_path: Path) -> None:
    spec = spec_of("federa", train=TrainProfile(batch_size=4, epochs=40), lr=3e-3)
    base, state = prepared(tmp_path, spec)
    texts = [[10 + label, 20, 21, 10 + label] for label in (0, 1, 2, 3)] * 2
    shard = write_texts(tmp_path / "s", texts, [0, 1, 2, 3] * 2)
    trainer, update = make_trainer(spec, base, state), tmp_path / "update"
    first, _ = task(trainer, state, shard, 0, update)
    second, _ = task(trainer, update, shard, 1, tmp_path / "next")
    assert first.loss is not None
    assert second.loss is not None
    assert second.loss < 0.5 * first.loss


def test_what_was_done_is_counted_without_padding(tmp_path: Path) -> None:
    spec = spec_of("fedbf", train=TrainProfile(batch_size=2, epochs=3))
    base, state = prepared(tmp_path, spec)
    shard = write_texts(tmp_path / "s", [[5, 6, 7], [5], [5, 6, 7, 8, 9]], [0, 1, 2])
    trained, _ = task(make_trainer(spec, base, None), state, shard, 0, tmp_path / "update")
    assert (trained.samples, trained.steps, trained.tokens) == (3, 6, 27)


def test_a_limit_of_steps_limits_the_tokens_and_not_the_samples(tmp_path: Path) -> None:
    spec = spec_of("fedbf", train=TrainProfile(batch_size=1, max_steps=2))
    base, state = prepared(tmp_path, spec)
    shard = write_texts(tmp_path / "s", [[5, 6, 7]] * 4, [0, 1, 2, 3])
    trained, _ = task(make_trainer(spec, base, None), state, shard, 0, tmp_path / "update")
    assert (trained.samples, trained.steps, trained.tokens) == (4, 2, 6)


@pytest.mark.parametrize("method", METHODS)
def test_one_sample_of_one_class_is_enough(tmp_path: Path, method: Method) -> None:
    spec = spec_of(method)
    base, state = prepared(tmp_path, spec)
    shard = write_texts(tmp_path / "s", [[5, 6, 7]], [3])
    trained, _ = task(make_trainer(spec, base, state), state, shard, 0, tmp_path / "update")
    assert (trained.samples, trained.steps) == (1, 1)


def test_bf16_computes_otherwise_and_sends_float32(tmp_path: Path) -> None:
    updates = []
    for precision in ("fp32", "bf16"):
        spec = spec_of("federa", train=TrainProfile(batch_size=4, precision=precision), lr=1e-4)
        base, state = prepared(tmp_path, spec)
        update = tmp_path / precision
        task(make_trainer(spec, base, state), state, write_shard(tmp_path / "s", 9), 0, update)
        updates.append(load_file(update))
    start = load_file(state)
    assert {tensor.dtype for tensor in updates[1].values()} == {torch.float32}
    assert [name for name in start if torch.equal(start[name], updates[1][name])] == []
    assert any(not torch.equal(updates[0][name], updates[1][name]) for name in start)


def test_divergence_names_the_learning_rate(tmp_path: Path) -> None:
    spec = spec_of("fedft", lr=1.0)
    base, state = prepared(tmp_path, spec)
    tensors = load_file(state)
    tensors["classifier.weight"].fill_(3e38)
    save_file(tensors, state)
    trainer = make_trainer(spec, base, None)
    trainer.load(state, write_shard(tmp_path / "s", 9))
    with pytest.raises(TrainerError, match=r"training diverged: .* is not finite at lr 1; lower methods\.fedft\.lr"):
        trainer.train(0, 1)


def test_shards_that_do_not_fit_the_model_are_refused(tmp_path: Path) -> None:
    spec = spec_of("fedlr")
    base, state = prepared(tmp_path, spec)
    trainer = make_trainer(spec, base, None)
    with pytest.raises(TrainerError, match="holds no samples"):
        trainer.load(state, write_texts(tmp_path / "empty", [], []))
    with pytest.raises(TrainerError, match="has label 4, the model knows 0 to 3"):
        trainer.load(state, write_texts(tmp_path / "labels", [[5]], [4]))
    with pytest.raises(TrainerError, match="has token 100, the model knows 0 to 99"):
        trainer.load(state, write_texts(tmp_path / "tokens", [[100]], [0]))
    with pytest.raises(BlobError, match="is not a shard"):
        trainer.load(state, state)
    with pytest.raises(TrainerError, match="loaded before each training"):
        trainer.train(0, 1)


def test_a_trainer_without_what_it_needs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match="needs a base model"):
        make_trainer(spec_of("fedlr"), None, None)
    with pytest.raises(TrainerError, match="needs the server's initial factors"):
        make_trainer(spec_of("federa"), write_encoder(tmp_path / "base"), None)


def test_the_null_trainer_sends_back_what_it_got(tmp_path: Path) -> None:
    trainer = make_trainer(spec_of("federa", train=TrainProfile(trainer="null")), None, None)
    state, update = tmp_path / "state", tmp_path / "update"
    state.write_bytes(b"any bytes")
    trained, sent = task(trainer, state, tmp_path / "absent", 0, update)
    assert sent == b"any bytes"
    assert (trained.samples, trained.steps, trained.loss) == (1, 0, None)
    with pytest.raises(TrainerError, match="nothing to save"):
        NullTrainer().save(update)


def test_the_null_trainer_and_the_mean_import_no_torch() -> None:
    program = """
import sys
from harness.learning.aggregation.mean import weighted_mean
from harness.learning.spec import PrepareSpec
from harness.learning.trainer import make_trainer
from harness.profiles import MethodProfile, TrainProfile
train = TrainProfile(trainer="null")
make_trainer(PrepareSpec(method="fedlr", settings=MethodProfile(), train=train, labels=2, threads=1), None, None)
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[1]).returncode == 0


def noisy_update(folder: Path, seed: int, round: int = 1, noise: float = 0.5) -> tuple[bytes, int]:
    """What a null trainer with noise makes of a state in a task, and the samples it reports."""
    state, update = folder / "state", folder / "update"
    save_file({"b": torch.zeros(1000), "a": torch.arange(6.0).reshape(2, 3)}, state)
    trainer = NullTrainer(noise)
    trainer.load(state, folder / "not-read")
    trained = trainer.train(seed, round)
    trainer.save(update)
    return update.read_bytes(), trained.samples


def test_noise_is_drawn_from_the_task_s_seed_alone(tmp_path: Path) -> None:
    first, _ = noisy_update(tmp_path, seed=7)
    assert noisy_update(tmp_path, seed=7, round=9)[0] == first
    assert noisy_update(tmp_path, seed=8)[0] != first


def test_noise_has_the_deviation_that_was_asked_for_and_leaves_names_and_shapes(tmp_path: Path) -> None:
    noisy_update(tmp_path, seed=7, noise=0.25)
    update = load_file(tmp_path / "update")
    assert {name: tensor.shape for name, tensor in update.items()} == {"a": (2, 3), "b": (1000,)}
    assert float(update["b"].std()) == pytest.approx(0.25, rel=0.1)
    assert np.abs(update["a"].numpy() - np.arange(6).reshape(2, 3)).max() < 2


def test_with_noise_updates_weigh_one_to_five_samples_and_equally_often(tmp_path: Path) -> None:
    weights = [NullTrainer(0.5).train(seed, 1).samples for seed in range(100)]
    assert {weight: weights.count(weight) for weight in weights} == dict.fromkeys(range(1, 6), 20)


def test_the_null_trainer_of_a_profile_has_the_profile_s_noise(tmp_path: Path) -> None:
    for noise in (0.0, 0.5):
        trainer = make_trainer(spec_of("fedlr", train=TrainProfile(trainer="null", null_noise=noise)), None, None)
        save_file({"w": torch.ones(3)}, tmp_path / "state")
        trainer.load(tmp_path / "state", tmp_path / "not-read")
        trainer.train(1, 1)
        trainer.save(tmp_path / "update")
        assert ((tmp_path / "update").read_bytes() == (tmp_path / "state").read_bytes()) == (noise == 0)
