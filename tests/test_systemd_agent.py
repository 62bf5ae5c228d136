"""The agent's unit under a real systemd of the test's own: start, watchdog, kill, restart, stop, keys, whole rounds."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchtools import LONGEST_S, NULL, TINY, command, only_run, rounds
from systemd_stage import ENVIRONMENT, HOME, VENV, SystemdStage, skip_unless_permitted

from agents.systemd import ENVIRONMENT_FILE, KEYS, SHAPER_UNIT, USER_FILE, environment_file, unit_files, user_file
from harness.keys import AllowedList, make_pair, read_public

UNIT, TEMPLATE = "federa-bench-agent@orin-01.service", "federa-bench-agent@.service"
AWAY = UNIT.replace("orin-01", "orin-02")
"""An agent of which no story but one takes notice: nobody is where it looks for its controller."""
ADDRESS = "10.7.0.1"
CONTROLLER = f"tcp://{ADDRESS}:5555"
KEYS_FOLDER = KEYS.removeprefix("/etc/")
WATCHDOG_S = 1
STATE = ("ActiveState", "SubState", "MainPID", "NRestarts", "Result", "ExecMainStatus", "StatusText")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The controller's folder of keys: the device is allowed, and its pair was made here too, for brevity."""
    for name in ("controller", "orin-01"):
        make_pair(tmp_path / "keys", name)
    AllowedList(tmp_path / "keys").add(read_public(tmp_path / "keys" / "orin-01.public"))
    return tmp_path / "keys"


@pytest.fixture
def stage(tmp_path: Path, keys: Path) -> Iterator[SystemdStage]:
    """A systemd with the units installed, nothing of them started, and nobody at the controller's address."""
    skip_unless_permitted(tmp_path / "probe")
    given = environment_file(CONTROLLER) + "".join(f"{name}={value}\n" for name, value in ENVIRONMENT.items())
    etc = {USER_FILE.removeprefix("/etc/"): user_file(), ENVIRONMENT_FILE.removeprefix("/etc/"): given}
    etc["sysusers.d/gpu.conf"] = "g video -\ng render -\n"  # a machine without udev has no render
    for name in ("orin-01.secret", "controller.public"):
        etc[f"{KEYS_FOLDER}/{name}"] = (keys / name).read_text()
    (tmp_path / "stage").mkdir()
    with SystemdStage(tmp_path / "stage", unit_files(VENV), etc) as stage:
        stage.run("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")
        yield stage


def restarted(before: dict[str, str], stage: SystemdStage) -> dict[str, str]:
    """Wait until systemd started the unit again and it is ready; returns its state."""
    count = int(before["NRestarts"])
    return stage.until(UNIT, lambda now: now["ActiveState"] == "active" and int(now["NRestarts"]) > count, *STATE)


def test_an_agent_is_active_once_its_loop_turns(stage: SystemdStage) -> None:
    stage.systemctl("start", UNIT)
    state = stage.show(UNIT, *STATE, "Type", "NotifyAccess", "LimitNOFILE", "OOMPolicy", "DevicePolicy", "DeviceAllow")
    assert (state["ActiveState"], state["SubState"], state["NRestarts"]) == ("active", "running", "0")
    assert state["StatusText"], "it says what it does"
    assert (state["LimitNOFILE"], state["OOMPolicy"]) == ("8192", "continue")
    assert (state["DevicePolicy"], state.get("DeviceAllow", "")) == ("auto", ""), "the GPU's devices are not on a list"


def test_an_agent_runs_as_its_user_with_the_groups_of_the_gpu_and_no_capability(stage: SystemdStage) -> None:
    stage.systemctl("start", UNIT)
    status = stage.run("cat", f"/proc/{stage.show(UNIT, 'MainPID')['MainPID']}/status")
    groups = {stage.run("getent", "group", name).split(":")[2] for name in ("video", "render", "federa-bench")}
    assert set(re.findall(r"^Groups:\t(.*)$", status, re.M)[0].split()) == groups
    assert re.findall(r"^Uid:\t(\d+)", status, re.M) == [stage.run("id", "-u", "federa-bench").strip()]
    assert set(re.findall(r"^Cap(?:Prm|Eff|Bnd|Amb):\t0*(.*)$", status, re.M)) == {""}
    assert re.findall(r"^(NoNewPrivs|Seccomp):\t(\d)", status, re.M) == [("NoNewPrivs", "1"), ("Seccomp", "2")]


