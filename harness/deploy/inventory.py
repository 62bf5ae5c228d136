"""The inventory: which devices there are, as a YAML file, checked strictly."""

from __future__ import annotations

from pathlib import Path

import msgspec

from harness.deploy.trouble import bare
from harness.deploy.wish import Wish, checked, name_of
from harness.errors import UsageError
from harness.keys import read_text
from harness.yaml12 import parse


class Device(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One device of the file; what it leaves out is as for all."""

    host: str
    name: str | None = None
    controller: str | None = None
    options: str | None = None
    python: str | None = None


class Inventory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file: what counts for all devices, and the devices."""

    devices: list[Device]
    controller: str | None = None
    options: str | None = None
    python: str | None = None


def read(path: Path) -> list[Wish]:
    """What is wanted of each device, in the file's order.

    Raises:
        UsageError: the file is not there, a key is unknown, a value cannot be, or a host or a name stands there twice.
    """
    try:
        inventory = msgspec.convert(parse(read_text(path), str(path)), Inventory)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {_lower(str(error))}; docs/deploy.md shows an inventory") from None
    if not inventory.devices:
        raise UsageError(f"{path}: there are no devices; list at least one below devices")
    wishes = []
    for number, device in enumerate(inventory.devices):
        try:
            wishes.append(
                checked(
                    Wish(
                        host=device.host,
                        name=device.name or name_of(device.host),
                        connect=device.controller or inventory.controller,
                        options=inventory.options if device.options is None else device.options,
                        python=device.python or inventory.python,
                    )
                )
            )
        except UsageError as error:
            raise UsageError(f"{path}, devices[{number}]: {error}") from None
    return once(str(path), wishes)


def once(where: str, wishes: list[Wish]) -> list[Wish]:
    """The wishes themselves, if no two are of one device, whoever logs in there, or one name.

    Raises:
        UsageError: two are.
    """
    for what, values in (
        ("host", [bare(wish.host).lower() for wish in wishes]),
        ("name", [wish.name for wish in wishes]),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise UsageError(f"{where}: the {what} {twice[0]} stands there twice; give each device its own")
    return wishes


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
