"""What each step tells the device's shell. Pure; words that are not ours are quoted.

Python runs with -B wherever root starts it: byte code of the system's own packages would be left there.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.deploy import places
from harness.deploy.steps import line, write

READY_S = 60
"""How long an agent may take from its start to where it says that it is ready."""
LOG_LINES = 40

_IMPORTS = """
import sys
import msgspec, zmq, psutil, yaml, typer, numpy, safetensors, transformers, peft, torch
import harness.transport, agents.cli, agents.worker
torch.zeros(1).numpy()
if sys.argv[1:] and torch.__version__ != sys.argv[1]:
    sys.exit("torch is %s, and the device's own is %s" % (torch.__version__, sys.argv[1]))
"""


def folders() -> str:
    """The shared folders, root's own; keys are files of mode 0600 in a folder that may be listed."""
    paths = (places.PROGRAM, places.RELEASES, places.INCOMING, places.SETTINGS, places.KEYS)
    return line("install", "-d", "-o", "root", "-g", "root", "-m", "0755", *paths)


def user(text: str) -> str:
    """The user of the services, made by systemd-sysusers from a file that stays."""
    folder = places.USER_FILE.rpartition("/")[0]
    made = line("systemd-sysusers", places.USER_FILE)
    return f"{line('install', '-d', folder)}\n{write(places.USER_FILE, text)}\n{made}"


def packages(python: str, release: str, wheel: str, pip: str | None, *, wheelhouse: bool) -> str:
    """A virtual environment beside the device's own packages, in a folder that did not exist; a failed one is removed.

    It is made without pip, which some systems keep apart; pip comes along as a wheel, and runs from it.
    """
    folder, incoming = places.release(release), places.INCOMING
    own = f"{folder}/bin/python"
    installer = [own, "-B", *([f"{incoming}/{pip}/pip"] if pip else ["-m", "pip"]), "install", "--quiet"]
    installer += [
        "--no-input",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--no-compile",
        "--prefer-binary",
        "--no-warn-script-location",
    ]
    source = ["--no-index", "--find-links", incoming] if wheelhouse else []
    wanted = ["-c", f"{incoming}/constraints.txt", "-r", f"{incoming}/requirements.txt"]
    lines = (
        line("rm", "-rf", folder),
        line(python, "-B", "-m", "venv", "--without-pip", "--system-site-packages", folder),
        line(*installer, *source, *wanted),
        line(*installer, "--no-index", "--no-deps", f"{incoming}/{wheel}"),
        # pip would compile on one core; a file that does not compile is one that nobody imports
        f"{{ {line(own, '-m', 'compileall', '-q', '-j', '0', f'{folder}/lib')} >/dev/null || true; }}",
    )
    return _or_removed(folder, lines)


def check(release: str, torch: str | None) -> str:
    """Import what an agent needs, as the user it runs as, with the device's own torch; then the release is complete."""
    folder = places.release(release)
    as_user = ["runuser", "-u", places.USER, "--"]
    words = [*as_user, f"{folder}/bin/python", "-B", "-c", _IMPORTS, *([torch] if torch else [])]
    return f"""TMPDIR=$({line(*as_user, "mktemp", "-d")})
export TMPDIR HOME="$TMPDIR"
trap 'rm -rf "$TMPDIR"' EXIT
{_or_removed(folder, (line(*words), line("touch", f"{folder}/{places.COMPLETE}")))}"""


def _or_removed(folder: str, lines: tuple[str, ...]) -> str:
    """These lines, each of which has to work, or the folder goes."""
    tried = " &&\n  ".join(lines)
    return f"{{ {tried}; }} || {{ {line('rm', '-rf', folder)}; exit 1; }}"


def new_key(name: str, release: str, *, by_root: bool) -> str:
    """Make the agent's key where it is to stay. ``by_root``: systemd reads it as root and hands it over; older ones
    (below 247) leave that to the agent, whose user then owns it.
    """
    program = f"{places.release(release)}/bin"
    made = line(f"{program}/python", "-B", f"{program}/federa-bench", "keys", "new", name, "--keys", places.KEYS)
    owner = "root" if by_root else places.USER
    public = places.public_of(name)
    return f"{made} >/dev/null\n{line('chown', owner, places.secret_of(name))}\n{line('chmod', '0644', public)}"


