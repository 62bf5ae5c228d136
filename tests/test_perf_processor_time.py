"""Where processor time goes: this process and its children, thread by thread."""

from __future__ import annotations

import subprocess
import sys
import time

from perf.processor_time import Thread, spent, told

WORKS = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"


def test_what_this_process_and_its_children_did_is_told_apart() -> None:
    before, begun_s = spent(), time.process_time()
    with subprocess.Popen([sys.executable, "-c", WORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        while time.process_time() < begun_s + 0.1:
            pass
        after = spent()
        child.communicate(b"\n")
    own_s = sum(after[thread] - before.get(thread, 0.0) for thread in after if thread.process == "controller")
    theirs_s = sum(after[thread] for thread in after if thread.process != "controller")
    assert own_s >= 0.09
    assert theirs_s >= 0.19


def test_the_dearest_thread_is_told_first_and_what_takes_nothing_not_at_all() -> None:
    main, other, idle = Thread("controller", "python"), Thread("agents", "ZMQbg/IO/0"), Thread("agents", "idle")
    lines = told({main: 1.0}, {main: 2.0, other: 4.0, idle: 0.0}, per=10).splitlines()
    assert lines[0] == f"{0.5:8.4f} s of processor time a round, all processes together"
    assert [line.split(" s  ")[1] for line in lines[1:]] == ["agents, thread ZMQbg/IO/0", "controller, thread python"]
