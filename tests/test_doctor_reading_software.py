"""What is read of Python, packages, torch and the kind of machine, without importing any of it."""

import subprocess
import sys
from pathlib import Path

from made_board import MadeBoard

from harness.doctor.reading.place import Place
from harness.doctor.reading.software import accelerator, board, built_for, l4t_of, software, wanted_by

MODULES_BEFORE = frozenset(sys.modules)
REQUIREMENTS = [
    "msgspec>=0.19",
    "torch>=2.4; extra == 'agent'",
    "torch>=2.4; extra == 'controller'",
    "pandas>=2.2; extra == 'controller'",
    "jetson-stats>=4.3; extra == 'jetson'",
    "types-psutil; extra == 'dev'",
]


def test_a_role_wants_its_own_packages() -> None:
    assert {(one.name, one.least) for one in wanted_by("agent", REQUIREMENTS)} == {
        ("msgspec", "0.19"),
        ("torch", "2.4"),
    }
    assert {one.name for one in wanted_by("controller", REQUIREMENTS)} == {"msgspec", "torch", "pandas"}


def test_what_is_wanted_comes_from_the_distribution_itself() -> None:
    facts = software(Place("controller"))
    assert {"torch", "pandas", "pyzmq"} <= {one.name for one in facts.wanted}
    assert facts.installed["msgspec"]
    assert facts.installed["federa-bench"]


def test_torch_is_told_without_being_imported() -> None:
    code = (
        "import sys; from harness.doctor.reading import software as s; from harness.doctor.reading.place import Place;"
        "print(s.accelerator(Place('agent')).torch, 'torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told[0] != "None"
    assert told[1] == "False"


def test_the_cuda_that_torch_was_built_for(tmp_path: Path) -> None:
    version = tmp_path / "version.py"
    version.write_text("from typing import Optional\n__version__ = '2.5.0'\ncuda: Optional[str] = '12.6'\nhip = None\n")
    assert built_for(str(tmp_path / "__init__.py")) == "12.6"
    version.write_text("__version__ = '2.5.0'\ncuda = '12.1'\n")
    assert built_for(str(tmp_path / "__init__.py")) == "12.1"
    version.write_text("cuda: Optional[str] = None\nhip: Optional[str] = '6.1'\n")
    assert built_for(str(tmp_path / "__init__.py")) is None
    assert built_for(None) is None


def test_a_jetson_is_known_by_its_files(tmp_path: Path) -> None:
    MadeBoard(tmp_path)
    facts = board(Place("agent", tmp_path))
    assert (facts.jetson, facts.model, facts.l4t) == (True, "NVIDIA Jetson AGX Orin Developer Kit", "36.4.3")
    assert not board(Place("agent", tmp_path / "nothing")).jetson


def test_the_release_of_jetson_linux() -> None:
    assert l4t_of("# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref") == "35.4.1"
    assert l4t_of("something else") is None
    assert l4t_of(None) is None


def test_device_files_of_a_gpu(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvmap").touch()
    facts = accelerator(Place("agent", tmp_path))
    assert (facts.nodes, facts.closed, facts.tried) == (("/dev/nvmap",), (), None)


def test_an_import_of_torch_is_tried_in_a_process_of_its_own() -> None:
    assert str(accelerator(Place("agent", import_torch=True)).tried).startswith(("cuda ", "no cuda"))
    assert "torch" not in sys.modules or "torch" in MODULES_BEFORE
