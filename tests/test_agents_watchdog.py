"""What systemd hears of an agent, at a datagram socket of the test's own: nothing here needs systemd."""

import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.watchdog import Feeding, Notifier, datagram, socket_address, watchdog_s


class Ear:
    """What systemd would read."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        """The datagrams that came, each as it stands."""
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    ear = Ear(str(tmp_path / "notify"))
    yield ear
    ear.socket.close()


@pytest.fixture
def notifier(ear: Ear) -> Iterator[Notifier]:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "40000000"}, 7)
    yield notifier
    notifier.close()


def test_readiness_and_the_end_are_told_with_what_the_agent_does(ear: Ear, notifier: Notifier) -> None:
    notifier.ready("waits for a controller")
    notifier.stopping("asked to end")
    assert ear.heard() == ["READY=1\nSTATUS=waits for a controller\n", "STOPPING=1\nSTATUS=asked to end\n"]


def test_an_abstract_socket_is_spoken_to() -> None:
    name = f"federa-bench-{secrets.token_hex(8)}"
    ear = Ear(f"\0{name}")
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": f"@{name}"})
    notifier.ready()
    assert ear.heard() == ["READY=1\n"]
    notifier.close()
    ear.socket.close()


def test_the_watchdog_is_fed_four_times_in_its_time_out_however_often_the_loop_turns(
    ear: Ear, notifier: Notifier
) -> None:
    for tenth in range(401):
        notifier.progress(100.0 + tenth / 10)
    assert ear.heard() == ["WATCHDOG=1\n"] * 5


def test_no_progress_no_food(ear: Ear, notifier: Notifier) -> None:
    notifier.ready()
    for _ in range(100):
        notifier.wait_s(500.0)
    assert ear.heard() == ["READY=1\n"]


def test_what_the_agent_does_is_told_at_once_and_only_when_it_is_new(ear: Ear, notifier: Notifier) -> None:
    notifier.progress(0.0, "idle")
    notifier.progress(0.1, "idle")
    notifier.progress(0.2, "training client 3")
    assert ear.heard() == ["WATCHDOG=1\nSTATUS=idle\n", "STATUS=training client 3\n"]


def test_a_loop_wakes_in_time_to_feed_and_never_spins(notifier: Notifier) -> None:
    assert notifier.wait_s(0.0) == 10.0
    notifier.progress(0.0)
    assert notifier.wait_s(4.0) == 6.0
    assert notifier.wait_s(12.0) == 8.0, "overdue, and there was no progress: look again at the next quarter"
    assert notifier.wait_s(9.9999) == 0.01


def test_what_systemd_could_not_take_is_told_with_the_next_word(tmp_path: Path) -> None:
    address = str(tmp_path / "later")
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "4000000"})
    notifier.ready("idle")
    notifier.progress(1.0)
    ear = Ear(address)
    notifier.progress(1.1)
    assert ear.heard() == ["READY=1\nSTATUS=idle\nWATCHDOG=1\n"]
    notifier.progress(1.2)
    assert ear.heard() == [], "it was fed at 1.1"
    notifier.close()
    ear.socket.close()


def test_a_full_queue_does_not_make_the_loop_wait(ear: Ear, notifier: Notifier) -> None:
    for number in range(5000):
        notifier.progress(0.0, f"status {number}")
    assert 0 < len(ear.heard()) < 5000
    notifier.progress(0.1)
    assert ear.heard() == ["STATUS=status 4999\n"]


def test_who_does_not_hear_is_complained_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    notifier.ready("a")
    notifier.progress(0.0, "b")
    assert len(caplog.records) == 1
    assert "cannot tell systemd" in caplog.text
    notifier.close()


def test_outside_systemd_nothing_is_told() -> None:
    notifier = Notifier.from_environment({"WATCHDOG_USEC": "30000000"})
    notifier.ready("idle")
    notifier.progress(0.0, "idle")
    notifier.stopping()
    assert notifier.wait_s(0.0) is None
    notifier.close()


def test_what_the_agent_starts_does_not_inherit_the_socket(ear: Ear) -> None:
    env = {"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "40000000", "WATCHDOG_PID": "7", "HOME": "/"}
    notifier = Notifier.from_environment(env, 7)
    assert env == {"HOME": "/"}
    assert notifier.wait_s(0.0) == 10.0
    notifier.close()


def test_a_watchdog_of_another_process_is_not_ours() -> None:
    assert watchdog_s({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "12"}, 12) == 30.0
    assert watchdog_s({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "12"}, 13) is None
    assert watchdog_s({"WATCHDOG_USEC": "30000000"}, 13) == 30.0


@pytest.mark.parametrize("usec", ["", "0", "-1", "soon", "1.5", "9" * 5000, "\N{ARABIC-INDIC DIGIT THREE}", "1\n"])
def test_a_time_out_that_is_none_is_no_watchdog(usec: str) -> None:
    assert watchdog_s({"WATCHDOG_USEC": usec}, os.getpid()) is None


@pytest.mark.parametrize("place", ["/" + "x" * 200, "@" + "x" * 200, "/", "/dev/null", "/etc/passwd", "/none/\udcff"])
def test_an_address_where_nobody_listens_harms_nothing(place: str) -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": place, "WATCHDOG_USEC": "18446744073709551615"})
    notifier.ready()
    notifier.progress(1.0, "trains")
    notifier.close()


@pytest.mark.parametrize("given", ["", "@", "vsock:2:1", "relative/path"])
def test_an_address_that_is_none_is_not_spoken_to(given: str) -> None:
    assert socket_address(given) is None


def test_a_value_stays_on_its_line_and_short() -> None:
    assert datagram({"STATUS": "a\nREADY=1\n" + "b" * 500}) == b"STATUS=a READY=1 " + b"b" * 190 + b"\n"


def test_no_word_paints_on_the_terminal_of_root() -> None:
    assert datagram({"STATUS": "refused: \x1b[2J\x00a\nMAINPID=1"}) == b"STATUS=refused: [2J a MAINPID=1\n"


def test_feeding_begins_with_the_first_progress() -> None:
    feeding = Feeding(2.5)
    assert feeding.due(0.0)
    feeding.fed(0.0)
    assert not feeding.due(2.4)
    assert feeding.due(2.5)
