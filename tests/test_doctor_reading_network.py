"""What is read of interfaces, of radio, of the way to a controller and of what shaping needs."""

import gzip
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from made_board import put

from harness.doctor.reading.network import disciplines, radio_of, radios, reach, shaping, wires
from harness.doctor.reading.place import Place
from harness.shaping import SOCKET, words

LINK = """\
Connected to 00:11:22:33:44:55 (on wlan0)
	SSID: lab
	freq: 5180
	signal: -52 dBm
	rx bitrate: 433.3 MBit/s VHT-MCS 9 80MHz
	tx bitrate: 390.0 MBit/s VHT-MCS 8 80MHz
"""
TABLE = """\
Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   58.  -52.  -256        0      0      0      0      0        0
"""


def interface(root: Path, name: str, **files: object) -> None:
    (root / "sys/class/net" / name / "device").mkdir(parents=True)
    for file, content in {"type": 1, "operstate": "up", **files}.items():
        put(root / "sys/class/net" / name / file, content)


@pytest.fixture
def listener() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def test_wires_have_hardware_and_no_antenna(tmp_path: Path) -> None:
    interface(tmp_path, "eth0", speed=1000, duplex="full")
    interface(tmp_path, "eth1", speed=-1, duplex="unknown", operstate="down")
    interface(tmp_path, "can0", type=280)
    interface(tmp_path, "wlan0")
    (tmp_path / "sys/class/net/wlan0/phy80211").mkdir()
    (tmp_path / "sys/class/net/lo").mkdir()
    found = wires(Place("agent", tmp_path))
    assert [(one.name, one.up, one.rate_mbps, one.duplex) for one in found] == [
        ("eth0", True, 1000, "full"),
        ("eth1", False, None, None),
    ]
    assert [(one.name, one.up) for one in radios(Place("agent", tmp_path))] == [("wlan0", True)]


def test_what_iw_says_of_a_radio() -> None:
    radio = radio_of("wlan0", True, "Power save: on\n", LINK, "")
    assert (radio.power_save, radio.bitrate_mbps, radio.signal_dbm, radio.frequency_mhz) == (True, 390.0, -52.0, 5180.0)


def test_without_iw_the_signal_is_known_and_power_saving_is_not() -> None:
    radio = radio_of("wlan0", True, "", "", TABLE)
    assert (radio.power_save, radio.bitrate_mbps, radio.signal_dbm) == (None, None, -52.0)
    assert radio_of("wlan1", True, "", "", TABLE).signal_dbm is None


def test_round_trips_to_a_controller_that_listens(listener: str) -> None:
    facts = reach(Place("agent", connect=listener))
    assert facts is not None
    assert (len(facts.round_trips_s), facts.listens, facts.problem) == (5, True, None)
    assert 0 < min(facts.round_trips_s) < 1
    assert facts.interface == "lo"


def test_a_refusal_is_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    facts = reach(Place("agent", connect=f"tcp://127.0.0.1:{port}"))
    assert facts is not None
    assert (len(facts.round_trips_s), facts.listens) == (5, False)


def test_a_name_that_nobody_knows_is_a_problem() -> None:
    facts = reach(Place("agent", connect="tcp://no-such-host.invalid:5555"))
    assert facts is not None
    assert (facts.round_trips_s, str(facts.problem).startswith("its name is not known")) == ((), True)
    assert reach(Place("agent")) is None


def test_what_the_kernel_can(tmp_path: Path) -> None:
    place = Place("agent", tmp_path)
    assert disciplines(place) is None
    (tmp_path / "proc").mkdir()
    with gzip.open(tmp_path / "proc/config.gz", "wt") as config:
        config.write("CONFIG_NET_SCH_HTB=m\n# CONFIG_NET_SCH_TBF is not set\n")
    assert disciplines(place) is False
    for module in ("sch_htb", "sch_tbf"):
        (tmp_path / "sys/module" / module).mkdir(parents=True)
    assert disciplines(place) is True


def test_programs_and_a_helper_that_does_not_run(tmp_path: Path) -> None:
    facts = shaping(Place("agent", tmp_path))
    assert (facts.missing, facts.runs) == (("ip", "tc"), False)
    for program in ("ip", "tc"):
        put(tmp_path / "sbin" / program, "")
    assert shaping(Place("agent", tmp_path)).missing == ()


def helper_of(tmp_path: Path, *answers: words.Reply) -> socket.socket:
    """A tree with tc in it, and a helper that gives each client one answer, whatever it is asked."""
    for program in ("ip", "tc"):
        put(tmp_path / "usr/sbin" / program, "")
    path = tmp_path / SOCKET.lstrip("/")
    path.parent.mkdir(parents=True)
    helper = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    helper.bind(str(path))
    helper.listen()

    def serve() -> None:
        for answer in answers:
            client, _ = helper.accept()
            with client:
                client.recv(words.MAX_REQUEST_BYTES)
                client.sendall(msgspec.msgpack.encode(answer))

    threading.Thread(target=serve, daemon=True).start()
    return helper


def test_a_helper_names_the_interface_that_leads_to_the_controller(tmp_path: Path) -> None:
    place = Place("agent", tmp_path, connect="tcp://127.0.0.1:5555")
    with helper_of(tmp_path, words.Checked(interface="wlan0"), words.Refused(reason="tc has no htb")):
        said, refused = shaping(place), shaping(place)
    assert (said.runs, said.interface, said.problem) == (True, "wlan0", None)
    assert (refused.interface, "tc has no htb" in str(refused.problem)) == (None, True)


def test_a_helper_whose_socket_is_dead_says_so_itself(tmp_path: Path) -> None:
    helper_of(tmp_path).close()
    facts = shaping(Place("agent", tmp_path, connect="tcp://127.0.0.1:5555"))
    assert facts.runs
    assert "link.shaping: user" in str(facts.problem)
    assert msgspec.to_builtins(facts)["interface"] is None
