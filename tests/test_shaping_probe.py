"""What a transfer says of its link."""

from __future__ import annotations

import pytest

from harness.shaping.probe import Reading, probe_of, size_for

QUIET = Reading(rx_bytes=1000, rx_packets=10, tx_bytes=2000, tx_packets=20)


def test_a_size_takes_its_seconds() -> None:
    assert size_for(25e6, 2.0) == 6_250_000
    assert size_for(1.0, 0.001) == 1


def test_an_uploads_payload_is_what_left_without_headers() -> None:
    after = Reading(rx_bytes=9000, rx_packets=90, tx_bytes=2000 + 1000 * 1514, tx_packets=20 + 1000)
    probe = probe_of("up", "eth0", 1_448_000, 0.5, 23e6, QUIET, after)
    assert probe.achieved_mbps == pytest.approx(1.448 * 8 / 0.5)
    assert probe.interface_mbps == pytest.approx(probe.achieved_mbps)
    assert probe.interface_bytes == 1_514_000
    assert probe.deviation == pytest.approx(23.168 / 23 - 1)
    assert probe.kept


def test_a_download_counts_what_came() -> None:
    after = Reading(rx_bytes=1000 + 100 * 64_066, rx_packets=110, tx_bytes=2000, tx_packets=20)
    probe = probe_of("down", "eth0", 6_400_000, 1.0, 51.2e6, QUIET, after)
    assert probe.interface_mbps == pytest.approx(51.2)
    assert probe.kept


def test_a_link_is_not_kept_where_one_of_the_two_says_so() -> None:
    after = Reading(rx_bytes=1000, rx_packets=10, tx_bytes=2000 + 2 * 1_448_000, tx_packets=20)
    probe = probe_of("up", "eth0", 1_448_000, 0.5, 23.168e6, QUIET, after)
    assert probe.deviation == pytest.approx(0.0)
    assert probe.interface_deviation == pytest.approx(1.0)
    assert not probe.kept


def test_a_probe_takes_time() -> None:
    with pytest.raises(ValueError, match="takes some time"):
        probe_of("up", "eth0", 1, 0.0, 1.0, QUIET, QUIET)
