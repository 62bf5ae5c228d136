"""The main job on real processes, sockets and training, small."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchtools import TINY, bench, hashes, only_run, rounds


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tiny run of FeDeRA with two agents."""
    folder = tmp_path_factory.mktemp("finished")
    result = bench("run", TINY, "--method", "federa", cwd=folder)
    assert result.returncode == 0, result.stderr
    (folder / "printed.txt").write_text(result.stdout)
    return folder


def test_a_run_prints_its_table_and_the_path_of_its_report(finished: Path) -> None:
    printed = (finished / "printed.txt").read_text()
    assert "federa" in printed
    assert "report.html" in printed
    assert (only_run(finished / "runs") / "report.html").stat().st_size > 1_000_000


def test_every_round_is_recorded_and_its_phases_sum_to_the_whole(finished: Path) -> None:
    records = rounds(only_run(finished / "runs"))
    assert [record.round for record in records] == [1, 2, 3]
    for r in records:
        parts = r.download_s + r.load_s + r.train_s + r.upload_s + r.wait_s + r.aggregate_s + r.other_s
        assert r.round_s == pytest.approx(parts, abs=1e-9)
        assert len(r.completed) == 4
        assert 0 <= r.metrics["accuracy"] <= 1


def test_the_header_tells_what_was_run_and_what_it_cost_before(finished: Path) -> None:
    header = json.loads((only_run(finished / "runs") / "header.json").read_text())
    assert header["state"] == "done"
    assert header["clock"] == "critical path"
    assert header["svd_s"] > 0
    assert header["init_s"] == pytest.approx(header["svd_s"] + header["ship_s"])
    assert header["parameters"]["adapter"] == 2 * 2 * 32 * 256
    assert header["profile"]["name"] == "tiny"


@pytest.mark.parametrize("agents", [1, 4])
def test_the_same_run_gives_the_same_bits_with_any_number_of_agents(
    finished: Path, tmp_path: Path, agents: int
) -> None:
    result = bench("run", TINY, "--method", "federa", "--agents", str(agents), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert hashes(only_run(tmp_path / "runs")) == hashes(only_run(finished / "runs"))


def test_another_seed_gives_another_run(finished: Path, tmp_path: Path) -> None:
    result = bench("run", TINY, "--method", "federa", "--seed", "1", "--rounds", "1", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert hashes(only_run(tmp_path / "runs"))[0] != hashes(only_run(finished / "runs"))[0]


def test_compare_runs_every_method_and_writes_one_report(tmp_path: Path) -> None:
    result = bench("compare", TINY, "--methods", "all", "--rounds", "1", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    for method in ("fedft", "fedbf", "fedap", "fedlr", "federa"):
        assert method in result.stdout
    assert len(list((tmp_path / "runs").glob("*/header.json"))) == 5


def test_compare_runs_several_profiles_into_one_report(tmp_path: Path) -> None:
    result = bench("compare", "null", TINY, "--methods", "fedlr", "--rounds", "1", "--fleet", "virtual", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    headers = [json.loads(path.read_text()) for path in (tmp_path / "runs").glob("*/header.json")]
    assert sorted(header["profile"]["name"] for header in headers) == ["null", "tiny"]
    assert len(list((tmp_path / "runs" / "reports").glob("*/report.html"))) == 1


def test_status_lists_the_run_as_done(finished: Path) -> None:
    result = bench("status", "--json", cwd=finished)
    (row,) = json.loads(result.stdout)
    assert (row["method"], row["state"], row["rounds_done"], row["next_command"]) == ("federa", "done", 3, None)
