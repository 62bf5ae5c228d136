import pytest
from fake_equipment import FakeShaper

from agents.uplink import Controller, Uplink, flow_of
from harness.errors import ShapingError
from harness.profiles import LinkProfile, RateProfile

HERE = Controller("10.0.0.1", 5555, 5556)
FIVE = LinkProfile(name="five", rate_mbps=5.0, shaping="kernel")


def flow(link: LinkProfile = FIVE, agent: str = "a1", there: Controller = HERE):
    return flow_of(link, 7, agent, there)


def test_the_flow_goes_to_the_controller_and_its_two_ports_at_the_uplink_s_rate() -> None:
    link = LinkProfile(name="cell", rate_mbps=20.0, up=RateProfile(rate_mbps=2.0), shaping="kernel")
    it = flow(link)
    assert (it.peer, it.port, it.beat_port, it.at) == ("10.0.0.1", 5555, 5556, "agent")
    assert it.rate.rate_mbps == 2.0


def test_each_agent_has_a_trace_of_its_own_the_same_each_time() -> None:
    assert flow().seed == flow().seed
    assert flow().seed != flow(agent="a2").seed


@pytest.mark.parametrize(
    "link",
    [
        LinkProfile(name="user", rate_mbps=5.0),
        LinkProfile(name="down", rate_mbps=5.0, up=RateProfile(), shaping="kernel"),
    ],
)
def test_a_link_that_the_kernel_is_not_to_keep_has_no_flow(link: LinkProfile) -> None:
    assert flow(link) is None


def test_a_controller_at_an_unknown_address_is_one_sentence() -> None:
    with pytest.raises(ShapingError, match=r"address of the controller is not known.*link\.shaping: user"):
        flow(there=Controller("", 1, 2))


@pytest.mark.parametrize("there", [HERE._replace(address="fe80::1%eth0"), HERE._replace(beat_port=5555)])
def test_a_way_to_the_controller_that_cannot_be_shaped_is_one_sentence(there: Controller) -> None:
    with pytest.raises(ShapingError, match=r"the way to the controller cannot be shaped.*link\.shaping: user"):
        flow(there=there)


def test_an_equal_flow_goes_on_and_another_one_takes_its_place() -> None:
    shaper = FakeShaper()
    uplink = Uplink(None, shaper.connect)
    uplink.keep(flow())
    uplink.keep(flow())
    assert (shaper.connected, len(shaper.shaped), shaper.closed) == (1, 1, 0)
    moved = HERE._replace(address="10.0.0.9")
    uplink.keep(flow(there=moved))
    assert (shaper.connected, shaper.closed) == (2, 1)
    assert shaper.shaped[-1].peer == "10.0.0.9"
    shaper.gone = True
    assert uplink.lost()
    uplink.release()
    assert (shaper.closed, uplink.lost(), uplink.describe()) == (2, False, None)


def test_what_the_kernel_allowed_is_known_while_it_keeps_a_flow() -> None:
    uplink = Uplink(None, FakeShaper().connect)
    assert uplink.mean_bps(20.0, 30.0) is None
    uplink.keep(flow())
    assert uplink.mean_bps(20.0, 30.0) == pytest.approx(5e6)
    assert uplink.describe()["interface"] == "eth0"


def test_without_a_helper_the_socket_is_named(tmp_path) -> None:
    with pytest.raises(ShapingError, match=f"{tmp_path}/none.*link.shaping: user"):
        Uplink(tmp_path / "none").keep(flow())
