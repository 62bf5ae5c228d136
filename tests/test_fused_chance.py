"""Masks of dropout, drawn for one client beside others as torch draws them for it alone."""

import pytest
import torch
from torch.nn import functional

from harness.learning.fused.chance import chance_of
from harness.learning.fused.crew import Crew
from harness.learning.fused.joint import Joint, Part

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")),
]


@pytest.mark.parametrize("kind", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_stream_is_that_of_a_training_alone(kind: str, dtype: torch.dtype) -> None:
    device = torch.device(kind)
    values = [torch.ones(5, 7, 33, device=device, dtype=dtype), torch.ones(3, 4, 9, 9, device=device, dtype=dtype)]
    values.append(values[0].transpose(1, 2))  # drawn in the order of memory
    chance = chance_of(41, device)
    with torch.random.fork_rng():
        torch.manual_seed(41)
        alone = [functional.dropout(value, 0.1) for value in values]
    with torch.random.fork_rng():
        masks = [chance.mask(value, 0.1) for value in values]
    assert all(torch.equal(mask, one) for mask, one in zip(masks, alone, strict=True))
    assert all(mask.stride() == value.stride() for mask, value in zip(masks, values, strict=True))


@pytest.mark.parametrize(("shape", "tokens"), [((5, 6, 8), (1,)), ((5, 2, 6, 6), (2, 3)), ((5, 8), ())])
def test_each_part_of_a_batch_is_dropped_out_of_as_if_it_were_alone(shape: tuple[int, ...], tokens: list[int]) -> None:
    crew, x = Crew(), torch.rand(shape)
    crew.chances = [chance_of(seed, x.device) for seed in (1, 2)]
    crew.begin(Joint((Part(0, 0, 2, 4), Part(1, 2, 5, 6)), 6))
    dropped = crew.dropped(x, 0.5)
    for seed, part in zip((1, 2), crew.joint.parts, strict=True):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            own = part.of(x, tokens)
            alone = functional.dropout(own.contiguous(), 0.5)
        assert torch.equal(part.of(dropped, tokens), alone)
    assert crew.dropped(x, 0.0) is x
