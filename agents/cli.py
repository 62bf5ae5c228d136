"""The command of an agent: ``federa-bench agent`` and ``python -m agents``."""

from __future__ import annotations

import argparse
import logging
import os
import re
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from agents.agent import Agent, Leave
from agents.steps import End
from agents.tools import Tools
from agents.watchdog import Notifier
from harness.address import address_of
from harness.errors import FederaBenchError, UsageError
from harness.keys import AgentKeys, agent_security, expanded
from harness.protocol.messages import PROTOCOL, Hello

SIGNALS = {
    signal.SIGTERM: End(0, "it was asked to end (SIGTERM)"),
    signal.SIGINT: End(130, "it was interrupted (Ctrl-C)"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run an agent until its end; returns the exit code: 0 done, 1 failed or refused, 2 bad usage, 130 interrupted."""
    options = _parser().parse_args(argv)
    try:
        end = _run(options)
    except FederaBenchError as error:
        print(f"federa-bench agent: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"federa-bench agent: {error.strerror}: {error.filename}; choose another --cache", file=sys.stderr)
        return 1
    logging.getLogger("agents").log(logging.ERROR if end.exit_code == 1 else logging.INFO, "ends: %s", end.reason)
    return end.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="federa-bench agent", description="Train clients on this machine for a controller."
    )
    parser.add_argument("--connect", required=True, metavar="tcp://HOST:PORT", help="the controller's address")
    parser.add_argument("--name", help="how this agent is called (its key's name; without keys: the host's)")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("~/.cache/federa-bench"),
        metavar="DIR",
        help="where to keep files (%(default)s)",
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="DIR",
        help="folder of keys (a service's credentials; else none on loopback, ~/.config/federa-bench/keys beyond it)",
    )
    parser.add_argument("--key", type=Path, metavar="FILE", help="this agent's secret key")
    parser.add_argument("--controller-key", metavar="FILE_OR_KEY", help="the controller's public key")
    parser.add_argument(
        "--sys-root",
        type=Path,
        default=Path("/"),
        metavar="DIR",
        help="where /sys and /proc are read; a made tree stands in for a board (%(default)s)",
    )
    parser.add_argument(
        "--shaper",
        type=Path,
        metavar="SOCKET",
        help="socket of the helper for link.shaping: kernel (/run/federa-bench/shaper.sock)",
    )
    parser.add_argument("--once", action="store_true", help="end with the run instead of waiting for the next one")
    parser.add_argument("--stop-on-stdin-eof", action="store_true", help="end when standard input does")
    parser.add_argument("--no-doctor", action="store_true", help="do not examine this machine at the start of a run")
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    return parser


def _run(options: argparse.Namespace) -> End:
    address_of(options.connect)
    if options.name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", options.name):
        raise UsageError(f"{options.name!r} is no name for an agent; use up to 64 letters, digits, '.', '_' and '-'")
    given = AgentKeys(options.keys, options.key, options.controller_key)
    security = agent_security(options.connect, options.name, given)
    name = security.name if security else options.name or os.uname().nodename
    logging.basicConfig(
        level=options.log_level.upper(), format=f"%(asctime)s {name} %(levelname)s %(message)s", force=True
    )
    leaves = [_signals()]
    if options.stop_on_stdin_eof:
        leaves.append(Leave(0, {b"": End(0, "its standard input ended")}))
    cache, hello = expanded(options.cache).resolve(), _hello(name)
    return Agent(
        options.connect,
        hello,
        cache,
        once=options.once,
        leaves=tuple(leaves),
        security=security,
        tools=Tools(
            sys_root=options.sys_root,
            shaper=options.shaper,
            keys=options.keys,
            cache=cache,
            examine=() if options.no_doctor else None,
        ),
        notifier=Notifier.from_environment(),
    ).run()


def _signals() -> Leave:
    """Signals as bytes in a pipe: the loop waits for it as for everything else."""
    readable, writable = os.pipe()

    def note(number: int, _frame: FrameType | None) -> None:
        os.write(writable, bytes([number]))

    for number in SIGNALS:
        signal.signal(number, note)
    return Leave(readable, {bytes([number]): end for number, end in SIGNALS.items()})


def _hello(name: str) -> Hello:
    from importlib.metadata import version  # a fifth of the start; whoever asks for help does without

    return Hello(
        protocol=PROTOCOL,
        version=version("federa-bench"),
        agent=name,
        host=os.uname().nodename,
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        session=secrets.token_hex(8),
    )
