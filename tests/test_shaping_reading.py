"""What ip and tc say, read: iproute2 6.1's own words."""

from __future__ import annotations

import pytest

from harness.links.kernel import Nic
from harness.shaping.reading import Root, classes_of, fault_of, filters_missing, interface_of, nic_of, roots_of

CLASSES = """\
class htb fedb:10 root leaf 8025: prio 1 rate 26139Kbit ceil 26139Kbit burst 32667b cburst 32667b
 Sent 6681046 bytes 4413 pkt (dropped 2, overlimits 4310 requeues 0)
 backlog 1514b 1p requeues 0
 lended: 4413 borrowed: 0 giants: 0
 tokens: 156234 ctokens: 156234

class htb fedb:1 root prio 1 rate 32Gbit ceil 32Gbit burst 1044000b cburst 1044000b
 Sent 0 bytes 0 pkt (dropped 0, overlimits 0 requeues 0)
 backlog 0b 0p requeues 0
 lended: 0 borrowed: 0 giants: 0

class htb fedb:2 root prio 0 rate 32Gbit ceil 32Gbit burst 1044000b cburst 1044000b
 Sent 0 bytes 0 pkt (dropped 0, overlimits 0 requeues 0)
 backlog 0b 0p requeues 0
"""
OURS = Root("eth0", "htb", "fedb:", "0x1")
RATE_BPS = 26_139_503.0


def test_the_interface_towards_an_address() -> None:
    assert interface_of('[{"dst":"10.0.0.2","dev":"eth0","prefsrc":"10.0.0.1","flags":[],"cache":[]}]') == "eth0"
    assert interface_of("[]") is None
    assert interface_of('[{"dev":"-batch"}]') is None
    assert interface_of('[{"dev":"a name with blanks"}]') is None
    assert interface_of("RTNETLINK answers: Network is unreachable") is None


def test_an_interface_has_a_header_if_it_is_an_ethernets() -> None:
    assert nic_of('[{"ifname":"eth0","mtu":1500,"link_type":"ether"}]') == Nic("eth0", 1500, 14)
    assert nic_of('[{"ifname":"wg0","mtu":1420,"link_type":"none"}]') == Nic("wg0", 1420, 0)
    with pytest.raises(ValueError, match="nothing of the interface"):
        nic_of("")


def test_roots_are_ours_the_kernels_or_somebody_elses() -> None:
    mine, kernels, others = roots_of(
        '[{"kind":"htb","handle":"fedb:","root":true,"dev":"a","options":{"default":"0x1"}},'
        '{"kind":"pfifo","handle":"8025:","parent":"fedb:10","dev":"a","options":{}},'
        '{"kind":"fq_codel","handle":"0:","root":true,"dev":"b","options":{}},'
        '{"kind":"cake","handle":"8001:","root":true,"dev":"c","options":{}}]'
    )
    assert (mine.ours, mine.foreign) == (True, False)
    assert (kernels.ours, kernels.foreign) == (False, False)
    assert (others.ours, others.foreign) == (False, True)


def test_classes_have_rates_and_counters() -> None:
    classes = classes_of(CLASSES)
    assert set(classes) == {"fedb:10", "fedb:1", "fedb:2"}
    assert classes_of("") == {}
    found = classes["fedb:10"]
    assert found.rate_bps == 26_139_000
    assert (found.sent_bytes, found.sent_packets, found.dropped) == (6681046, 4413, 2)
    assert (found.overlimits, found.backlog_bytes) == (4310, 1514)


def test_a_class_that_is_kept_has_no_fault() -> None:
    assert fault_of(OURS, classes_of(CLASSES), "fedb:10", RATE_BPS) is None


def test_a_missing_default_class_is_a_fault_although_the_kernel_says_nothing() -> None:
    classes = classes_of(CLASSES)
    del classes["fedb:1"]
    assert fault_of(OURS, classes, "fedb:10", RATE_BPS) == "class fedb:1 is not there"
    assert fault_of(OURS._replace(default="0x30"), classes_of(CLASSES), "fedb:10", RATE_BPS) is not None


def test_a_tree_that_is_gone_or_a_class_with_another_rate_is_a_fault() -> None:
    assert "gone" in str(fault_of(None, {}, "fedb:10", RATE_BPS))
    assert "gone" in str(fault_of(Root("eth0", "fq", "0:", None), {}, "fedb:10", RATE_BPS))
    assert "26139000 bit/s, not 52000000" in str(fault_of(OURS, classes_of(CLASSES), "fedb:10", 52e6))


def test_classes_that_no_filter_leads_to() -> None:
    shown = "filter protocol ip pref 16 u32 chain 0 fh 800::800 order 2048 key ht 800 bkt 0 *flowid fedb:10 not_in_hw"
    assert filters_missing(shown, "fedb:10", "fedb:2") == ["fedb:2"]
