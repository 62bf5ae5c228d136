"""A real agent over a link that the kernel keeps, in a network namespace of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STAGE = Path(__file__).with_name("kernel_stage.py")
OWN_NETWORK = ("unshare", "--net", "--")
UP = "ip link set lo mtu 1500 up && exec"
RATE_MBPS, SIZE_BYTES = 5.0, 500_000


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict:
    if not (shutil.which("unshare") and shutil.which("tc") and shutil.which("ip")):
        pytest.skip("unshare, ip and tc are needed")
    probe = subprocess.run([*OWN_NETWORK, "sh", "-c", "ip link set lo up && tc qdisc add dev lo root htb"], check=False)
    if probe.returncode:
        pytest.skip("network namespaces with tc are not permitted here")
    folder = tmp_path_factory.mktemp("kernel")
    run = f"{UP} {sys.executable} {STAGE} {folder} {RATE_MBPS} {SIZE_BYTES}"
    done = subprocess.run([*OWN_NETWORK, "sh", "-c", run], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_upload_has_the_rate_that_the_kernel_keeps(told: dict) -> None:
    record = told["record"]
    assert record["link_up_bps"] == pytest.approx(RATE_MBPS * 1e6)
    assert record["upload_s"] >= 0.9 * SIZE_BYTES * 8 / (RATE_MBPS * 1e6)
    assert record["upload_bytes"] == SIZE_BYTES


def test_what_the_downlink_allowed_is_the_controller_s_to_say(told: dict) -> None:
    assert told["record"]["link_down_bps"] is None


def test_the_report_tells_what_was_applied(told: dict) -> None:
    shaping = told["report"]["shaping"]
    assert (shaping["interface"], shaping["rate_mbps"]) == ("lo", RATE_MBPS)
    assert shaping["commands"]
