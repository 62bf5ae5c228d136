"""What a controller's model takes by itself: ``python model_alone.py RUN FOLDER``.

Prepares the run's workload anew in FOLDER and evaluates its first state, as the controller does, without agents,
updates or averaging; then tells the peak of its own memory in bytes.
"""

import os
import sys
from pathlib import Path

from peaks import peak_rss_bytes

from harness.learning.workload import Sources, prepare
from harness.profiles import build
from harness.store import RunFolder

if __name__ == "__main__":
    run, folder = map(Path, sys.argv[1:])
    header = RunFolder.open(run).read_header()
    workload = prepare(build(header.profile, str(run)), header.method, Sources(), folder, lambda line: None)
    assert workload.evaluator is not None
    workload.evaluator(RunFolder(run).checkpoint(1), lambda done: None)
    print(peak_rss_bytes(os.getpid()))
