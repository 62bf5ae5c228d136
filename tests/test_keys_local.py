"""Keys of local agents: files while a run goes on, gone with it."""

import stat
from pathlib import Path

from harness.keys import LocalKeys
from harness.keys.folder import read_secret


def test_they_are_files_of_mode_0600_while_the_run_goes_on(tmp_path: Path) -> None:
    keys = LocalKeys.made(["agent-1", "agent-2"])
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "agent-1.secret").write_text("of a controller that was killed")
    with keys.written(tmp_path / "keys", "C" * 40) as options:
        path = tmp_path / "keys" / "agent-1.secret"
        assert options["agent-1"] == ["--key", str(path), f"--controller-key={'C' * 40}"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert keys.allowed[read_secret(path)[1].public] == "agent-1"
    assert list((tmp_path / "keys").iterdir()) == []


def test_where_nobody_has_keys_nothing_is_written(tmp_path: Path) -> None:
    with LocalKeys.made([]).written(tmp_path / "keys", "") as options:
        assert options == {}
    assert not (tmp_path / "keys").exists()