def test_an_agent_opens_a_device_of_the_gpus_group(stage: SystemdStage) -> None:
    # Any device will do that is not among those (null, zero, tty ...) which no list of devices forbids.
    stage.run("sh", "-c", "mknod -m 660 /dev/nvhost-gpu c 10 229 && chgrp video /dev/nvhost-gpu")
    probe = "ExecStart=\nExecStart=sh -c 'exec 3<>/dev/nvhost-gpu'\nType=oneshot\nRestart=no\n"
    stage.drop_in(TEMPLATE, f"[Service]\n{probe}")
    stage.systemctl("start", UNIT)
    stage.drop_in(TEMPLATE, f"[Service]\n{probe}DeviceAllow=/dev/null rw\n")
    stage.systemctl("start", UNIT, check=False)
    assert "nvhost-gpu: Operation not permitted" in stage.log(UNIT), "a list of devices would have been seen"


def test_an_agent_writes_its_own_folder_alone_and_sees_no_home(stage: SystemdStage) -> None:
    stage.systemctl("start", UNIT)
    pid = stage.show(UNIT, "MainPID")["MainPID"]
    tried = "; ".join(
        f"touch {place}/x 2>&1" for place in ("/etc", "/opt", "/var/lib", "/var/lib/federa-bench/orin-01")
    )
    said = stage.run("nsenter", "-t", pid, "-m", "sh", "-c", f"{tried}; ls -A /root /home", check=False)
    assert re.findall(r"'(\S+)/x': Read-only file system", said) == ["/etc", "/opt", "/var/lib"]
    assert said.splitlines()[3:] == ["/home:", "", "/root:"], "empty"


def test_an_agent_may_ask_whether_the_clock_is_synchronised(stage: SystemdStage) -> None:
    ask = "import ctypes; raise SystemExit(ctypes.CDLL(None).adjtimex(bytes(512)) < 0)"
    once = f"[Service]\nType=oneshot\nRestart=no\nExecStart=\nExecStart={VENV}/bin/python -c '{ask}'\n"
    stage.drop_in(TEMPLATE, once)
    stage.systemctl("start", UNIT)
    stage.drop_in(TEMPLATE, f"{once}SystemCallFilter=~adjtimex clock_adjtime\n")
    assert "failed" in stage.run("sh", "-c", f"systemctl start {UNIT} 2>&1", check=False)


def test_a_wedged_agent_is_restarted_by_the_watchdog(stage: SystemdStage) -> None:
    stage.drop_in(TEMPLATE, "[Service]\nWatchdogSec=1\nRestartSec=0\nTimeoutAbortSec=1\n")
    stage.systemctl("start", UNIT)
    before = stage.show(UNIT, *STATE)
    os.kill(stage.outside(before["MainPID"]), signal.SIGSTOP)
    assert restarted(before, stage)["MainPID"] != before["MainPID"]
    assert "Watchdog timeout" in stage.log(UNIT)


def test_a_loop_that_turns_without_progress_is_restarted_and_the_log_shows_where_it_was(stage: SystemdStage) -> None:
    loop = f"{VENV}/bin/python {HOME}/source/tests/watched_loop.py"
    stage.drop_in(TEMPLATE, f"[Service]\nWatchdogSec=1\nRestartSec=0\nExecStart=\nExecStart={loop}\n")
    stage.systemctl("start", UNIT)
    before = stage.show(UNIT, *STATE)
    assert before["StatusText"] == "turns"
    os.kill(stage.outside(before["MainPID"]), signal.SIGUSR1)
    restarted(before, stage)
    assert 'watched_loop.py", line' in stage.log(UNIT), "the stack, by PYTHONFAULTHANDLER"


def test_a_killed_agent_is_started_again(stage: SystemdStage) -> None:
    stage.drop_in(TEMPLATE, "[Service]\nRestartSec=0\n")
    stage.systemctl("start", UNIT)
    before = stage.show(UNIT, *STATE)
    os.kill(stage.outside(before["MainPID"]), signal.SIGKILL)
    assert restarted(before, stage)["MainPID"] != before["MainPID"]


def test_an_agent_stops_cleanly_and_starts_again(stage: SystemdStage) -> None:
    stage.systemctl("start", UNIT)
    stage.systemctl("restart", UNIT)
    assert stage.show(UNIT, "ActiveState")["ActiveState"] == "active"
    stage.systemctl("stop", UNIT)
    state = stage.show(UNIT, *STATE)
    assert (state["ActiveState"], state["Result"], state["ExecMainStatus"]) == ("inactive", "success", "0")
    assert "SIGTERM" in stage.log(UNIT)
    stage.systemctl("start", UNIT)


