"""``federa-bench profiles measure``: from run folders to profile files, and a table that shows their worth."""

from __future__ import annotations

import io
import itertools
import shlex
from pathlib import Path

import msgspec
import pytest
from measured_runs import experiment, run
from rich.console import Console
from run_folders import partition, write

from analysis.load import Run
from harness import library, measuring
from harness.errors import UsageError
from harness.measure_command import Measured, measure, recorded, replay_command, show
from harness.measuring import Recorded
from harness.profiles import DeviceProfile, LinkProfile


def folder(path: Path, of: Recorded) -> Path:
    """The run folder of a run."""
    return write(path, Run(of.header, of.rounds, of.clients, path, partition=partition()))


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_a_run_leaves_two_profiles_beside_it_and_shows_their_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = folder(tmp_path / "r", run())
    measure([real], None, as_json=False)
    device = library.load_part(DeviceProfile, str(real / "measured-device.yaml"))
    link = library.load_part(LinkProfile, str(real / "measured-link.yaml"))
    assert (device, link) == (measuring.measured_device([recorded(real)]), measuring.measured_link([recorded(real)]))
    text = printed(capsys)
    assert "federa: 12 updates in 4 rounds" in text
    for word in ("download", "serialise", "client total", "aggregate", "held", "whole run:"):
        assert word in text
    assert f"written: {real / 'measured-link.yaml'}" in text


def test_the_command_it_names_is_one_that_loads(tmp_path: Path) -> None:
    of = msgspec.structs.replace(library.load_experiment("quickstart"), link=experiment().link)
    real = folder(tmp_path / "a run", run(of))
    measure([real], None, as_json=True)
    command = library.first_comment(real / "measured-device.yaml")
    words = shlex.split(command)
    assert words[:5] == ["federa-bench", "run", "quickstart", "--method", "federa"]
    sets = [after for before, after in itertools.pairwise(words) if before == "--set"]
    loaded = library.load_experiment("quickstart", sets)
    assert (loaded.fleet, loaded.device.name, loaded.link.name) == ("virtual", "measured-local", "measured-wifi")
    assert loaded.device.seconds[0].method == "federa"


def test_several_runs_make_one_device_in_the_folder_that_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [folder(tmp_path / method, run(method=method)) for method in ("federa", "fedlr")]
    measure([*runs, runs[0]], tmp_path / "new" / "out", as_json=True)
    told = msgspec.json.decode(printed(capsys), type=Measured)
    assert told.device == str(tmp_path / "new" / "out" / "measured-device.yaml")
    assert [replay.method for replay in told.replays] == ["federa", "fedlr"]
    assert [entry.method for entry in library.load_part(DeviceProfile, told.device).seconds] == ["federa", "fedlr"]
    assert "compare" in shlex.split(told.command)
    assert "federa fedlr" in shlex.split(told.command)


def test_older_files_are_replaced(tmp_path: Path) -> None:
    real = folder(tmp_path / "r", run())
    (real / "measured-device.yaml").write_text("name: of-last-week")
    measure([real], None, as_json=True)
    assert "of-last-week" not in (real / "measured-device.yaml").read_text()


def test_an_update_of_a_round_that_is_still_open_is_not_measured(tmp_path: Path) -> None:
    half = run(rounds=3)
    real = folder(tmp_path / "r", half._replace(rounds=half.rounds[:2]))
    assert {record.round for record in recorded(real).clients} == {1, 2}


def test_the_command_takes_what_the_run_took(tmp_path: Path) -> None:
    words = shlex.split(replay_command([run(data="/some where", seed=3)], tmp_path))
    assert words[2] == "PROFILE"
    assert words[words.index("--data") + 1] == "/some where"
    assert words[words.index("--seed") + 1] == "3"
    assert "--models" not in words


def test_the_command_overrides_what_the_run_overrode(tmp_path: Path) -> None:
    sets = ["train.null_state_bytes=1000", "train.schedule=linear", "methods.fedap={lr: 0.25}", "agents.count=1"]
    of = library.load_experiment("null", [*sets, "rounds.count=3", "seeds.link=3"])
    words = shlex.split(replay_command([run(of, seed=0)], tmp_path))
    given = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    replayed = library.load_experiment(words[2], [*given[:-3], "rounds.count=3"])
    own = {"agents": library.load_experiment("null").agents}
    assert msgspec.structs.replace(replayed, **own) == msgspec.structs.replace(of, **own)
    assert [override.partition("=")[0] for override in given[-3:]] == ["fleet", "device", "link"]
    assert replay_command([run(library.load_experiment("null"))], tmp_path).count("--set") == 3


def test_a_folder_that_is_none_and_a_run_that_measures_nothing_end_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a run folder"):
        measure([tmp_path], None, as_json=False)
    with pytest.raises(UsageError, match="name the runs"):
        measure([], None, as_json=False)
    virtual = folder(tmp_path / "v", run(experiment(fleet="virtual")))
    with pytest.raises(UsageError, match="virtual fleet"):
        measure([virtual], None, as_json=False)
    assert not (virtual / "measured-device.yaml").exists()


def test_a_folder_of_runs_stands_for_all_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = folder(tmp_path / "runs" / "a", run())
    folder(tmp_path / "runs" / "b", run())
    (tmp_path / "runs" / "reports").mkdir()
    with pytest.raises(UsageError, match="is not a run folder"):
        measure([tmp_path / "runs" / "reports"], None, as_json=False)
    measure([first.parent], None, as_json=False)
    assert printed(capsys).count("as recorded and replayed") == 2
    assert (first / "measured-device.yaml").exists()


def test_files_that_cannot_be_written_end_in_a_sentence(tmp_path: Path) -> None:
    real = folder(tmp_path / "r", run())
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"measured-device.yaml cannot be written: .*--out"):
        measure([real], tmp_path / "file", as_json=False)


def test_the_table_fits_a_narrow_terminal_and_warnings_follow_it() -> None:
    runs = [run()]
    replays = measuring.replayed(runs, measuring.measured_device(runs), measuring.measured_link(runs))
    written = io.StringIO()
    measured = Measured(device="d", link="l", command="c", warnings=("[agents] differ",), replays=replays)
    show(Console(file=written, width=80), measured)
    text = written.getvalue()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "client total" in text
    assert "warning: [agents] differ" in text
