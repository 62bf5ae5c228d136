"""Which keys a controller or an agent uses, and whether it may do without: plain sockets are for loopback alone."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.keys.allowed import AllowedList, WatchedList
from harness.keys.folder import (
    AGENT,
    CONTROLLER,
    credentials_folder,
    default_folder,
    expanded,
    read_public,
    read_secret,
)
from harness.keys.keyfile import KEY

if TYPE_CHECKING:  # commands that open no socket start without zmq
    from harness.transport import CurveClient, CurveServer


def is_loopback(endpoint: str) -> bool:
    """Whether ``tcp://HOST:PORT`` can be reached from this machine alone. A name other than localhost counts as not."""
    host = endpoint.removeprefix("tcp://").rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def needs_keys(bind: str | None, keys: Path | None) -> bool:
    """Whether a controller at ``bind`` (None: loopback) has to have keys. ``keys`` is what --keys says."""
    return keys is not None or not (bind is None or is_loopback(bind))


def controller_security(
    bind: str | None, keys: Path | None, local: Mapping[str, str], environ: Mapping[str, str] = os.environ
) -> CurveServer | None:
    """How a controller at ``bind`` is secured; None: plain, as :func:`needs_keys` says.

    ``local`` are keys that are allowed in memory alone, for agents started here: names by public key.

    Raises:
        UsageError: it needs keys, and there are none; or they, or the list of allowed devices, are no good.
    """
    if not needs_keys(bind, keys):
        return None
    folder = expanded(keys or default_folder(environ))
    secret = folder / f"{CONTROLLER}.secret"
    if not secret.exists():
        why = f"--bind {bind} lets other machines in" if keys is None else "--keys asks for agents with keys"
        make = _command(f"new {CONTROLLER}", keys)
        raise UsageError(f"{why}, but {secret} is not there; make it with: {make}")
    _, own = read_secret(secret, environ)
    listed = WatchedList(AllowedList(folder))
    from harness.transport import CurveServer

    return CurveServer(own, lambda: {**listed(), **local}, _command("allow", keys))


@dataclass(frozen=True)
class AgentKeys:
    """What the agent's command line says: --keys, --key and --controller-key."""

    folder: Path | None = None
    secret: Path | None = None
    controller: str | None = None


def agent_security(
    connect: str, name: str | None, given: AgentKeys, environ: Mapping[str, str] = os.environ
) -> CurveClient | None:
    """How an agent is secured that connects to ``connect``; None: plain. ``name`` is what --name says.

    A service that systemd gave a key (``agent.secret`` among its credentials) uses it, on loopback too, unless the
    command line says otherwise.

    Raises:
        UsageError: it needs keys, and there are none, or they are no good; or the key is of another name.
    """
    credential = _credential(environ) if given.folder is None else None
    if given == AgentKeys() and is_loopback(connect) and credential is None:
        return None
    folders = _folders(given.folder, environ)
    secret = given.secret or credential or _secret_in(folders, name, connect, _command("new NAME", given.folder))
    path = expanded(secret)
    holder, own = read_secret(path, environ)
    if name not in (None, holder):
        raise UsageError(f"--name {name}, but the key {path} is {holder}'s; leave --name out, or give another --key")
    from harness.transport import CurveClient

    return CurveClient(holder, own, _controller_key(folders, given.controller))


def _folders(given: Path | None, environ: Mapping[str, str]) -> list[Path]:
    if given is not None:
        return [expanded(given)]
    credentials = credentials_folder(environ)
    try:
        return [*([credentials] if credentials else []), default_folder(environ)]
    except UsageError:
        if credentials is None:
            raise
        return [credentials]  # the user of a service may have no home


def _credential(environ: Mapping[str, str]) -> Path | None:
    """The secret key that systemd gave this service.

    Raises:
        UsageError: nobody can tell whether it did: without keys the agent would be somebody else.
    """
    credentials = credentials_folder(environ)
    if credentials is None:
        return None
    secret = credentials / f"{AGENT}.secret"
    try:
        return secret if secret.exists() else None
    except OSError as error:
        raise UsageError(f"the service's credentials in {credentials} cannot be read: {error.strerror}") from None


def _secret_in(folders: Sequence[Path], name: str | None, connect: str, make: str) -> Path:
    """The one secret key that these folders have for an agent; the first folder that has any counts. ``make`` is the
    command that makes one.
    """
    for folder in folders:
        found = sorted(folder.glob("*.secret"))
        wanted = [path for path in found if path.stem == name] or [path for path in found if path.stem != CONTROLLER]
        if len(wanted) > 1:
            names = ", ".join(path.stem for path in wanted)
            raise UsageError(f"{folder} has several secret keys ({names}); say which with --name or --key")
        if wanted:
            return wanted[0]
    where = f"{folders[-1]} has none" if len(folders) == 1 else f"neither {folders[0]} nor {folders[1]} has one"
    raise UsageError(f"an agent needs a key of its own to connect to {connect}, and {where}; make one with: {make}")


def _controller_key(folders: Sequence[Path], given: str | None) -> str:
    if given is not None:
        return given if KEY.fullmatch(given) else read_public(expanded(Path(given))).key
    for folder in folders:
        if (path := folder / f"{CONTROLLER}.public").exists():
            return read_public(path).key
    raise UsageError(
        f"the controller's public key is missing: copy its {CONTROLLER}.public to {folders[-1]}, or name it with "
        "--controller-key"
    )


def _command(words: str, keys: Path | None) -> str:
    """A command on the same folder of keys."""
    return f"federa-bench keys {words}" + (f" --keys {keys}" if keys else "")