def test_an_agent_reads_its_key_as_a_credential_that_its_user_could_not_read(stage: SystemdStage) -> None:
    stage.systemctl("start", UNIT)
    stage.systemctl("stop", UNIT)
    # Without the credential, as an older systemd leaves it, root's key is none for this user, and its own is.
    stage.drop_in(TEMPLATE, "[Service]\nLoadCredential=\n")
    stage.systemctl("start", UNIT, check=False)
    assert "orin-01.secret cannot be read: Permission denied" in stage.log(UNIT)
    stage.run("chown", "federa-bench:", f"{KEYS}/orin-01.secret")
    stage.systemctl("restart", UNIT)
    assert stage.show(UNIT, "ActiveState")["ActiveState"] == "active"
    stage.systemctl("stop", UNIT)
    stage.run("chmod", "0640", f"{KEYS}/orin-01.secret")
    stage.systemctl("start", UNIT, check=False)
    assert "can be read by others" in stage.log(UNIT)


@pytest.mark.parametrize("trainer", ["torch", "null"])
def test_a_busy_agent_and_one_whose_controller_is_away_are_left_alone(
    stage: SystemdStage, keys: Path, tmp_path: Path, trainer: str
) -> None:
    stage.drop_in(TEMPLATE, f"[Service]\nWatchdogSec={WATCHDOG_S}\n")
    make_pair(stage.shared, "orin-02")
    stage.run("install", "-m", "600", "/stage/orin-02.secret", KEYS)
    (stage.shared / "away.env").write_text(environment_file(f"tcp://{ADDRESS}:5556"))
    stage.run("cp", "/stage/away.env", ENVIRONMENT_FILE.replace(".env", "-orin-02.env"))
    stage.systemctl("start", UNIT, AWAY)
    busy = [*NULL, "--set", "link={name: slow, rate_mbps: 10}"] if trainer == "null" else ["--set", "train.epochs=60"]
    words = [
        "run",
        TINY,
        "--method",
        "federa",
        "--external",
        "--agents",
        "1",
        "--bind",
        CONTROLLER,
        "--keys",
        str(keys),
    ]
    less = ["--set", "rounds.clients_per_round=1", "--set", "rounds.count=1", "--set", "rounds.deadline_s=300"]
    run = stage.enter(*command(*words, *less, *busy), only_net=True)
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}{stage.log(UNIT)}"
    (record,) = rounds(only_run(tmp_path / "runs"))
    assert max(record.train_s, record.download_s, record.upload_s) > 2 * WATCHDOG_S, "it was busy for long enough"
    said = stage.log(UNIT)
    assert stage.show(UNIT, "NRestarts")["NRestarts"] == "0", said
    assert "notification message" not in said, "nothing that the agent starts speaks for it"
    # It says so after ten times the watchdog's time-out (agents.line.JOIN_S).
    stage.until(AWAY, lambda _: "did not answer; connecting again" in stage.log(AWAY), *STATE)
    assert stage.show(AWAY, "NRestarts")["NRestarts"] == "0", stage.log(AWAY)


def test_both_services_keep_a_link_in_the_kernel(stage: SystemdStage, keys: Path) -> None:
    words = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
    stage.drop_in(SHAPER_UNIT, f"[Service]\nEnvironment={' '.join(words)}\n")
    stage.systemctl("start", SHAPER_UNIT, UNIT)
    shutil.copytree(keys, stage.shared / "keys")
    run = ["run", f"{HOME}/source/tests/profiles/tiny.yaml", "--method", "federa", "--external", "--agents", "1"]
    where = ["--bind", CONTROLLER, "--keys", "/stage/keys"]
    less = [*NULL, "--set", "rounds.clients_per_round=1", "--set", "rounds.count=1", "--set", "rounds.deadline_s=300"]
    link = ["--set", "link={name: kept, rate_mbps: 20, shaping: kernel}"]
    inside = ["env", "--chdir=/stage", *words, f"{VENV}/bin/federa-bench", *run, *where, *less, *link]
    stage.run(*inside)
    (record,) = rounds(only_run(stage.shared / "runs"))
    assert record.completed == record.selected
    kept = re.findall(r"keeps .*'(agent|controller)'\) at 20\.000 Mbit/s", stage.log(SHAPER_UNIT))
    assert sorted(kept) == ["agent", "controller"]
    stage.until(SHAPER_UNIT, lambda _: "fedb:" not in stage.run("tc", "qdisc", "show", "dev", "lo"), *STATE)
