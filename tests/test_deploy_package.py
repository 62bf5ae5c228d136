"""The package that is sent: a wheel of these sources, the same for the same sources, with its units inside."""

from __future__ import annotations

from pathlib import Path

import pytest
from deploy_facts import WISH, board

from harness.deploy import places
from harness.deploy.facts import Torch
from harness.deploy.office import Office
from harness.deploy.package import Package, built, unit_files
from harness.errors import DeployError, UsageError
from harness.keys import make_pair


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return built(tmp_path_factory.mktemp("wheel"), None, None)


def test_it_is_a_wheel_with_what_it_needs(package: Package) -> None:
    assert package.wheel.name.startswith("federa_bench-")
    assert any(line.startswith("torch>=") for line in package.requires)
    assert any(line.startswith("msgspec==") for line in package.pinned)


def test_the_wheel_tells_its_units(package: Package) -> None:
    files = unit_files(package.wheel, ["video"], "/usr", "tcp://a:1", ["--log-level", "debug"])
    agent = files[f"{places.UNITS}/{places.AGENT_UNIT}"]
    assert f"ExecStart={places.CURRENT}/bin/federa-bench agent" in agent
    assert f"{places.KEYS}/%i.secret" in agent
    assert "SupplementaryGroups=video\n" in agent
    assert "tcp://a:1" in files[places.ENVIRONMENT]


def test_a_wheel_without_units_is_refused(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "x.whl", "w") as archive:
        archive.writestr("agents/__init__.py", "")
    with pytest.raises(DeployError, match="does not tell its units"):
        unit_files(tmp_path / "x.whl", [], "/usr", "tcp://a:1", [])


def test_the_same_package_for_the_same_device_is_the_same_release(package: Package, tmp_path: Path) -> None:
    make_pair(tmp_path, "controller")
    office = Office(tmp_path, package=package)
    other_torch = board(torch=Torch(version="2.6.0", numpy="2.1.0"))
    releases = []
    for facts in (board(), board(), other_torch):
        with office.parcel(WISH, facts) as parcel:
            (folder,) = parcel.files
            assert {"requirements.txt", "constraints.txt", parcel.wheel} <= {it.name for it in Path(folder).iterdir()}
            releases.append(parcel.release)
    assert releases[0] == releases[1] != releases[2]


def test_paths_that_lead_nowhere_are_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--wheel"):
        built(tmp_path, tmp_path / "no.whl", None)
    with pytest.raises(UsageError, match="holds no wheels"):
        built(tmp_path, None, tmp_path)
    (tmp_path / "x.whl").write_text("no zip")
    with pytest.raises(UsageError, match="is no wheel"):
        built(tmp_path, tmp_path / "x.whl", None)
