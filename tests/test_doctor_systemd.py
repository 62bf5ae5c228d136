"""The doctor under a real systemd: what it says of services, and its command of docs/devices.md as one of them."""

import grp
import json
import shlex
from collections.abc import Iterator
from itertools import pairwise

import pytest
from systemd_stage import ENVIRONMENT, VENV, SystemdStage, skip_unless_permitted
from test_docs_devices import LINES

from agents.systemd import AGENT_UNIT, KEYS, SHAPER_UNIT, user_file
from agents.systemd.units import CUDA_GROUPS
from harness.keys import make_pair

SERVICE = "[Service]\nType={}\nExecStart={}\n"
AGENT = AGENT_UNIT.replace("@", "@orin-01")
FOLDER = "/var/lib/federa-bench/orin-01"
GROUPS = [name for name in CUDA_GROUPS if name in {group.gr_name for group in grp.getgrall()}]


def as_on_a_board() -> str:
    """A unit of what the page gives to systemd-run, which itself wants a bus. Groups and environment are those here."""
    [line] = [" ".join(line.split()) for line in LINES if line.startswith("sudo systemd-run ")]
    options, _, words = line.replace("--import-torch ", "").partition("/opt/federa-bench/current")
    told = shlex.split(options)
    properties = [value for option, value in pairwise(told) if option == "-p"]
    lines = [one.replace(" ".join(CUDA_GROUPS), " ".join(GROUPS)) for one in properties]
    lines += [f"Environment={name}={value}" for name, value in ENVIRONMENT.items()]
    lines += ["StandardOutput=truncate:/stage/said.json", f"ExecStart={VENV}{words} --json --patience 60"]
    return "\n".join(["[Service]", "Type=oneshot", *lines, ""])


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemdStage]:
    folder = tmp_path_factory.mktemp("stage")
    skip_unless_permitted(folder / "probe")
    units = {
        AGENT_UNIT: SERVICE.format("exec", "/bin/sleep 1000"),
        SHAPER_UNIT: SERVICE.format("oneshot", "/bin/false"),
        "doctor.service": as_on_a_board(),
    }
    etc = {"sysusers.d/federa-bench.conf": user_file()}
    for name, kept in (("orin-01", "secret"), ("controller", "public")):
        make_pair(folder / "keys", name)
        etc[f"{KEYS.removeprefix('/etc/')}/{name}.{kept}"] = (folder / "keys" / f"{name}.{kept}").read_text()
    with SystemdStage(folder / "stage", units, etc) as stage:
        yield stage


def services(stage: SystemdStage) -> dict:
    said = json.loads(
        stage.run(f"{VENV}/bin/federa-bench", "doctor", "--patience", "60", "--role", "agent", "--json", check=False)
    )
    return {row["name"]: row for row in said["findings"]}["services"]


def test_a_machine_without_our_units_is_told_where_they_come_from(stage: SystemdStage) -> None:
    line = services(stage)
    assert (line["state"], "no units of federa-bench are here" in line["says"]) == ("skipped", True)


def test_an_agent_that_runs_is_fine_until_the_helper_fails(stage: SystemdStage) -> None:
    stage.systemctl("start", AGENT)
    line = services(stage)
    assert line["state"] == "ok"
    assert line["says"].endswith(f": {AGENT} active")
    stage.systemctl("start", SHAPER_UNIT, check=False)
    line = services(stage)
    assert (line["state"], line["values"]) == ("fail", {**line["values"], AGENT: "active", SHAPER_UNIT: "failed"})
    assert line["do"] == f"see why: journalctl -u {SHAPER_UNIT} -n 50"


def test_its_command_on_a_board_has_the_user_the_groups_and_the_key_of_the_service(stage: SystemdStage) -> None:
    stage.run("install", "-d", "-o", "federa-bench", FOLDER)
    stage.systemctl("start", "doctor.service", check=False)
    said = json.loads((stage.shared / "said.json").read_text())
    lines = {row["name"]: row for row in said["findings"]}
    assert (said["role"], lines["groups"]["values"]["user"]) == ("agent", "federa-bench")
    assert lines["groups"]["says"] == f"federa-bench is in {', '.join([*GROUPS, 'federa-bench'])}"
    assert (lines["python"]["state"], lines["keys"]["state"]) == ("ok", "ok"), lines["keys"]["says"]
    assert lines["keys"]["values"]["name"] == "orin-01"
    assert lines["disk"]["says"].startswith(f"cache in {FOLDER}: "), lines["disk"]["says"]
