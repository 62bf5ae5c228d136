"""The watts of telemetry.parquet, as far as their moment is known."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.trace.telemetry import read_power
from harness.errors import StoreError


def written(folder: Path, **columns: list[object]) -> Path:
    pq.write_table(pa.table(columns), folder / "telemetry.parquet")
    return folder


def test_rails_and_total_are_by_agent_in_the_order_of_time(tmp_path: Path) -> None:
    found = read_power(
        written(
            tmp_path,
            agent=["b", "a", "a"],
            source=["psutil", "ina3221", "ina3221"],
            at_s=[7.0, 9.0, 8.0],
            run_s=[3.0, 2.0, 1.0],
            total_w=[None, 11.0, 10.0],
            rail_VDD_CPU_CV_w=[None, 5.0, None],
            cpu_hz=[1e9, 1e9, 1e9],
        )
    )
    assert found["a"].at_s == (1.0, 2.0)
    assert found["a"].watts == {"total": (10.0, 11.0), "VDD_CPU_CV": (None, 5.0)}
    assert found["b"].watts == {}


def test_samples_without_a_moment_on_the_runs_clock_are_left_out(tmp_path: Path) -> None:
    found = read_power(written(tmp_path, agent=["a", "a"], run_s=[None, 1.0], total_w=[9.0, 10.0]))
    assert found["a"].watts == {"total": (10.0,)}


def test_a_run_without_telemetry_has_none_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    assert read_power(tmp_path) == {}
    (tmp_path / "telemetry.parquet").write_bytes(b"PAR1")
    with pytest.raises(StoreError, match=r"telemetry\.parquet cannot be read"):
        read_power(tmp_path)


def test_a_table_of_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"telemetry\.parquet cannot be read"):
        read_power(written(tmp_path, words=["x"]))
