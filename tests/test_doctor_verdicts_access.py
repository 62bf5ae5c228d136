"""Verdicts on groups and keys."""

from harness.doctor.facts import Groups, Keys
from harness.doctor.findings import Finding
from harness.doctor.verdicts.access import of_groups, of_keys

THERE = ("video", "render", "jtop", "federa-bench")


def groups(*mine: str, **facts: object) -> Finding:
    [finding] = of_groups(Groups(**{"jetson": True, "user": "ada", "there": THERE, "mine": mine, **facts}))
    return finding


def keys(**facts: object) -> Finding:
    [finding] = of_keys(Keys(**{"role": "agent", "folder": "/k", "needed": True, "name": "orin-01", **facts}))
    return finding


def test_a_board_wants_the_groups_of_cuda() -> None:
    finding = groups("video", "federa-bench")
    assert (finding.state, finding.says) == ("fail", "ada is not in render: CUDA finds no GPU")
    assert finding.do == "sudo usermod -aG render ada, then log in again"
    assert groups("video", "federa-bench", there=("video", "federa-bench")).state == "ok"


def test_the_helper_s_group_and_that_of_jetson_stats_warn() -> None:
    assert groups("video", "render").says == "ada is not in federa-bench"
    assert groups("video", "render", "federa-bench").says == "ada is in video, render, federa-bench"
    assert groups("video", "render", "federa-bench", jetson_stats=True).says == "ada is not in jtop"
    assert groups("video", "render").state == "warn"


def test_a_server_and_root_want_none() -> None:
    assert groups(jetson=False, there=("video",)).says == "none are needed here"
    assert groups(root=True).state == "ok"


def test_a_key_that_is_needed_and_not_there_fails_with_the_command_that_makes_it() -> None:
    finding = keys(problem="/k has none; make one with: federa-bench keys new NAME")
    assert (finding.state, finding.says) == ("fail", "/k has none")
    assert finding.do == "make one with: federa-bench keys new NAME"
    assert keys(problem="/k has none; make one", needed=False).state == "skipped"


def test_what_the_controller_says_to_a_key() -> None:
    assert keys().says.endswith("whether it allows this one was not asked")
    assert keys(handshake="").says.endswith("it does not turn this one away")
    away = keys(handshake="the controller does not allow this agent's key; allow it there: federa-bench keys allow X")
    assert (away.state, away.do) == ("fail", "allow it there: federa-bench keys allow X")


def test_a_controller_says_whom_it_allows() -> None:
    assert keys(role="controller", allowed=10).says == "a key is here, 10 devices are allowed"
    assert keys(role="controller", allowed=0).state == "warn"


def test_a_folder_that_others_may_write_warns() -> None:
    assert keys(open_folder="others may write into /k (mode 0777)").do == "chmod 700 /k"
