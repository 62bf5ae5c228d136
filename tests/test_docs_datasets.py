"""What docs/datasets.md shows can be run: its files are data sets, its profiles read them, its tables name what is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.learning.data.dataset import load_dataset
from harness.library import load_experiment, profiles_root

PAGE = (Path(__file__).parent.parent / "docs" / "datasets.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_each_task_has_its_example_of_ten_lines() -> None:
    assert len(EXAMPLES) == 3
    assert [len(profile.splitlines()) for _, profile in EXAMPLES] == [10, 10, 10]


@pytest.mark.parametrize(("code", "profile"), EXAMPLES, ids=["texts", "entities", "questions"])
def test_an_example_s_profile_reads_its_files(code: str, profile: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    (tmp_path / "own.yaml").write_text(profile, encoding="utf-8")
    told: list[str] = []
    experiment = load_experiment(str(tmp_path / "own.yaml"))
    dataset, warnings = load_dataset(experiment, tmp_path, None, tmp_path / "work", told.append)
    assert len(dataset.train) == len(dataset.evaluated) > experiment.partition.clients
    assert set(dataset.classes) == set(range(len(dataset.class_names)))
    assert warnings == ()


def test_the_page_names_every_data_set_and_its_files() -> None:
    for path in (profiles_root() / "datasets").glob("*.yaml"):
        profile = path.read_text(encoding="utf-8")
        if path.stem.startswith("embedded") or path.stem == "squad-subset":
            continue
        assert f"| `{path.stem}` |" in PAGE
        for key in ("parquet", "hub", "folder"):
            named = re.search(rf"^{key}: (\S+)$", profile, re.MULTILINE)
            assert named is None or f"`{named.group(1)}" in PAGE, f"{path.stem} has {key} {named}"
