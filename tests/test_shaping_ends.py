"""The two ends of a probe on loopback, and the counters of an interface."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.errors import ShapingError
from harness.shaping.ends import REQUEST, answer, ask, read_interface


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.mark.parametrize("way", ["up", "down"])
def test_both_ways_move_all_bytes_over_the_interface(listener: socket.socket, way: str) -> None:
    before = read_interface("lo")
    with ThreadPoolExecutor() as pool:
        answered = pool.submit(answer, listener)
        seconds = ask(listener.getsockname(), way, 3_000_000)  # type: ignore[arg-type]
        answered.result()
    assert seconds > 0
    assert read_interface("lo").tx_bytes - before.tx_bytes >= 3_000_000


def test_nobody_there_is_said(listener: socket.socket) -> None:
    address = listener.getsockname()
    listener.close()
    with pytest.raises(ShapingError, match="is its other end there"):
        ask(address, "down", 1000)


def test_an_end_that_breaks_off_ends_the_other(listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname()) as broken:
        broken.send(REQUEST.pack(b"U", 1000)[:4])
    answer(listener)


def test_counters_are_read_below_a_root(tmp_path: Path) -> None:
    folder = tmp_path / "sys/class/net/eth0/statistics"
    folder.mkdir(parents=True)
    for number, name in enumerate(("rx_bytes", "rx_packets", "tx_bytes", "tx_packets")):
        (folder / name).write_text(f"{number}\n")
    assert read_interface("eth0", tmp_path).tx_bytes == 2
    with pytest.raises(ShapingError, match="interface wlan0 cannot be read"):
        read_interface("wlan0", tmp_path)
