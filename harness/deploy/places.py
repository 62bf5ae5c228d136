"""Where things of a deployment are on a device. Pure: text alone."""

from __future__ import annotations

USER = "federa-bench"
PROGRAM = "/opt/federa-bench"
RELEASES = f"{PROGRAM}/releases"
CURRENT = f"{PROGRAM}/current"
INCOMING = f"{PROGRAM}/incoming"
BEFORE = f"{PROGRAM}/before"
"""Files as they were before an upgrade, below their own paths."""
SETTINGS = "/etc/federa-bench"
ENVIRONMENT = f"{SETTINGS}/agent.env"
MANIFEST = f"{SETTINGS}/deployment.json"
KEYS = f"{SETTINGS}/keys"
CONTROLLER_KEY = f"{KEYS}/controller.public"
STATE = "/var/lib/federa-bench"
RUNTIME = "/run/federa-bench"
UNITS = "/etc/systemd/system"
USER_FILE = "/etc/sysusers.d/federa-bench.conf"
AGENT_UNIT, SHAPER_UNIT = "federa-bench-agent@.service", "federa-bench-shaper.service"
DROP_INS = tuple(f"{UNITS}/{unit}.d" for unit in (AGENT_UNIT, SHAPER_UNIT))
COMPLETE = ".complete"
"""A file in a release that was made whole; one without it is thrown away."""

FOLDERS = (PROGRAM, SETTINGS, STATE, RUNTIME)
"""Everything of a deployment but units and the user is below these."""
FILES = (f"{UNITS}/{AGENT_UNIT}", f"{UNITS}/{SHAPER_UNIT}", USER_FILE)
WHOLE = (*FOLDERS, *FILES, *DROP_INS)
GROUPS = ("video", "render")
"""Who may use the GPU's devices on a Jetson."""


def release(identity: str) -> str:
    """The folder of a release, a virtual environment that never moves."""
    return f"{RELEASES}/{identity}"


def unit(name: str) -> str:
    """The unit of the agent of this name."""
    return AGENT_UNIT.replace("@", f"@{name}")


def secret_of(name: str) -> str:
    """The agent's secret key: made on the device, and never anywhere else."""
    return f"{KEYS}/{name}.secret"


def public_of(name: str) -> str:
    """The agent's public key, which travels to the controller."""
    return f"{KEYS}/{name}.public"
