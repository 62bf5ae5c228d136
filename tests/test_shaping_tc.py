"""Running ip and tc: programs that a test writes stand in for those of other kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.links import kernel
from harness.links.kernel import Nic
from harness.shaping.tc import PLACES, Tc, TcError

NIC = Nic("eth0", 1500, 14)


def programs(folder: Path, **said: str) -> str:
    """A folder of shell scripts; where they are looked for."""
    for name, script in said.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    "said", ["Error: Specified qdisc kind is unknown.", "RTNETLINK answers: No such file or directory"]
)
def test_a_kernel_without_htb_is_named_with_its_module(tmp_path: Path, said: str) -> None:
    tc = Tc(programs(tmp_path, ip="exit 0", tc=f"echo '{said}' >&2; exit 2"))
    with pytest.raises(TcError, match=r"this kernel has no htb \(module sch_htb\)"):
        tc.do(kernel.root(NIC)[0])


def test_another_failure_is_said_as_it_is(tmp_path: Path) -> None:
    tc = Tc(programs(tmp_path, ip="exit 0", tc="echo 'RTNETLINK answers: Operation not permitted' >&2; exit 2"))
    with pytest.raises(TcError, match="said: RTNETLINK answers: Operation not permitted"):
        tc.do(kernel.uproot("eth0"))


def test_a_missing_program_is_said(tmp_path: Path) -> None:
    with pytest.raises(TcError, match="the program tc is not installed; install iproute2"):
        Tc(programs(tmp_path, ip="exit 0"))


def test_words_are_never_a_shells(tmp_path: Path) -> None:
    told = tmp_path / "told"
    tc = Tc(programs(tmp_path, ip="exit 0", tc=f"printf '%s|' \"$@\" > {told}; export -p >> {told}"))
    tc.do(("qdisc", "add", "dev", "$(reboot);"))
    assert told.read_text().startswith("qdisc|add|dev|$(reboot);|")
    assert "LC_ALL='C'" in told.read_text()
    assert "HOME=" not in told.read_text()


def test_an_address_without_a_route_is_said(tmp_path: Path) -> None:
    tc = Tc(programs(tmp_path, ip="echo '[]'", tc="exit 0"))
    with pytest.raises(TcError, match=r"no network interface leads to 10\.0\.0\.1"):
        tc.nic_towards("10.0.0.1")


def test_the_interface_of_loopback_is_found_by_the_real_ip() -> None:
    try:
        tc = Tc(PLACES)
    except TcError as error:
        pytest.skip(str(error))
    nic = tc.nic_towards("127.0.0.1")
    assert (nic.name, nic.header_bytes) == ("lo", 14)
