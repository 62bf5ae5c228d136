"""Interfaces, radio, round trips to the controller, and what shaping needs."""

from __future__ import annotations

import gzip
import platform
import re
import shutil
import socket
import time
from pathlib import Path

import psutil

from harness.address import Address, address_of
from harness.doctor.facts import Radio, Reach, Shaping, Wire
from harness.doctor.reading.place import Place, integer, read_text
from harness.errors import ShapingError
from harness.shaping import SOCKET, Shaper

NET = "sys/class/net"
ETHERNET = 1
TRIES = 5
CONNECT_S = 0.5
PROGRAMS = ("ip", "tc")
SYSTEM_FOLDERS = "/usr/sbin:/sbin:/usr/bin:/bin"
"""Where ip and tc are, though not always on an ordinary user's PATH."""


def wires(place: Place) -> tuple[Wire, ...]:
    """Wired interfaces with hardware behind them: no bridges, tunnels or loopback."""
    return tuple(_wire(path) for path in place.every(f"{NET}/*") if _is_hardware(path) and not _is_radio(path))


def _is_hardware(path: Path) -> bool:
    return (path / "device").exists() and integer(read_text(path / "type")) == ETHERNET


def _is_radio(path: Path) -> bool:
    return (path / "wireless").exists() or (path / "phy80211").exists()


def _wire(path: Path) -> Wire:
    rate = integer(read_text(path / "speed"))
    duplex = read_text(path / "duplex")
    return Wire(
        name=path.name,
        up=_is_up(path),
        rate_mbps=rate if rate is not None and rate > 0 else None,
        duplex=duplex if duplex in ("full", "half") else None,
    )


def _is_up(path: Path) -> bool:
    state = read_text(path / "operstate")
    return state == "up" or (state == "unknown" and read_text(path / "carrier") == "1")


def radios(place: Place) -> tuple[Radio, ...]:
    """Wireless interfaces: ``iw`` where it is here, /proc/net/wireless for the signal without it."""
    return tuple(_radio(place, path) for path in place.every(f"{NET}/*") if _is_radio(path))


def _radio(place: Place, path: Path) -> Radio:
    saving = place.answer("iw", "dev", path.name, "get", "power_save")
    link = place.answer("iw", "dev", path.name, "link")
    return radio_of(path.name, _is_up(path), saving or "", link or "", place.text("proc/net/wireless") or "")


def radio_of(name: str, up: bool, saving: str, link: str, table: str) -> Radio:
    """What ``iw dev NAME get power_save``, ``iw dev NAME link`` and /proc/net/wireless say; "" is no answer."""
    told = re.search(r"Power save: (on|off)", saving)
    signal_dbm = _figure(r"signal: (-?[\d.]+) dBm", link)
    return Radio(
        name=name,
        up=up,
        power_save=None if told is None else told[1] == "on",
        bitrate_mbps=_figure(r"tx bitrate: ([\d.]+) MBit/s", link),
        signal_dbm=_signal(table, name) if signal_dbm is None else signal_dbm,
        frequency_mhz=_figure(r"freq: ([\d.]+)", link),
    )


def _figure(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text)
    return float(found[1]) if found else None


def _signal(table: str, interface: str) -> float | None:
    """The level in dBm of an interface in /proc/net/wireless: the third figure behind its name."""
    found = re.search(rf"^\s*{re.escape(interface)}:\s+\S+\s+\S+\s+(-?\d+)", table, re.MULTILINE)
    return float(found[1]) if found and int(found[1]) < 0 else None


def reach(place: Place) -> Reach | None:
    """Several TCP connections to the controller's address, each closed as soon as it stands; None: no address.

    A refusal is an answer, too: its round trip counts, and it tells that nothing listens.
    """
    if place.connect is None:
        return None
    address = address_of(place.connect)
    try:
        family, _, _, _, target = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        return Reach(address=address.shown, problem=f"its name is not known ({error.strerror})")
    trips: list[float] = []
    listens, problem = False, None
    for _ in range(TRIES):
        took_s, answer = _connect(family, target)
        if took_s is None:
            problem = answer
            break
        trips.append(took_s)
        listens = answer is None
    way = interface_to(address, family, target)
    return Reach(address=address.shown, round_trips_s=tuple(trips), listens=listens, problem=problem, interface=way)


def _connect(family: int, target: tuple[object, ...]) -> tuple[float | None, str | None]:
    """How long a connection took, and what was said instead of one."""
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(CONNECT_S)
        began_s = time.monotonic()
        try:
            connection.connect(target)
        except ConnectionRefusedError:
            return time.monotonic() - began_s, "refused"
        except OSError as error:
            return None, "no answer in time" if isinstance(error, TimeoutError) else str(error.strerror or error)
        return time.monotonic() - began_s, None


def interface_to(address: Address, family: int, target: tuple[object, ...]) -> str | None:
    """The interface that leads to an address. Connecting a datagram socket sends nothing."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(target)
            own = str(probe.getsockname()[0])
    except OSError:
        return None
    for name, addresses in psutil.net_if_addrs().items():
        if any(one.address.partition("%")[0] == own for one in addresses):
            return name
    return None


def shaping(place: Place) -> Shaping:
    """The programs, the kernel and the helper that kernel shaping needs."""
    missing = tuple(name for name in PROGRAMS if not _program(place, name))
    helper = place.root / SOCKET.lstrip("/")
    if missing or not helper.exists():
        return Shaping(missing=missing, disciplines=disciplines(place))
    interface, problem = _helper(place, helper)
    return Shaping(disciplines=disciplines(place), runs=True, interface=interface, problem=problem)


def _program(place: Place, name: str) -> bool:
    if place.live:
        return shutil.which(name) is not None or shutil.which(name, path=SYSTEM_FOLDERS) is not None
    return any((place.root / folder.lstrip("/") / name).exists() for folder in SYSTEM_FOLDERS.split(":"))


def _helper(place: Place, path: Path) -> tuple[str | None, str | None]:
    try:
        helper = Shaper.connect(path)
    except ShapingError as error:
        return None, str(error)
    try:
        return (helper.check(_peer(place.connect)), None) if place.connect else (None, None)
    except (ShapingError, OSError) as error:
        return None, str(error)
    finally:
        helper.close()


def _peer(connect: str) -> str:
    address = address_of(connect)
    return str(socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][4][0])


def disciplines(place: Place) -> bool | None:
    """Whether this kernel has htb and tbf, built in, loaded or as modules; None where nothing tells."""
    names = ("sch_htb", "sch_tbf")
    if all((place.root / "sys/module" / name).exists() for name in names):
        return True
    if (config := _config(place)) is not None:
        return all(re.search(rf"^CONFIG_NET_{name.upper()}=[ym]", config, re.MULTILINE) for name in names)
    folder = f"lib/modules/{platform.release()}"
    listed = (place.text(f"{folder}/modules.builtin") or "") + (place.text(f"{folder}/modules.dep") or "")
    return all(f"/{name}.ko" in listed for name in names) if listed else None


def _config(place: Place) -> str | None:
    """The kernel's own configuration, where it shows it."""
    try:
        with gzip.open(place.root / "proc/config.gz", "rt", encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return None
