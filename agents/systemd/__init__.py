"""The units of systemd by which a device runs an agent, and the helper that shapes its link.

The templates are data of this package, ``agent@.service`` and ``shaper.service``; :mod:`agents.systemd.units` fills
them, and ``python -m agents.systemd`` writes them where systemd looks.
"""

from agents.systemd.units import (
    AGENT_UNIT,
    ENVIRONMENT_FILE,
    KEYS,
    SHAPER_UNIT,
    UNIT_FOLDER,
    USER_FILE,
    environment_file,
    unit_files,
    user_file,
)

__all__ = [
    "AGENT_UNIT",
    "ENVIRONMENT_FILE",
    "KEYS",
    "SHAPER_UNIT",
    "UNIT_FOLDER",
    "USER_FILE",
    "environment_file",
    "unit_files",
    "user_file",
]
