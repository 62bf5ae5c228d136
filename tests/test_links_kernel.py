"""From flows to tc commands, and from a profile's payload to the frames that the kernel counts."""

from __future__ import annotations

import pytest

from harness.links import kernel
from harness.links.kernel import Flow, Nic
from harness.profiles import RateProfile

ETHERNET = Nic("eth0", 1500, 14)
TWENTY_FIVE = RateProfile(rate_mbps=25)


def flow(**changes: object) -> Flow:
    told = {"peer": "10.0.0.1", "port": 5555, "beat_port": 5556, "at": "agent", "rate": TWENTY_FIVE, "seed": 1}
    return Flow(**(told | changes))  # type: ignore[arg-type]


def words(command: kernel.Command) -> str:
    return " ".join(command)


def test_headers_come_on_top_of_the_profiles_rate() -> None:
    assert kernel.class_bps(25e6, ETHERNET, "10.0.0.1") == round(25e6 * 1514 / 1448)
    assert kernel.class_bps(25e6, ETHERNET, "fd00::1") == round(25e6 * 1514 / 1428)


def test_a_burst_holds_ten_milliseconds_and_a_few_frames_at_least() -> None:
    assert kernel.burst_bytes(26_000_000) == 32_500
    assert kernel.burst_bytes(1_000_000) == 6000


def test_what_nobody_asked_to_shape_goes_through_a_class_that_exists_and_has_no_limit() -> None:
    qdisc, free, beat = (words(command) for command in kernel.root(ETHERNET))
    assert qdisc == "qdisc add dev eth0 root handle fedb: htb default 1"
    assert "classid fedb:1 htb rate 32gbit" in free
    assert "classid fedb:2 htb rate 32gbit" in beat


def test_a_flow_has_a_class_with_both_buckets_and_a_queue_that_cuts_lumps() -> None:
    made, queue, *_ = (words(command) for command in kernel.add(flow(), 0x10, 25e6, ETHERNET))
    assert made.startswith("class add dev eth0 parent fedb: classid fedb:10 htb rate 26139503bit ceil 26139503bit ")
    assert "burst 32674b cburst 32674b" in made
    assert queue == "qdisc add dev eth0 parent fedb:10 tbf rate 200gbit burst 3028b limit 1514000b"


def test_an_agent_matches_packets_to_the_controllers_port_and_a_controller_those_from_it() -> None:
    where = "filter add dev eth0 parent fedb: protocol ip pref 16 u32 match ip dst 10.0.0.1/32 match ip protocol 6 0xff"
    beat, main = (words(command) for command in kernel.add(flow(), 0x10, 25e6, ETHERNET)[2:])
    assert main == f"{where} match ip dport 5555 0xffff flowid fedb:10"
    assert beat == f"{where} match ip dport 5556 0xffff flowid fedb:2"
    main = words(kernel.add(flow(at="controller"), 0x10, 25e6, ETHERNET)[3])
    assert main == f"{where} match ip sport 5555 0xffff flowid fedb:10"


def test_ipv6_is_matched_as_ipv6_and_ipv4_within_it_as_ipv4() -> None:
    assert "protocol ipv6 pref 16 u32 match ip6 dst fd00::1/128" in words(
        kernel.add(flow(peer="fd00::1"), 0x10, 25e6, ETHERNET)[3]
    )
    mapped = flow(peer="::ffff:10.0.0.1")
    assert mapped.key == flow().key
    assert kernel.add(mapped, 0x10, 25e6, ETHERNET) == kernel.add(flow(), 0x10, 25e6, ETHERNET)


def test_removal_names_our_own_handle_alone() -> None:
    assert words(kernel.uproot("eth0")) == "qdisc del dev eth0 root handle fedb:"
    filters, made = (words(command) for command in kernel.remove(0x1F, "eth0"))
    assert filters == "filter del dev eth0 parent fedb: pref 31"
    assert made == "class del dev eth0 classid fedb:1f"


def test_a_change_says_all_of_the_class_again() -> None:
    made, changed = kernel.add(flow(), 0x10, 25e6, ETHERNET)[0], kernel.change(flow(), 0x10, 25e6, ETHERNET)
    assert changed == ("class", "change", *made[2:])


@pytest.mark.parametrize("peer", ["orin-01", "10.0.0.1; reboot", "10.0.0", "fe80::1%eth0", ""])
def test_a_peer_is_an_address_and_nothing_else(peer: str) -> None:
    with pytest.raises(ValueError, match="address"):
        flow(peer=peer)


def test_a_flow_without_a_rate_is_none() -> None:
    with pytest.raises(ValueError, match="needs a rate"):
        flow(rate=RateProfile())


@pytest.mark.parametrize("peer", ["224.0.0.1", "ff02::1", "255.255.255.255", "0.0.0.0", "::", "::ffff:224.0.0.1"])
def test_an_address_of_a_group_or_of_nobody_is_none(peer: str) -> None:
    with pytest.raises(ValueError, match="no address of one machine"):
        flow(peer=peer)


def test_heartbeats_need_a_port_of_their_own() -> None:
    with pytest.raises(ValueError, match="heartbeats could not be told from the rest"):
        flow(beat_port=5555)
