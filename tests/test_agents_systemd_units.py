"""The unit files as systemd itself judges them, and as text. None is started here: see test_systemd_*.py."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agents.systemd import AGENT_UNIT, SHAPER_UNIT, UNIT_FOLDER, USER_FILE, environment_file, unit_files, user_file
from agents.systemd.__main__ import main
from harness.errors import UsageError

MOST_EXPOSURE = 4.0
INSTANCE = AGENT_UNIT.replace("@", "@orin-01")
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")


@pytest.fixture
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit of this environment, as an instance where it is a template."""
    program = tmp_path / "venv" / "bin" / "federa-bench"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    path = tmp_path / (INSTANCE if request.param == AGENT_UNIT else request.param)
    path.write_text(unit_files(str(tmp_path / "venv"))[request.param])
    return path


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, check=False)


@needs_systemd
@pytest.mark.parametrize("unit", [AGENT_UNIT, SHAPER_UNIT], indirect=True)
def test_systemd_has_nothing_to_say_of_a_unit(unit: Path) -> None:
    done = analyze("verify", str(unit))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
@pytest.mark.parametrize("unit", [AGENT_UNIT], indirect=True)
def test_a_wrong_key_would_have_been_seen(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("RestartSec=", "RestartSecond="))
    assert "RestartSecond" in analyze("verify", str(unit)).stderr


@needs_systemd
@pytest.mark.parametrize("unit", [AGENT_UNIT, SHAPER_UNIT], indirect=True)
def test_a_unit_exposes_little(unit: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE * 10:.0f}", str(unit))
    (exposure,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert done.returncode == 0, done.stderr
    assert 0 < float(exposure) <= MOST_EXPOSURE


def test_the_paths_of_a_machine_are_put_in() -> None:
    agent = unit_files("/srv/fb/", keys="/srv/keys")[AGENT_UNIT]
    assert "ExecStart=/srv/fb/bin/federa-bench agent --name %i " in agent
    assert "LoadCredential=agent.secret:/srv/keys/%i.secret\n" in agent
    assert "Environment=FEDERA_BENCH_KEYS=/srv/keys\n" in agent
    assert not [text for text in unit_files("/srv/fb").values() if re.search("@[A-Z_]+@", text)]


@pytest.mark.parametrize(
    "venv", ["venv", "/opt/my venv", "/opt/100%", "/opt/$HOME", '/opt/"', "/opt/a\nExecStart=/bin/sh", ""]
)
def test_a_path_that_systemd_would_read_as_something_else_is_refused(venv: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in a unit"):
        unit_files(venv)


def test_a_group_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="no name of a group"):
        unit_files("/opt/venv", groups=("video\nUser=root",))


def test_a_machine_without_a_gpu_needs_no_groups() -> None:
    assert "SupplementaryGroups=\n" in unit_files("/opt/venv", groups=())[AGENT_UNIT]


def test_homes_are_hidden_unless_the_environment_is_in_one() -> None:
    for venv, reads, protect in [
        ("/opt/venv", (), "yes"),
        ("/homestead/venv", (), "yes"),
        ("/home/ada/venv", (), "read-only"),
        ("/opt/venv", ("/run/user/1000/python",), "read-only"),
    ]:
        for text in unit_files(venv, reads=reads).values():
            assert f"\nProtectHome={protect}\n" in text


@pytest.mark.parametrize(
    "key",
    [
        "PrivateDevices",
        "MemoryDenyWriteExecute",
        "ProcSubset",
        "ProtectClock",
        "DevicePolicy",
        "DeviceAllow",
    ],
)
def test_nothing_that_breaks_cuda_or_the_sensors_is_set_for_agents(key: str) -> None:
    assert f"\n{key}=" not in unit_files("/opt/venv")[AGENT_UNIT]


def test_the_controllers_address_and_options_become_an_environment_file() -> None:
    text = environment_file("tcp://10.0.0.1:5555", ["--log-level", "debug"])
    assert text == 'FEDERA_BENCH_CONNECT="tcp://10.0.0.1:5555"\nFEDERA_BENCH_OPTIONS="--log-level debug"\n'


@pytest.mark.parametrize("word", ["two words", 'quo"te', "back\\slash", "$HOME", "line\nMORE=1", ""])
def test_a_word_that_systemd_would_change_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in"):
        environment_file("tcp://10.0.0.1:5555", [word])


def test_the_command_writes_the_units_and_the_user(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(tmp_path), "--venv", "/opt/venv"]) == 0
    units = tmp_path / UNIT_FOLDER[1:]
    assert {path.name for path in units.iterdir()} == {AGENT_UNIT, SHAPER_UNIT}
    assert "/opt/venv/bin/federa-bench" in (units / SHAPER_UNIT).read_text()
    assert (units / AGENT_UNIT).stat().st_mode & 0o777 == 0o644
    assert (tmp_path / USER_FILE[1:]).read_text() == user_file()
    assert str(units / AGENT_UNIT) in capsys.readouterr().out


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(tmp_path), "--venv", "relative"]) == 2
    assert "'relative' cannot stand in a unit" in capsys.readouterr().err
    (tmp_path / "etc").write_text("")
    assert main(["--root", str(tmp_path), "--venv", "/opt/venv"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_command_can_be_started_as_a_module(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agents.systemd", "--root", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"ExecStart={sys.prefix}/bin/federa-bench" in (tmp_path / UNIT_FOLDER[1:] / AGENT_UNIT).read_text()
