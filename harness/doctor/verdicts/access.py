"""Groups and keys: what this user may open, and whom the controller knows. Pure."""

from __future__ import annotations

from harness.doctor.facts import Groups, Keys
from harness.doctor.findings import Finding, fail, ok, skipped, warn

FOR_CUDA = ("video", "render")
HELPERS = "federa-bench"
JTOP = "jtop"


def of_groups(facts: Groups) -> list[Finding]:
    """The line "groups": video and render for CUDA on a board, jtop for jetson-stats, federa-bench for the helper."""
    name = "groups"
    if facts.root:
        return [ok(name, "this is root, who needs none", user=facts.user)]
    wanted = [group for group in FOR_CUDA if facts.jetson and group in facts.there]
    wanted += [HELPERS] if HELPERS in facts.there else []
    wanted += [JTOP] if facts.jetson_stats and JTOP in facts.there else []
    lacking = [group for group in wanted if group not in facts.mine]
    if not lacking:
        have = [group for group in (*FOR_CUDA, JTOP, HELPERS) if group in facts.mine]
        return [ok(name, f"{facts.user} is in {', '.join(have)}" if have else "none are needed here", user=facts.user)]
    says = f"{facts.user} is not in {', '.join(lacking)}"
    do = f"sudo usermod -aG {','.join(lacking)} {facts.user}, then log in again"
    if any(group in FOR_CUDA for group in lacking):
        return [fail(name, f"{says}: CUDA finds no GPU", do, user=facts.user)]
    return [warn(name, says, do, user=facts.user)]


def of_keys(facts: Keys) -> list[Finding]:
    """The line "keys"."""
    if facts.problem is not None:
        says, _, do = facts.problem.partition("; ")
        if facts.needed:
            return [fail("keys", says, do or GUIDE, name=facts.name)]
        return [skipped("keys", f"none that could be used in {facts.folder}; beyond loopback one is needed", GUIDE)]
    if facts.open_folder is not None:
        return [warn("keys", facts.open_folder, f"chmod 700 {facts.folder}", name=facts.name)]
    return [_controllers(facts) if facts.role == "controller" else _agents(facts)]


GUIDE = "docs/security.md: federa-bench keys new NAME, then keys allow NAME.public"


def _controllers(facts: Keys) -> Finding:
    if not facts.allowed:
        do = "federa-bench keys allow NAME.public, for each device"
        return warn("keys", "a key is here, but no device is allowed", do, name=facts.name, allowed=facts.allowed)
    many = "1 device is" if facts.allowed == 1 else f"{facts.allowed} devices are"
    return ok("keys", f"a key is here, {many} allowed", name=facts.name, allowed=facts.allowed)


def _agents(facts: Keys) -> Finding:
    says = f"{facts.name}, and the controller's public key"
    if facts.handshake is None:
        return ok("keys", f"{says}; whether it allows this one was not asked", name=facts.name, turned_away=None)
    if not facts.handshake:
        return ok("keys", f"{says}; it does not turn this one away", name=facts.name, turned_away=False)
    says, _, do = facts.handshake.partition("; ")
    return fail("keys", says, do or GUIDE, name=facts.name, turned_away=True)
