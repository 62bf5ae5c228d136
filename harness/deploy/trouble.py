"""What ssh means when it ends with 255, in a sentence that says what to do. Pure."""

from __future__ import annotations

LOST = 255
"""ssh's own exit status; any other is that of the command on the device."""


def trouble(host: str, said: str) -> str:
    """One sentence for what ssh or rsync said about ``host``."""
    last = (said.strip().splitlines() or ["it said nothing"])[-1].strip()
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
        return (
            f"{host}: its host key is another than before: a new system, or somebody in between; if it is new, "
            f"ssh-keygen -R {bare(host)}, then log in once and compare the key: ssh {host}"
        )
    if "Host key verification failed" in said:
        return (
            f"{host}: its host key is not known here; log in once and compare the key that is shown with that of the "
            f"device: ssh {host}"
        )
    if "Permission denied" in said or "Too many authentication failures" in said:
        return f"{host}: it takes no key of yours; let one in with: ssh-copy-id {host}"
    if "Could not resolve hostname" in said:
        return f"{host}: there is no such host; mend the name, or give it an address in ~/.ssh/config"
    if "Connection refused" in said:
        return f"{host}: nothing listens for ssh there; start it on the device: sudo systemctl enable --now ssh"
    if "timed out" in said or "No route to host" in said:
        return f"{host}: it does not answer; see that it is switched on and on this network"
    return f"{host}: ssh failed: {last}"


def bare(host: str) -> str:
    """A host without its user."""
    return host.rpartition("@")[2]