def install(texts: Mapping[str, str], release: str, before: str | None) -> str:
    """Write the files that changed, and let ``current`` lead to the release; what was there is kept until it works."""
    lines = [line("rm", "-rf", places.BEFORE)]
    if before:
        lines.append(line("install", "-d", "-m", "0755", places.BEFORE))
        lines += [
            f"if [ -e {line(path)} ]; then {line('cp', '-a', '--parents', path, places.BEFORE)}; fi" for path in texts
        ]
    lines += [write(path, text) for path, text in texts.items()]
    lines += [
        line("ln", "-sfn", places.release(release), f"{places.CURRENT}.part"),
        line("mv", "-fT", f"{places.CURRENT}.part", places.CURRENT),
        "systemctl daemon-reload",
    ]
    return "\n".join(lines)


def start(name: str, *, again: bool, shaper: bool, shaper_again: bool) -> str:
    """Enable the units, and start them: anew where something changed, else only if they do not run.

    An agent works without the shaper, so where that fails nothing else does.
    """
    lines = []
    if shaper:
        verb = "restart" if shaper_again else "start"
        unit = places.SHAPER_UNIT
        lines.append(f"systemctl --quiet enable {unit} && systemctl {verb} --no-block {unit} || true")
    unit = places.unit(name)
    lines += [
        line("systemctl", "--quiet", "enable", unit),
        line("systemctl", "reset-failed", unit) + " 2>/dev/null || true",
        line("systemctl", "restart" if again else "start", "--no-block", unit),
    ]
    return "\n".join(lines)


def ready(name: str) -> str:
    """Wait until systemd heard from the agent that it is ready, and show what it says; its log where it fails.

    ``active`` would also be a service that only got as far as its first instruction: the units are of type notify.
    """
    unit = line(places.unit(name))
    return f"""left={READY_S}
state=activating
while [ "$left" -gt 0 ]; do
  state=$(systemctl show -p ActiveState --value {unit})
  restarts=$(systemctl show -p NRestarts --value {unit})
  said=$(systemctl show -p StatusText --value {unit})
  if [ "$state" = active ] && [ -n "$said" ]; then
    echo "$said"
    if [ "$(systemctl is-enabled {places.SHAPER_UNIT} 2>/dev/null)" = enabled ] &&
      [ "$(systemctl is-active {places.SHAPER_UNIT})" != active ]; then
      echo "note: the shaper does not run (journalctl -u {places.SHAPER_UNIT}), so no link.shaping: kernel here"
    fi
    return 0
  fi
  if [ "$state" = failed ] || [ "$restarts" -gt 1 ]; then break; fi
  left=$((left - 1))
  sleep 1
done
echo "{unit} is $state; its log:"
journalctl -q --no-pager -n {LOG_LINES} -u {unit} || true
return 1"""


def undo(name: str, before: str) -> str:
    """Back to the release and the files from before an upgrade."""
    return "\n".join(
        (
            line("ln", "-sfn", places.release(before), f"{places.CURRENT}.part"),
            line("mv", "-fT", f"{places.CURRENT}.part", places.CURRENT),
            f"if [ -d {places.BEFORE} ]; then cp -a {places.BEFORE}/. /; fi",
            line("rm", "-rf", places.BEFORE, places.INCOMING),
            "systemctl daemon-reload",
            line("systemctl", "restart", "--no-block", places.unit(name)),
        )
    )


def tidy(release: str, before: str | None) -> str:
    """Remove what was sent, and all releases but this one and the one before."""
    kept = " ".join(f"! -name {line(name)}" for name in (release, before) if name)
    old = f"find {places.RELEASES} -mindepth 1 -maxdepth 1 {kept} -exec rm -rf {{}} +"
    return f"{line('rm', '-rf', places.INCOMING, places.BEFORE)}\n{old}"
