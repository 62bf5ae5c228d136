"""The command ``federa-bench probe``: whether a link keeps its rate, before a run is given to it."""

from __future__ import annotations

import argparse
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import msgspec

from harness.address import MAX_PORT, Address, address_of
from harness.errors import FederaBenchError, UsageError
from harness.profiles import RateProfile
from harness.shaping import SOCKET, Applied, Flow, Shaper, mean_bps, peer_of
from harness.shaping.ends import answer, ask, read_interface
from harness.shaping.probe import TOLERANCE, Probe, Way, probe_of, size_for

UNSHAPED_BYTES = 25_000_000
WAYS: tuple[Way, ...] = ("down", "up")


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 done and kept, 1 the rate is not kept or the other end not there, 2 bad usage."""
    options = _parser().parse_args(argv)
    try:
        if options.answer is not None:
            return _answer(address_of(options.answer), _rate(options), options.shaper)
        return _ask(address_of(options.connect), options)
    except FederaBenchError as error:
        print(f"federa-bench probe: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="federa-bench probe",
        description="Move bytes between two machines both ways, and see whether the link keeps its rate, by the clock "
        "and by the counter of the interface.",
        epilog="On the controller: federa-bench probe --answer tcp://0.0.0.0:5555 --rate-mbps 25. On the device: "
        "federa-bench probe --connect tcp://CONTROLLER:5555 --rate-mbps 25. Each end shapes what it sends by its own "
        "helper. Without a rate nothing is shaped, and the link shows what it can do.",
    )
    end = parser.add_mutually_exclusive_group(required=True)
    end.add_argument("--answer", metavar="tcp://HOST:PORT", help="the controller's end: answer until Ctrl-C")
    end.add_argument("--connect", metavar="tcp://HOST:PORT", help="the device's end: measure, print, end")
    parser.add_argument("--rate-mbps", type=float, metavar="R", help="the rate of payload that the kernel is to keep")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each way (%(default)s)")
    parser.add_argument("--shaper", default=SOCKET, metavar="SOCKET", help="the helper's socket (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the probes as JSON")
    return parser


def _rate(options: argparse.Namespace) -> RateProfile | None:
    if options.rate_mbps is None:
        return None
    try:
        return msgspec.convert({"rate_mbps": options.rate_mbps}, RateProfile)
    except msgspec.ValidationError as error:
        raise UsageError(f"--rate-mbps {options.rate_mbps:g}: {error}") from None


def _answer(here: Address, rate: RateProfile | None, helper: str | Path) -> int:
    """Answer one probe after the other, and keep what goes to each device that asked at the rate."""
    with ExitStack() as stack, _listening(here) as listener:
        shaper = None if rate is None else Shaper.connect(helper)
        if shaper is not None:
            stack.callback(shaper.close)
        shaped: set[str] = set()

        def meet(peer: str) -> None:
            if shaper is not None and rate is not None and peer not in shaped:
                shaper.shape(_flow(peer, here.port, "controller", rate))
                shaped.add(peer)

        print(f"answers at {here.shown} until Ctrl-C", flush=True)
        while True:
            answer(listener, meet)


def _listening(here: Address) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in here.host else socket.AF_INET
        return socket.create_server((here.host, here.port), family=family)
    except OSError as error:
        raise UsageError(f"nothing can listen at {here.shown} ({error.strerror}); choose another --answer") from None


def _ask(there: Address, options: argparse.Namespace) -> int:
    rate, host, port = _rate(options), peer_of(there.host), there.port
    if rate is None or rate.rate_mbps is None:
        return _unshaped(host, port)
    shaper = Shaper.connect(options.shaper)
    try:
        flow = _flow(host, port, "agent", rate)
        applied = shaper.shape(flow)
        size_bytes = size_for(rate.rate_mbps * 1e6, options.seconds)
        probes = [_probed(way, host, port, size_bytes, applied, rate) for way in WAYS]
        shaper.counted(flow)
    finally:
        shaper.close()
    _show(probes, as_json=options.json)
    return 0 if all(probe.kept for probe in probes) else 1


def _probed(way: Way, host: str, port: int, size_bytes: int, applied: Applied, rate: RateProfile) -> Probe:
    before = read_interface(applied.interface)
    seconds = ask((host, port), way, size_bytes)
    until_s = time.monotonic()
    allowed_bps = mean_bps(applied, rate, until_s - seconds, until_s)
    after = read_interface(applied.interface)
    version: Literal[4, 6] = 6 if ":" in host else 4
    return probe_of(way, applied.interface, size_bytes, seconds, allowed_bps, before, after, ip_version=version)


def _unshaped(host: str, port: int) -> int:
    for way in WAYS:
        seconds = ask((host, port), way, UNSHAPED_BYTES)
        print(f"{way:4}  {UNSHAPED_BYTES * 8 / seconds / 1e6:8.2f} Mbit/s, not shaped")
    return 0


def _show(probes: Sequence[Probe], *, as_json: bool) -> None:
    if as_json:
        rows = [{**msgspec.structs.asdict(probe), "kept": probe.kept} for probe in probes]
        print(msgspec.json.encode(rows).decode())
        return
    for probe in probes:
        print(
            f"{'ok' if probe.kept else 'NOT KEPT':8}  {probe.way:4}  {probe.allowed_mbps:8.2f} Mbit/s allowed, "
            f"{probe.achieved_mbps:8.2f} achieved ({probe.deviation:+.1%}), {probe.interface_mbps:8.2f} by "
            f"{probe.interface} ({probe.interface_deviation:+.1%})"
        )
    if not all(probe.kept for probe in probes):
        print(f"more than {TOLERANCE:.0%} off; does the other end answer with the same --rate-mbps?")


def _flow(peer: str, port: int, at: Literal["agent", "controller"], rate: RateProfile) -> Flow:
    beside = port + 1 if port < MAX_PORT else port - 1  # a probe has no heartbeats, but a flow has a port for them
    return Flow(peer=peer, port=port, beat_port=beside, at=at, rate=rate)


if __name__ == "__main__":
    sys.exit(main())
