"""Versions of the controller and of agents beside each other."""

from harness.doctor.beside import of_versions, unlike, versions_of
from harness.doctor.findings import as_json, ok


def report(**versions: str) -> list[dict]:
    python = versions.pop("python", "3.10.12")
    return as_json([ok("python", python, python=python), ok("packages", "", **versions), ok("load", "", torch="9")])


def test_versions_are_those_of_two_lines() -> None:
    assert versions_of(report(torch="2.5.0a0+nv24.08", rich="13")) == {"python": "3.10.12", "torch": "2.5.0a0+nv24.08"}
    assert versions_of([]) == {}


def test_alike_in_the_first_two_numbers_is_alike() -> None:
    assert unlike({"controller": report(torch="2.5.1"), "orin-01": report(torch="2.5.0a0+nv24.08")}) == []


def test_what_differs_is_named_with_its_machines() -> None:
    reports = {"controller": report(torch="2.6.0"), "orin-02": report(torch="2.5.0"), "orin-01": report(torch="2.5.0")}
    assert unlike(reports) == ["torch is 2.6.0 on controller, 2.5.0 on orin-01, orin-02"]


def test_many_machines_are_counted() -> None:
    reports = {"controller": report(torch="2.6.0"), **{f"orin-{n}": report(torch="2.5.0") for n in range(1, 6)}}
    assert unlike(reports) == ["torch is 2.6.0 on controller, 2.5.0 on orin-1, orin-2 and 3 others"]


def test_a_machine_that_does_not_tell_is_left_out() -> None:
    assert unlike({"controller": report(torch="2.6.0"), "orin-01": report(), "orin-02": []}) == []


def test_the_line_of_one_machine_beside_another() -> None:
    assert of_versions(report(torch="2.6.0"), report(torch="2.6.1"), "server").state == "ok"
    assert of_versions(report(torch="2.6.0"), [], "server").state == "skipped"
    finding = of_versions(report(torch="2.6.0"), report(torch="2.5.1", python="3.12.1"), "server")
    assert finding.state == "warn"
    assert (
        finding.says
        == "python is 3.10.12 on this machine, 3.12.1 on server; torch is 2.6.0 on this machine, 2.5.1 on server"
    )
