"""Streams of chance have names; equal names give equal draws, everywhere and in every process."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from harness.learning.seeding import derived_seed, generator


def test_seeds_stay_what_recorded_runs_drew_from() -> None:
    assert derived_seed("dropout/7") == 1490385662758731357
    assert derived_seed("partition:0", bits=32) == 812518033
    assert derived_seed("initialisation:1", bits=32) == 2613407329


def test_a_seed_has_the_bits_asked_for() -> None:
    seeds = [derived_seed(f"some/{number}", bits=32) for number in range(200)]
    assert 2**31 < max(seeds) < 2**32
    assert len(set(seeds)) == 200


def test_a_purpose_and_a_seed_give_the_same_draws_whatever_was_drawn_before() -> None:
    torch.manual_seed(1)
    first = torch.rand(4, generator=generator(3, "head"))
    torch.rand(9)
    assert torch.equal(torch.rand(4, generator=generator(3, "head")), first)


@pytest.mark.parametrize(("seed", "purpose"), [(4, "head"), (3, "order")])
def test_another_purpose_or_seed_gives_other_draws(seed: int, purpose: str) -> None:
    ours, theirs = generator(3, "head"), generator(seed, purpose)
    assert not torch.equal(torch.rand(4, generator=ours), torch.rand(4, generator=theirs))


def test_seeds_are_derived_without_torch() -> None:
    code = "import sys, harness.learning.seeding as s; s.derived_seed('a/1'); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
