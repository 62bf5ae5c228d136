"""The unit files of systemd for one machine: the templates of this package with its paths put in. Pure otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from harness.errors import UsageError

AGENT_UNIT, SHAPER_UNIT = "federa-bench-agent@.service", "federa-bench-shaper.service"
UNIT_FOLDER = "/etc/systemd/system"
"""Where the units of :func:`unit_files` go."""
USER_FILE = "/etc/sysusers.d/federa-bench.conf"
"""Where :func:`user_file` goes; ``systemd-sysusers`` then makes the user."""
ENVIRONMENT_FILE = "/etc/federa-bench/agent.env"
"""Where :func:`environment_file` goes; ``agent-NAME.env`` beside it is one agent's own."""
KEYS = "/etc/federa-bench/keys"
"""Where the services' keys are: NAME.secret for each agent, and controller.public."""
CUDA_GROUPS = ("video", "render")
"""Who may use the GPU's devices on a Jetson. A group that is not there keeps a unit from starting: leave it out."""

TEMPLATES = {AGENT_UNIT: "agent@.service", SHAPER_UNIT: "shaper.service"}
HOMES = ("/home", "/root", "/run/user")
PATH = re.compile(r"/[A-Za-z0-9/._+@-]*")
GROUP = re.compile(r"[a-z_][a-z0-9_-]*")
WORD = re.compile(r"[^\s\"'\\$]+")
BLANK = re.compile(r"@([A-Z_]+)@")


def unit_files(
    venv: str, *, keys: str = KEYS, groups: Sequence[str] = CUDA_GROUPS, reads: Sequence[str] = ()
) -> dict[str, str]:
    """The text of each unit by its file name.

    Args:
        venv: the virtual environment, an absolute path; ``bin/federa-bench`` stands in it.
        keys: the folder of the service's keys.
        groups: the groups for the GPU that are on this machine.
        reads: what else the services read, such as the folder of the interpreter that the environment is made of.
            Homes are hidden from them unless something of theirs is in one.

    Raises:
        UsageError: a path or a group is none that can stand in a unit.
    """
    for path in (venv, keys, *reads):
        if not PATH.fullmatch(path):
            raise UsageError(
                f"{path!r} cannot stand in a unit; use an absolute path of letters, digits, '._+@-' and '/'"
            )
    for group in groups:
        if not GROUP.fullmatch(group):
            raise UsageError(f"{group!r} is no name of a group; use small letters, digits, '_' and '-'")
    values = {
        "VENV": venv.rstrip("/"),
        "KEYS": keys.rstrip("/"),
        "GROUPS": f"SupplementaryGroups={' '.join(groups)}",
        "PROTECT_HOME": "read-only" if any(_in_a_home(path) for path in (venv, *reads)) else "yes",
    }
    return {name: _filled(_template(data), values) for name, data in TEMPLATES.items()}


def user_file() -> str:
    """The text that lets ``systemd-sysusers`` make the user and the group of the services."""
    return 'u federa-bench - "federa-bench" /var/lib/federa-bench\n'


def environment_file(connect: str, options: Sequence[str] = ()) -> str:
    """The text of the file that tells agents their controller's address, and further options of their command.

    Raises:
        UsageError: a word has a space, a quote, a backslash or a dollar sign, which systemd does not take as it is.
    """
    for word in (connect, *options):
        if not WORD.fullmatch(word):
            raise UsageError(
                f"{word!r} cannot stand in {ENVIRONMENT_FILE}; write it without spaces, quotes, '\\' and '$'"
            )
    return f'FEDERA_BENCH_CONNECT="{connect}"\nFEDERA_BENCH_OPTIONS="{" ".join(options)}"\n'


def _in_a_home(path: str) -> bool:
    return any(path == home or path.startswith(f"{home}/") for home in HOMES)


def _template(data: str) -> str:
    return files("agents.systemd").joinpath(data).read_text(encoding="utf-8")


def _filled(template: str, values: Mapping[str, str]) -> str:
    return BLANK.sub(lambda blank: values[blank[1]], template)
