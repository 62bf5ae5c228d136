"""A state of 500 MB: memory stays bounded at both ends, and a transfer that breaks is not begun again."""

from __future__ import annotations

import dataclasses
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from books import check_books
from crossing import beat_port
from ground import Ground, Setting, free_port
from ledger import Faults
from meter import Meter
from peaks import forget_peak, peak_rss_bytes, peak_until_end
from wire import HERE

from harness.learning.data.sources import EMBEDDED
from harness.protocol.transfer import WINDOW_BYTES
from harness.rounds.events import AgentJoined

SMALL = Setting(rounds=1, clients=2, agents=1, state_bytes=24_000_000, rate_mbps=300)
LARGE = dataclasses.replace(SMALL, state_bytes=498_643_552, rate_mbps=1000)
"""What FedFT moves of RoBERTa-base, there and back."""
AGENT_BYTES = 200_000_000
CONTROLLER_BYTES = 1_000_000_000
FRAMES = 0.01
"""Heads, credits and encryption add less than this share of what they carry."""


class Whole(Setting):
    """A run of FedFT."""

    def arguments(self) -> list[str]:
        return [*super().arguments(), "--method", "fedft"]


def roberta_base_in(folder: Path) -> Path:
    """A model folder of RoBERTa-base's sizes with random weights, and a small tokenizer."""
    import torch
    from encoders import roberta_base_config
    from transformers import AutoModel

    with torch.random.fork_rng():
        torch.manual_seed(1)
        AutoModel.from_config(roberta_base_config()).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(EMBEDDED / "encoder" / name, folder)
    return folder


def learning_of(model: Path) -> tuple[str, ...]:
    """Overrides for a short training of this model: ten samples a client."""
    partition = "partition={kind: iid, clients: 400}"
    return f"model={{name: large, folder: {model}}}", partition, "train.trainer=torch", "evaluate.sample=16"


@pytest.fixture
def setting(faults: Faults) -> Setting:
    return (SMALL, LARGE)[faults.tries(0, 1)]


def test_neither_end_keeps_a_state_in_memory(start: Callable[..., Ground], setting: Setting) -> None:
    # Opening its first round costs a controller 40 to 50 MB whatever it moves, so a state has to be well above that.
    size_bytes = max(setting.state_bytes, 200_000_000)
    ground = start(dataclasses.replace(setting, rate_mbps=None, state_bytes=size_bytes))
    assert ground.controller is not None
    agent, controller = ground.agents["agent-1"], ground.controller
    ground.until(lambda: ground.count(AgentJoined), "the agent to join")
    before = [forget_peak(process.pid) for process in (agent, controller)]
    ground.finish()
    after = [peak_rss_bytes(process.pid) for process in (agent, controller)]
    check_books(ground.run)
    print(f"{size_bytes:,} bytes: agent {before[0]:,} to {after[0]:,}, controller {before[1]:,} to {after[1]:,}")
    assert after[0] < AGENT_BYTES
    assert after[1] < CONTROLLER_BYTES
    assert max(after[0] - before[0], after[1] - before[1]) < size_bytes / 2


def test_a_controller_takes_less_than_a_gigabyte_beside_a_model_that_is_trained_whole(
    start: Callable[..., Ground], faults: Faults, tmp_path: Path
) -> None:
    if faults.tries(0, 1) == 0:
        pytest.skip("training RoBERTa-base takes minutes: in the full suite alone")
    ground = start(Whole(rounds=1, clients=2, agents=1, sets=learning_of(roberta_base_in(tmp_path / "model"))))
    assert ground.controller is not None
    agent, controller = ground.agents["agent-1"], ground.controller
    ground.finish()
    agent_bytes, controller_bytes = peak_rss_bytes(agent.pid), peak_until_end(controller)
    (record,) = check_books(ground.run)
    alone = [sys.executable, str(Path(__file__).with_name("model_alone.py")), str(ground.run), str(tmp_path / "alone")]
    model_bytes = int(subprocess.run(alone, capture_output=True, text=True, check=True).stdout)
    print(f"RoBERTa-base: agent {agent_bytes:,}, controller {controller_bytes:,}, its model alone {model_bytes:,}")
    assert record.upload_bytes > 2 * 490_000_000
    assert agent_bytes < AGENT_BYTES
    assert controller_bytes - model_bytes < CONTROLLER_BYTES


@pytest.mark.parametrize("way", ["up", "down"])
def test_an_agent_killed_at_half_of_a_transfer_goes_on_from_there(
    way: str, setting: Setting, faults: Faults, tmp_path: Path
) -> None:
    words = {"up": "an upload", "down": "a download"}
    half_bytes, port = setting.state_bytes // 2, free_port()
    with (
        faults.trying(f"SIGKILL of an agent at half of {words[way]}, {setting.state_bytes / 1e6:.0f} MB") as attempt,
        Meter() as meter,
    ):
        meter.carry(port)
        with Ground(tmp_path / "run", setting, port, connect=f"tcp://{HERE}:{port}") as ground:
            meter.carry(beat_port(ground))
            agent = ground.agents["agent-1"]
            ground.until(lambda: meter.carried_bytes[way] > half_bytes, f"half of {words[way]}")
            agent.signal(signal.SIGKILL)
            ground.until_later(0.1)
            first_bytes = meter.carried_bytes[way]
            attempt.recovered(ground.until_progress(ground.progress()))
            at_first_update = meter.carried_bytes.copy()
            ground.finish()
            check_books(ground.run)
            print(f"{way}: {first_bytes:,} until the kill, {at_first_update[way]:,} until the update")
            first = next(update.record for update in ground.updates())
    needed = setting.state_bytes * (1 + FRAMES) + 2 * WINDOW_BYTES
    assert first_bytes >= half_bytes
    assert at_first_update[way] <= needed
    assert first.resumed_bytes >= half_bytes - 2 * WINDOW_BYTES
