"""Facts about made-up devices, for tests of plans."""

from __future__ import annotations

from typing import Any

import msgspec

from harness.deploy.facts import Facts, Installed, Torch
from harness.deploy.places import AGENT_UNIT, ENVIRONMENT, SHAPER_UNIT, UNITS, USER_FILE
from harness.deploy.plan import Parcel
from harness.deploy.wish import Wish
from harness.keys.keyfile import Named

CONTROLLER = Named("controller", "c" * 40)
OTHER_KEY = "o" * 40
WISH = Wish(host="lab@orin-01", name="orin-01", connect="tcp://192.168.1.10:5555", options="")
BOARD = Facts(
    user="lab",
    uid=1000,
    sudo=None,
    host="orin-01",
    machine="aarch64",
    board="NVIDIA Jetson AGX Orin Developer Kit",
    jetpack="# R36 (release), REVISION: 4.3",
    python="/usr/bin/python3",
    prefix="/usr",
    python_version=(3, 10, 12),
    venv=True,
    torch=Torch(version="2.5.0a0+872d972e41.nv24.08", cuda=True, file="/usr/local/x", numpy="1.26.4"),
    pip=True,
    systemd=249,
    booted=True,
    groups=("video", "render"),
    agent_user=False,
    rsync=True,
    tc=True,
    free_bytes=20 * 10**9,
    installed=Installed(),
)
TEXTS = {
    f"{UNITS}/{AGENT_UNIT}": "[Service]\n",
    f"{UNITS}/{SHAPER_UNIT}": "[Service]\n",
    USER_FILE: "u federa-bench\n",
    ENVIRONMENT: "FEDERA_BENCH_CONNECT=x\n",
}
PARCEL = Parcel(
    release="aaaaaaaaaaaa",
    files=("/tmp/parcel/",),
    wheel="federa_bench-0.1.0-py3-none-any.whl",
    pip="pip-23.2.1-py3-none-any.whl",
    wheelhouse=False,
    texts=TEXTS,
)


def board(**changes: Any) -> Facts:
    """The board, with these facts changed."""
    return msgspec.structs.replace(BOARD, **changes)
