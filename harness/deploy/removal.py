"""The plan of taking a device's agent away, and what then is left. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from harness.deploy import places
from harness.deploy.facts import Facts
from harness.deploy.steps import Revoke, Run, Step, line

KEPT = (places.STATE, places.USER_FILE)
"""What --keep-cache leaves: the cache, and the user's file; the user, whose the cache is, stays too."""


def removal(name: str, facts: Facts, allowed: Mapping[str, str], *, keep_cache: bool) -> tuple[Step, ...]:
    """First the device is let in no more, then everything goes; on a device that has nothing, nothing is done.

    ``allowed`` are the devices that the controller allows: names by public key.
    """
    steps: list[Step] = [Revoke("revoke", name)] if name in allowed.values() else []
    if facts.installed.places or facts.agent_user:
        steps += everything(keep_cache=keep_cache)
    return tuple(steps)


def everything(*, keep_cache: bool) -> tuple[Run, ...]:
    """Stop the services, remove all that a deployment made, and see that it is gone."""
    return (
        Run("stop", _stop(), limit_s=120),
        Run("remove", _remove(keep_cache=keep_cache), limit_s=300),
        Run("look again", _look_again(keep_cache=keep_cache)),
    )


def left(facts: Facts, *, keep_cache: bool) -> list[str]:
    """What a person should know to be there still, afterwards."""
    log = "its lines in the system's journal, until that forgets them"
    if not (keep_cache and facts.agent_user):
        return [log]
    return [f"{places.STATE} (the cache)", f"{places.USER_FILE} and the user {places.USER}, whose it is", log]


def _stop() -> str:
    units = "list-units --all --plain --no-legend --full 'federa-bench-agent@*'"
    files = f"ls {places.UNITS}/*.wants 2>/dev/null | grep -x 'federa-bench-agent@.*' || true"
    return f"""for unit in $( (systemctl {units} | cut -d ' ' -f 1; {files}) | sort -u) {places.SHAPER_UNIT}; do
  systemctl --quiet disable "$unit" 2>/dev/null || true
  systemctl stop "$unit" 2>/dev/null || true
  systemctl reset-failed "$unit" 2>/dev/null || true
done"""


def _remove(*, keep_cache: bool) -> str:
    gone = [path for path in places.WHOLE if not (keep_cache and path in KEPT)]
    lines = [line("rm", "-rf", *gone), "systemctl daemon-reload"]
    if not keep_cache:
        user = places.USER
        lines.append(f"rmdir --ignore-fail-on-non-empty {places.USER_FILE.rpartition('/')[0]}")
        lines.append(f"if id {user} >/dev/null 2>&1; then userdel {user}; fi")
        lines.append(f"if getent group {user} >/dev/null; then groupdel {user}; fi")
    return "\n".join(lines)


def _look_again(*, keep_cache: bool) -> str:
    gone = [path for path in places.WHOLE if not (keep_cache and path in KEPT)]
    user = "" if keep_cache else f"if id {places.USER} >/dev/null 2>&1; then echo 'the user {places.USER}'; fi; "
    return f"""left=$({user}for path in {line(*gone)}; do if [ -e "$path" ]; then echo "$path"; fi; done
ls {places.UNITS}/*.wants 2>/dev/null | grep '^federa-bench-' || true)
if [ -n "$left" ]; then echo "still there: $left"; return 1; fi"""
