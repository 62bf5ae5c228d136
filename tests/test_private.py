"""DP-SGD at a client: gradients of single samples through real layers, a bound that holds, noise as stated."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch
from encoders import spec_of, write_shard
from local_training import prepared, task
from private_stage import SAMPLES, Gradients, Stage
from safetensors.torch import load_file
from torch import Tensor

from harness.errors import TrainerError
from harness.learning.private import poisson_rows
from harness.learning.seeding import generator
from harness.learning.spec import PrepareSpec
from harness.learning.trainer import make_trainer
from harness.profiles import Method, PrivacyProfile, TrainProfile


def norm(gradients: Gradients) -> float:
    return float(torch.stack([gradient.double().norm() for gradient in gradients.values()]).norm())


def all_values(gradients: Gradients) -> Tensor:
    return torch.cat([gradients[name].flatten() for name in sorted(gradients)])


@pytest.mark.parametrize("architecture", ["bert", "roberta", "distilbert"])
@pytest.mark.parametrize("method", ["federa", "fedlr", "ffa"])
def test_gradients_of_samples_are_those_taken_one_by_one(tmp_path: Path, method: Method, architecture: str) -> None:
    """Through PEFT's layers and the head, of texts that are padded to one length."""
    stage = Stage(tmp_path, method, architecture)
    singles, private = stage.one_by_one(), stage.private()
    with private.wrap():
        private.step([list(range(SAMPLES))], stage.loss)
        together = {name: tensor.grad_sample for name, tensor in stage.network.attached.trained.items()}
    assert together.keys() == singles[0].keys()
    assert any(name.endswith("lora_B.weight") for name in together)
    for name, of_samples in together.items():
        for row, single in enumerate(singles):
            torch.testing.assert_close(of_samples[row], single[name], rtol=1e-4, atol=2e-6)


