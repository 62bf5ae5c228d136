"""Verdicts on Python, packages, torch and the kind of machine."""

from harness.doctor.facts import Accelerator, Board, Software, Wanted
from harness.doctor.findings import Finding
from harness.doctor.verdicts.software import numbers, of_accelerator, of_board, of_software

TORCH = Wanted(name="torch", least="2.4")


def software(python: str = "3.10.12", **installed: str | None) -> list[Finding]:
    return of_software(Software(role="agent", python=python, wanted=(TORCH,), installed=installed))


def torch(**facts: object) -> Finding:
    [finding] = of_accelerator(Accelerator(**{"jetson": True, "torch": "2.5.0", "nodes": ("/dev/nvmap",), **facts}))
    return finding


def test_the_numbers_of_a_version() -> None:
    assert numbers("2.4.0a0+07cecf4168.nv24.05") == (2, 4, 0)
    assert numbers("unknown") == ()
    assert numbers("2.10") > numbers("2.4")


def test_a_good_environment_is_told_with_its_versions() -> None:
    python, packages = software(torch="2.5.1")
    assert (python.state, packages.state) == ("ok", "ok")
    assert packages.values == {"torch": "2.5.1"}


def test_python_that_is_too_old_fails() -> None:
    assert software("3.8.10", torch="2.5.1")[0].state == "fail"
    assert software("3.10.0", torch="2.5.1")[0].state == "ok"


def test_a_package_that_is_missing_fails_and_one_that_is_old_warns() -> None:
    missing, old = software(torch=None)[1], software(torch="2.3.1")[1]
    assert (missing.state, missing.says) == ("fail", "not installed: torch")
    assert "federa-bench[agent]" in str(missing.do)
    assert (old.state, old.says) == ("warn", "older than what is tested: torch 2.3.1 (needs 2.4)")


def test_the_board_and_its_jetpack() -> None:
    [orin] = of_board(Board(model="NVIDIA Jetson AGX Orin Developer Kit", l4t="36.4.3"))
    assert (orin.state, orin.says) == ("ok", "NVIDIA Jetson AGX Orin Developer Kit, Jetson Linux 36.4.3 (JetPack 6)")
    [old] = of_board(Board(model="NVIDIA Jetson AGX Orin", l4t="35.4.1"))
    assert (old.state, "JetPack 6" in str(old.do)) == ("warn", True)
    [server] = of_board(Board(model="AMD EPYC", container="docker"))
    assert (server.state, server.says) == ("ok", "no Jetson: AMD EPYC, in a container (docker)")


def test_torch_for_the_gpu_that_is_there() -> None:
    assert torch(built_for="12.6").state == "ok"
    assert torch(torch=None).state == "fail"


def test_torch_without_cuda_beside_a_gpu_warns() -> None:
    assert torch(built_for=None).state == "warn"
    assert torch(built_for=None, jetson=False).do == "install a torch that is built for CUDA"


def test_a_gpu_whose_files_may_not_be_opened_fails() -> None:
    finding = torch(built_for="12.6", closed=("/dev/nvmap",))
    assert finding.state == "fail"
    assert "video and render" in str(finding.do)


def test_no_gpu_is_fine_but_on_a_board() -> None:
    assert torch(nodes=(), jetson=False).state == "ok"
    assert torch(nodes=(), built_for="12.6").state == "warn"


def test_what_an_import_said_counts_more_than_files() -> None:
    assert torch(built_for="12.6", tried="cuda Orin").says == "torch 2.5.0, built for CUDA 12.6; imported, it sees Orin"
    assert torch(built_for="12.6", tried="no cuda").state == "warn"
    assert torch(nodes=(), jetson=False, tried="no cuda").state == "ok"
    broken = torch(tried="ImportError: libcudart.so.12: cannot open shared object file")
    assert (broken.state, "libcudart" in broken.says) == ("fail", True)
