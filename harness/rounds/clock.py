"""Which clock speaks for a run, judged by where its agents are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from harness.records import Clock


def clock_for(hosts: Mapping[str, str], clients_per_round: int) -> Clock:
    """The clock of a run whose agents (names) run on ``hosts``.

    Seconds on the wall speak of a fleet of devices only where every agent has a host of its own and no agent has to
    train two clients of a round one after the other; otherwise a round counts as its slowest client: critical path.
    """
    alone = len(set(hosts.values())) == len(hosts)
    return "wall" if alone and len(hosts) >= clients_per_round else "critical path"


def shared_hosts(hosts: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each host that several agents share; whether its cores suffice for them is judged elsewhere."""
    agents_of: defaultdict[str, list[str]] = defaultdict(list)
    for agent in sorted(hosts):
        agents_of[hosts[agent]].append(agent)
    return tuple(
        f"agents {', '.join(agents)} share a host: {host}, not a device each, so a round counts as its slowest client"
        for host, agents in sorted(agents_of.items())
        if len(agents) > 1
    )
