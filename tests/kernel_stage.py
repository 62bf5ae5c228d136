"""One update of a real agent whose uplink a real helper keeps: ``python kernel_stage.py FOLDER RATE_MBPS BYTES``.

Run it in a network namespace of its own, whose loopback device it shapes. The record and the words on the device come
out as JSON.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
from stub_stage import Stage

from harness.errors import ShapingError
from harness.profiles import LinkProfile
from harness.protocol import messages as m
from harness.shaping import Shaper

HELPER = "import sys; from harness.shaper_command import main; sys.exit(main(sys.argv[1:]))"


def await_helper(socket: Path) -> None:
    limit_s = time.monotonic() + 30
    while time.monotonic() < limit_s:
        try:
            return Shaper.connect(socket).close()
        except ShapingError:
            time.sleep(0.02)
    raise TimeoutError("the helper did not come up")


def main(folder: Path, rate_mbps: float, size_bytes: int) -> None:
    stage = Stage(folder)
    stage.cache.mkdir()
    socket = stage.cache / "shaper.sock"
    helper = subprocess.Popen([sys.executable, "-c", HELPER, "--socket", str(socket)])
    try:
        await_helper(socket)
        stage.controller.link = LinkProfile(name="kernel", rate_mbps=rate_mbps, latency_s=0.01, shaping="kernel")
        stage.start()
        stage.controller.until(m.Ready)
        stage.controller.task(os.urandom(size_bytes))
        record = stage.controller.until(m.Done).record
        report = stage.controller.until(m.DeviceReport).report
        print(json.dumps({"record": msgspec.to_builtins(record), "report": report}))
    finally:
        stage.close()
        helper.terminate()
        helper.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
