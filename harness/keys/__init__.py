"""Keys: who a controller and its agents are, and which devices a controller allows. Files, and nothing on the wire."""

from harness.keys.allowed import AllowedList
from harness.keys.choice import AgentKeys, agent_security, controller_security, is_loopback, needs_keys
from harness.keys.folder import CONTROLLER, default_folder, expanded, make_pair, read_public, read_text, write_secret
from harness.keys.keyfile import Named, check_name, public_line
from harness.keys.local import LocalKeys

__all__ = [
    "CONTROLLER",
    "AgentKeys",
    "AllowedList",
    "LocalKeys",
    "Named",
    "agent_security",
    "check_name",
    "controller_security",
    "default_folder",
    "expanded",
    "is_loopback",
    "make_pair",
    "needs_keys",
    "public_line",
    "read_public",
    "read_text",
    "write_secret",
]
