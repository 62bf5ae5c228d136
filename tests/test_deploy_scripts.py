"""Every script is one that a plain shell reads, and those that can run here do what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness.deploy import places, removal, scripts
from harness.deploy.steps import whole


def test_torch_is_never_asked_for_and_the_index_only_where_there_is_no_wheelhouse() -> None:
    alone, asking = (scripts.packages("/usr/bin/python3", "a1", "x.whl", None, wheelhouse=it) for it in (True, False))
    assert "torch" not in alone + asking
    assert alone.count("--no-index") == 2
    assert asking.count("--no-index") == 1, "the wheel itself never comes from an index"


def test_the_secret_is_made_there_and_its_mode_is_left_alone() -> None:
    script = scripts.new_key("orin-01", "a1", by_root=True)
    assert f"chmod 0644 {places.KEYS}/orin-01.public" in script
    assert not any(line.startswith("chmod") and ".secret" in line for line in script.splitlines())


def test_a_release_that_cannot_be_made_is_removed(tmp_path: Path) -> None:
    release = tmp_path / "releases" / "a1"
    script = scripts.packages(sys.executable, "a1", "x.whl", "no-such-pip.whl", wheelhouse=True)
    here = whole(script.replace(places.PROGRAM, str(tmp_path)))
    done = subprocess.run(["sh"], input=here, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no-such-pip.whl" in done.stderr
    assert not release.exists()


def test_every_script_is_one_that_a_shell_reads() -> None:
    made = [
        scripts.folders(),
        scripts.user("u x\n"),
        scripts.packages("/usr/bin/python3", "a1", "x.whl", "pip.whl", wheelhouse=True),
        scripts.packages("/usr/bin/python3", "a1", "x.whl", None, wheelhouse=False),
        scripts.check("a1", "2.5.0a0+nv"),
        scripts.new_key("orin-01", "a1", by_root=True),
        scripts.install({"/etc/x": "y"}, "a1", "b2"),
        scripts.start("orin-01", again=True, shaper=True, shaper_again=True),
        scripts.ready("orin-01"),
        scripts.undo("orin-01", "b2"),
        scripts.tidy("a1", "b2"),
        *(step.script for step in removal.everything(keep_cache=False)),
        *(step.script for step in removal.everything(keep_cache=True)),
    ]
    for script in made:
        done = subprocess.run(["sh", "-n"], input=whole(script), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{script}\n{done.stderr}"