def test_each_sample_is_clipped_over_all_that_is_trained(tmp_path: Path) -> None:
    """The sum of the gradients taken one by one, each scaled to the bound where its joint norm is above."""
    stage = Stage(tmp_path)
    singles = stage.one_by_one()
    norms = [norm(single) for single in singles]
    bound = sorted(norms)[SAMPLES // 2] * 1.0001  # some are above it, some below
    private = stage.private(bound, expected=4.0)
    with private.wrap():
        private.step([[0, 1, 2, 3], [4, 5]], stage.loss)
    made = stage.gradients()
    for name in made:
        parts = [min(1.0, bound / size) * single[name] for size, single in zip(norms, singles, strict=True)]
        torch.testing.assert_close(made[name], torch.stack(parts).sum(0) / 4.0, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("bound", [1e-3, 0.1])
def test_a_sample_moves_the_sum_by_the_bound_at_most(tmp_path: Path, bound: float, precision: str) -> None:
    stage = Stage(tmp_path, precision=precision)
    private = stage.private(bound)
    with private.wrap():
        for row in range(SAMPLES):
            private.step([[row]], stage.loss)
            alone = norm(stage.gradients())
            assert alone <= bound * (1 + 1e-5)
            assert alone > 0.99 * bound  # it was above


def test_noise_has_the_stated_deviation(tmp_path: Path) -> None:
    """A step of no samples is noise alone: mean, deviation and fourth moment of its draws (fixed seed)."""
    clip, sigma, expected = 0.7, 1.3, 5.0
    stage = Stage(tmp_path)
    private = stage.private(clip, sigma, expected)
    with private.wrap():
        assert float(private.step([], stage.loss)) == 0.0
    draws = all_values(stage.gradients()).double() * expected / (clip * sigma)
    count = len(draws)
    assert count == sum(tensor.numel() for tensor in stage.network.attached.trained.values()) > 2000
    assert abs(float(draws.mean())) < 4 / count**0.5
    assert abs(float(draws.std()) - 1) < 4 / (2 * count) ** 0.5
    assert abs(float((draws**4).mean()) - 3) < 4 * (96 / count) ** 0.5


def test_noise_is_added_to_clipped_gradients_and_to_nothing_else(tmp_path: Path) -> None:
    """With the same seed a step differs from one without samples by its clipped gradients, whatever A0 and B0 are."""
    stage = Stage(tmp_path)
    steps = []
    for noise, rows in ((1.0, list(range(SAMPLES))), (1.0, []), (0.0, list(range(SAMPLES)))):
        private = stage.private(0.5, noise, seed=4)
        with private.wrap():
            private.step([rows] if rows else [], stage.loss)
        steps.append(all_values(stage.gradients()))
    torch.testing.assert_close(steps[0] - steps[1], steps[2], rtol=1e-4, atol=1e-6)


def test_the_same_seed_gives_the_same_bits_and_each_step_its_own_noise(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def two_steps(seed: int) -> list[Tensor]:
        private, found = stage.private(0.5, 1.0, seed=seed), []
        with private.wrap():
            for _ in range(2):
                private.step([[0, 1]], stage.loss)
                found.append(all_values(stage.gradients()))
        return found

    first, again, other = two_steps(0), two_steps(0), two_steps(1)
    assert all(torch.equal(mine, its) for mine, its in zip(first, again, strict=True))
    assert not torch.allclose(first[0], first[1], atol=1e-2)
    assert not torch.allclose(first[0], other[0], atol=1e-2)


def test_nothing_of_it_stays_at_the_model(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    before = [all_values(single) for single in stage.one_by_one()]
    model = stage.network.model
    known = [vars(tensor).copy() for tensor in model.parameters()]
    private = stage.private()
    with private.wrap():
        private.step([[0, 1, 2]], stage.loss)
    assert [vars(tensor) for tensor in model.parameters()] == known
    for module in model.modules():
        assert not module._backward_hooks
        assert not module._forward_pre_hooks
        assert not {"activations", "max_batch_len", "autograd_grad_sample_hooks"} & vars(module).keys()
    after = [all_values(single) for single in stage.one_by_one()]
    assert all(torch.equal(mine, its) for mine, its in zip(before, after, strict=True))


def test_a_step_that_broke_leaves_a_model_that_can_be_trained(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    private = stage.private()

    def broken(rows: list[int]) -> Tensor:
        stage.loss(rows)
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"), private.wrap():
        private.step([[0, 1]], broken)
    singles, private = stage.one_by_one(), stage.private()
    with private.wrap():
        private.step([[0, 1]], stage.loss)
    for name, made in stage.gradients().items():
        torch.testing.assert_close(made, singles[0][name] + singles[1][name], rtol=1e-4, atol=2e-6)


def test_layers_that_all_samples_share_are_refused_and_samples_one_by_one_are_not(tmp_path: Path) -> None:
    """DeBERTa's projections of positions would put the gradients of all samples into that of the first."""
    stage = Stage(tmp_path, architecture="deberta-v2")
    singles, private = stage.one_by_one(), stage.private()
    refused = pytest.raises(TrainerError, match=r"applied to all of them at once; set train\.micro_batch_size to 1")
    with private.wrap(), refused:
        private.step([[0, 1]], stage.loss)
    private = stage.private()
    with private.wrap():
        private.step([[row] for row in range(SAMPLES)], stage.loss)
    for name, made in stage.gradients().items():
        wanted = torch.stack([single[name] for single in singles]).sum(0)
        torch.testing.assert_close(made, wanted, rtol=1e-3, atol=1e-5)


def test_a_tensor_without_gradients_of_samples_is_named(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    private = stage.private()
    head = stage.network.model.get_parameter("classifier.weight")
    with private.wrap(), pytest.raises(TrainerError, match=r"no gradient of each sample for .*; choose another model"):
        private.step([[0, 1]], lambda rows: head.sum() * len(rows))


def test_rows_are_drawn_one_by_one_each_with_the_same_chance() -> None:
    samples, rate, steps = 50, 0.1, 400
    drawn = poisson_rows(samples, rate, steps, generator(0, "poisson"))
    assert len(drawn) == steps
    assert all(rows == sorted(set(rows)) and set(rows) <= set(range(samples)) for rows in drawn)
    sizes = torch.tensor([float(len(rows)) for rows in drawn])
    # Binomial: mean n q, variance n q (1 - q); a fixed batch size would have no variance.
    assert abs(float(sizes.mean()) - 5.0) < 4 * (4.5 / steps) ** 0.5
    assert float(sizes.var()) == pytest.approx(4.5, rel=0.3)
    often = torch.bincount(torch.tensor([row for rows in drawn for row in rows]), minlength=samples)
    assert float((often - rate * steps).abs().max()) < 5 * (steps * rate * (1 - rate)) ** 0.5
    assert [] in drawn
    assert drawn == poisson_rows(samples, rate, steps, generator(0, "poisson"))
    assert drawn != poisson_rows(samples, rate, steps, generator(1, "poisson"))
    assert poisson_rows(3, 1.0, 2, generator(0, "poisson")) == [[0, 1, 2], [0, 1, 2]]


@pytest.fixture
def update_of(tmp_path: Path) -> Callable[[int, PrivacyProfile], Path]:
    """The update of a client's whole training from a seed, with a privacy of its own."""
    spec: PrepareSpec = spec_of("federa", train=TrainProfile(batch_size=2), lr=1e-3)
    base, state = prepared(tmp_path, spec)
    shard = write_shard(tmp_path / "s", 9)

    def train(seed: int, privacy: PrivacyProfile) -> Path:
        settings = msgspec.structs.replace(spec.settings, privacy=privacy)
        trainer = make_trainer(msgspec.structs.replace(spec, settings=settings), base, state)
        update = tmp_path / f"update-{seed}-{privacy.noise_multiplier}"
        task(trainer, state, shard, seed, update)
        return update

    return train


def test_a_whole_training_is_the_same_to_the_byte_from_the_same_seed(
    update_of: Callable[[int, PrivacyProfile], Path],
) -> None:
    privacy = PrivacyProfile(kind="dp-sgd", noise_multiplier=1.0, clip=0.5)
    first = update_of(0, privacy).read_bytes()
    assert update_of(0, privacy).read_bytes() == first
    assert update_of(1, privacy).read_bytes() != first


def test_noise_however_large_moves_the_principal_factors_by_the_rate_of_a_step_alone(
    tmp_path: Path, update_of: Callable[[int, PrivacyProfile], Path]
) -> None:
    """Noise is on gradients, which Adam scales: A0 and B0 themselves are never noised."""
    made = load_file(update_of(0, PrivacyProfile(kind="dp-sgd", noise_multiplier=1000.0, clip=10.0)))
    start = load_file(tmp_path / "federa.safetensors")
    steps, lr = 5, 1e-3
    for name in start:
        assert float((made[name] - start[name]).abs().max()) < 2 * steps * lr
