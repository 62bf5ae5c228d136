"""``federa-bench keys``: makes key pairs, and says which devices a controller allows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from harness.errors import UsageError
from harness.keys import (
    CONTROLLER,
    AllowedList,
    Named,
    check_name,
    default_folder,
    expanded,
    make_pair,
    public_line,
    read_public,
)
from harness.options import Debug, Json

app = typer.Typer(help="Make keys, allow devices, revoke them (docs/security.md).")
Folder = Annotated[
    Path | None,
    typer.Option(
        "--keys", metavar="DIR", help="Folder of keys. Default: $FEDERA_BENCH_KEYS, or ~/.config/federa-bench/keys."
    ),
]


def main(argv: list[str]) -> int:
    """Returns the exit code; the caller says what goes wrong."""
    return int(app(argv, prog_name="federa-bench keys", standalone_mode=False) or 0)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"A device's name, or '{CONTROLLER}'.")],
    keys: Folder = None,
    debug: Debug = False,
) -> int:
    """Make a key pair: of this device, or, named 'controller', of the machine that runs experiments."""
    folder = _folder(keys)
    public = make_pair(folder, check_name(name))
    _say(f"made {folder / name}.secret (it stays on this machine) and {folder / name}.public:", public.line)
    if name == CONTROLLER:
        _say(f"next: copy {folder / name}.public to each device, into its ~/.config/federa-bench/keys")
        _say("then, for each device: federa-bench keys allow FILE, with its .public file")
    else:
        _say(f"next: copy {folder / name}.public to the controller, and there: federa-bench keys allow {name}.public")
        _say(f"or, without a file: federa-bench keys allow '{public.line}'")
    return 0


@app.command()
def allow(
    device: Annotated[str, typer.Argument(metavar="FILE_OR_LINE", help="A .public file, or its line: 'NAME KEY'.")],
    keys: Folder = None,
    debug: Debug = False,
) -> int:
    """Let a device take part in the runs of this controller."""
    allowed = AllowedList(_folder(keys))
    named = _told(device)
    if named.name == CONTROLLER:
        raise UsageError(f"'{CONTROLLER}' is what a controller's own key is called; make the device's: keys new NAME")
    if allowed.add(named):
        _say(f"allowed {named.name}, in {allowed.path}; a controller that runs knows within a second")
    else:
        _say(f"{named.name} was allowed before, in {allowed.path}; nothing was changed")
    _say("next, on the device: federa-bench agent --connect tcp://HOST:PORT")
    return 0


@app.command()
def revoke(
    device: Annotated[str, typer.Argument(metavar="NAME_OR_KEY", help="A device's name, or its public key.")],
    keys: Folder = None,
    debug: Debug = False,
) -> int:
    """Let a device take part no more. A run that is under way cuts it off within a second, and goes on."""
    allowed = AllowedList(_folder(keys))
    gone = allowed.remove(device)
    _say(f"revoked {gone.name}, in {allowed.path}; a controller that runs cuts it off within a second")
    _say("if it is to come back, make it a new key there: move the old one away, then federa-bench keys new NAME")
    return 0


@app.command(name="list")
def list_(keys: Folder = None, as_json: Json = False, debug: Debug = False) -> int:
    """Show the keys of this folder, and which devices are allowed."""
    folder = _folder(keys)
    here = [read_public(path) for path in sorted(folder.glob("*.public"))]
    secrets = {path.stem for path in folder.glob("*.secret")}
    allowed = AllowedList(folder).names()
    if as_json:
        from harness import launch

        launch.print_json(
            {
                "folder": str(folder),
                "keys": [{"name": it.name, "key": it.key, "secret": it.name in secrets} for it in here],
                "allowed": [{"name": name, "key": key} for key, name in allowed.items()],
            }
        )
        return 0
    _show(f"Keys in {folder}", [(it.name, it.key, "with its secret" if it.name in secrets else "") for it in here])
    _show("Allowed devices", [(name, key, "") for key, name in allowed.items()])
    return 0


def _folder(keys: Path | None) -> Path:
    return expanded(keys or default_folder())


def _told(device: str) -> Named:
    """The device that a file or a line names; only a line has a space after a name and no slash before it."""
    path = expanded(Path(device))
    if path.is_file():
        return read_public(path)
    if len(device.split()) != 2:
        raise UsageError(f"there is no file {device}; give a device's .public file, or its line in quotes: 'NAME KEY'")
    return public_line(device, repr(device))


def _say(*lines: str) -> None:
    for line in lines:
        typer.echo(line)


def _show(title: str, rows: list[tuple[str, str, str]]) -> None:
    table = Table(Column("name"), Column("public key", no_wrap=True), "", title=title, title_justify="left", box=None)
    for row in rows:
        table.add_row(*map(Text, row))  # keys hold brackets, which are markup elsewhere
    console = Console()
    console.print(table) if rows else console.print(f"{title}: none", highlight=False, soft_wrap=True)
