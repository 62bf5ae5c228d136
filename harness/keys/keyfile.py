"""What stands in files of keys, read and written as text. Pure; errors name the file and the line.

    NAME.public     NAME KEY            one line, to be copied or mailed
    NAME.secret     secret NAME KEY     one line, for its owner's eyes alone
    allowed         NAME KEY            one line for each device

A key is 40 characters of Z85 (RFC 32), which has no space, quote or backslash: a line can stand between single quotes
in a shell. Lines that begin with # are comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import UsageError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
KEY = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
SECRET = "secret"


@dataclass(frozen=True)
class Named:
    """A name and the public key that stands for it."""

    name: str
    key: str

    @property
    def line(self) -> str:
        """As it stands in a file, without the line's end."""
        return f"{self.name} {self.key}"


def check_name(name: str) -> str:
    """The name itself, if it can be one.

    Raises:
        UsageError: it cannot.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a key; use up to 64 letters, digits, '.', '_' and '-'")
    return name


def public_line(text: str, where: str) -> Named:
    """The name and key of a ``.public`` file, or of such a line. ``where`` is what an error calls it.

    Raises:
        UsageError: it holds something else.
    """
    found = [_named(line, where) for _, line in _lines(text)]
    if len(found) != 1:
        raise UsageError(f"{where} holds {len(found)} keys, and should hold one: a line with a name and a public key")
    return found[0]


def allowed_lines(text: str, where: str) -> dict[str, str]:
    """The list of allowed devices: name by public key.

    Raises:
        UsageError: a line is damaged, or a name or a key stands there twice.
    """
    names: dict[str, str] = {}
    for number, line in _lines(text):
        named = _named(line, f"{where}, line {number}")
        if named.key in names or named.name in names.values():
            twice = "key" if named.key in names else f"name {named.name}"
            raise UsageError(f"{where}, line {number}: the {twice} stands there twice; take one of the lines out")
        names[named.key] = named.name
    return names


def with_line(text: str, named: Named) -> str:
    """The list with one more device at its end; everything else stays as it is."""
    return f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{named.line}\n"


def without_key(text: str, key: str) -> str:
    """The list without the line of this key; everything else stays as it is."""
    return "".join(line for line in text.splitlines(keepends=True) if line.split()[1:] != [key])


def secret_text(name: str, secret: str) -> str:
    """The content of a ``.secret`` file."""
    return f"# Keep this to yourself: whoever has it is {name}.\n{SECRET} {name} {secret}\n"


def secret_line(text: str, where: str) -> tuple[str, str]:
    """The name and the secret key of a ``.secret`` file. Its content stands in no error.

    Raises:
        UsageError: it holds something else.
    """
    lines = [line.split() for _, line in _lines(text)]
    if len(lines) != 1 or len(lines[0]) != 3 or lines[0][0] != SECRET:
        raise UsageError(f"{where} holds no secret key; make one with: federa-bench keys new NAME")
    _, name, secret = lines[0]
    if not NAME.fullmatch(name) or not KEY.fullmatch(secret):
        raise UsageError(f"{where} is damaged; make a new key with: federa-bench keys new NAME")
    return name, secret


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line


def _named(line: str, where: str) -> Named:
    words = line.split()
    if words[0] == SECRET and len(words) == 3:
        raise UsageError(
            f"{where} holds a secret key, which stays where it was made; give the file that ends in .public"
        )
    if len(words) != 2 or not NAME.fullmatch(words[0]) or not KEY.fullmatch(words[1]):
        raise UsageError(f"{where}: not a name and a public key of 40 characters; mend or remove it")
    return Named(*words)
