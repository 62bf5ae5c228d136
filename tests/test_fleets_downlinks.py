"""Links towards agents that the kernel keeps, with a helper of a few lines; the real one is in other tests."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from harness.errors import ShapingError, UsageError
from harness.fleets.downlinks import Downlinks, KernelDownlinks, check_devices
from harness.profiles import LinkProfile
from harness.shaping import Applied, Counted, Flow, mean_bps

LINK = LinkProfile(name="wifi", rate_mbps=25.0, shaping="kernel")
TRACE = LinkProfile(name="wifi", rate_min_mbps=20.0, rate_max_mbps=30.0, step_s=0.5, shaping="kernel")


class Helper:
    """Keeps what it is asked to; ``gone``: it has ended."""

    def __init__(self) -> None:
        self.kept: list[Flow] = []
        self.released: list[Flow] = []
        self.gone = False

    def shape(self, flow: Flow) -> Applied:
        self._answer()
        self.kept.append(flow)
        return Applied(interface="eth0", rate_mbps=flow.rate.rate_mbps, seed=flow.seed, begun_s=100.0)

    def release(self, flow: Flow) -> None:
        self._answer()
        self.released.append(flow)

    def counted(self, flow: Flow) -> Counted:
        self._answer()
        return Counted(sent_bytes=7, sent_packets=1, dropped=0, overlimits=0, backlog_bytes=0, at_s=101.0)

    def check(self, peer: str) -> str:
        if peer == "203.0.113.9":
            raise ShapingError("there is no way to 203.0.113.9")
        return "eth0"

    def lost(self) -> bool:
        return self.gone

    def _answer(self) -> None:
        if self.gone:
            raise ShapingError("the helper has ended")


class Stage:
    def __init__(self, link: LinkProfile = LINK) -> None:
        self.helper, self.told = Helper(), dict[str, Any]()
        self.links = KernelDownlinks(self.helper, link, 7, 5555, 5556, self.told.update)


def test_a_flow_towards_an_agent_is_kept_once_and_released_when_it_is_lost() -> None:
    stage = Stage()
    for _ in range(3):
        stage.links.keep("a", "10.0.0.2")
    (flow,) = stage.helper.kept
    assert (flow.peer, flow.port, flow.beat_port, flow.at, flow.rate.rate_mbps) == (
        "10.0.0.2",
        5555,
        5556,
        "controller",
        25.0,
    )
    stage.links.release("a")
    stage.links.release("a")
    assert stage.helper.released == [flow]


def test_an_agent_that_is_elsewhere_by_now_has_its_flow_there() -> None:
    stage = Stage()
    stage.links.keep("a", "10.0.0.2")
    stage.links.keep("a", "10.0.0.3")
    assert [flow.peer for flow in stage.helper.kept] == ["10.0.0.2", "10.0.0.3"]
    assert [flow.peer for flow in stage.helper.released] == ["10.0.0.2"]


def test_what_was_applied_and_counted_is_told_and_stays_known() -> None:
    stage = Stage()
    stage.links.keep("a", "10.0.0.2")
    stage.links.keep("b", "10.0.0.3")
    stage.links.close()
    assert sorted(stage.told) == ["a", "b"]
    told = stage.told["a"]
    assert (told["peer"], told["interface"], told["rate_mbps"]) == ("10.0.0.2", "eth0", 25.0)
    assert told["counted"]["sent_bytes"] == 7
    assert len(stage.helper.released) == 2


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("10.0.0.2", "agents a and b are both behind 10.0.0.2"),
        ("127.0.0.1", "on the controller's own machine"),
        ("::1", "on the controller's own machine"),
        ("", "on the controller's own machine"),
        ("203.0.113.9", "there is no way to 203.0.113.9"),
    ],
)
def test_an_agent_whose_link_cannot_be_kept_is_refused_and_told_what_to_do(address: str, words: str) -> None:
    refusal = str(Stage().links.refusal("b", address, {"a": "10.0.0.2"}))
    assert words in refusal
    assert "link.shaping: user" in refusal or address == "203.0.113.9", "the helper says that itself"


def test_an_agent_with_an_address_of_its_own_is_welcome() -> None:
    assert Stage().links.refusal("b", "10.0.0.3", {"a": "10.0.0.2"}) is None


def test_a_link_whose_helper_has_ended_is_no_link_to_measure_over() -> None:
    stage = Stage()
    stage.links.check()
    stage.links.keep("a", "10.0.0.2")
    stage.links.check()
    stage.helper.gone = True
    with pytest.raises(ShapingError, match=r"not shaped any more.*federa-bench resume.*link.shaping: user"):
        stage.links.check()
    stage.links.close()
    assert stage.told["a"]["counted"] is None


def test_what_a_link_allowed_is_what_was_applied_and_not_what_an_agent_says() -> None:
    stage = Stage()
    stage.links.keep("a", "10.0.0.2")
    assert stage.links.allowed_bps("a", 1.0, (101.0, 102.0)) == 25e6
    assert stage.links.allowed_bps("a", 1.0, None) == 25e6
    assert stage.links.allowed_bps("nobody", 1.0, None) is None
    assert Downlinks().allowed_bps("a", 1.0, None) == 1.0


def test_of_a_link_that_changes_the_moments_count() -> None:
    stage = Stage(TRACE)
    stage.links.keep("a", "10.0.0.2")
    (flow,) = stage.helper.kept
    applied = stage.helper.shape(flow)
    allowed_bps = stage.links.allowed_bps("a", None, (103.0, 107.0))
    assert allowed_bps == mean_bps(applied, flow.rate, 103.0, 107.0)
    assert 20e6 < (allowed_bps or 0.0) < 30e6
    assert stage.links.allowed_bps("a", 1.0, None) is None
    assert stage.links.allowed_bps("a", 1.0, (1.0, 2.0)) is None, "before it was kept"


def test_a_link_that_is_shaped_one_way_alone_needs_nothing_the_other_way() -> None:
    up = msgspec.structs.replace(LINK, rate_mbps=None, up=msgspec.structs.replace(LINK))
    stage = Stage(up)
    stage.links.keep("a", "10.0.0.2")
    assert stage.helper.kept == []
    assert stage.links.allowed_bps("a", 1.0, None) is None


def test_agents_of_this_machine_have_no_devices_of_their_own() -> None:
    check_devices(msgspec.structs.replace(LINK, shaping="user"), True, None)
    check_devices(LINK, False, "tcp://0.0.0.0:5555")
    for local, bind, words in (
        (True, "tcp://0.0.0.0:5555", "give --external"),
        (False, None, "give --bind"),
        (False, "tcp://127.0.0.1:5555", "give --bind"),
    ):
        with pytest.raises(UsageError, match=rf"link 'wifi'.*{words}.*link.shaping: user"):
            check_devices(LINK, local, bind)
