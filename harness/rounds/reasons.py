"""Why clients were dropped and runs given up, in words for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from harness.records import ClientRecord, Failure

ROUND_CLOSED = "its round was closed"
NOT_ASKED_FOR = "nobody had asked for it"
ENOUGH_OTHERS = "enough other clients were faster (over-selection)"


def fewer_agents(agents: Sequence[str], plan_agents: int, timeout_s: float) -> str:
    """A warning: the run starts with fewer agents than planned."""
    return f"{len(agents)} of {plan_agents} agents came within {timeout_s:g} s; the run began with {', '.join(agents)}"


def no_agents(awaited: int, timeout_s: float) -> str:
    """Nobody came before the run began."""
    agents = "1 agent was" if awaited == 1 else f"{awaited} agents were"
    return (
        f"no agents came: {agents} awaited for {timeout_s:g} s; "
        "start them with `federa-bench agent --connect ADDRESS`, where ADDRESS is this controller's"
    )


def agents_left(timeout_s: float) -> str:
    """Agents came before the run began, but none stayed."""
    return (
        f"the run did not begin: of the agents that came within {timeout_s:g} s none stayed; see why they left, start "
        "them with `federa-bench agent --connect ADDRESS`, and go on with `federa-bench resume`"
    )


def agents_gone(round: int, timeout_s: float) -> str:
    """All agents of a run that had begun are gone, or none came to resume it."""
    return (
        f"round {round} has no agent: none came within {timeout_s:g} s; start them with "
        "`federa-bench agent --connect ADDRESS`, and go on with `federa-bench resume`"
    )


def deadline_passed(deadline_s: float) -> str:
    """A client was not there when the round went on."""
    return f"deadline of {deadline_s:g} s passed"


def too_late(round: int, completed: int, selected: int, needed: int, deadline_s: float, times: int) -> str:
    """The last deadline of a round passed without a quorum."""
    deadline = f"{deadline_s:g} s" + (f", given {times} times," if times > 1 else "")
    return (
        f"round {round} got {_updates(completed, selected)} by its deadline ({deadline} passed), the quorum is "
        f"{needed}; raise rounds.deadline_s or see what keeps the agents, then go on with `federa-bench resume`"
    )


def too_many_failed(round: int, completed: int, selected: int, needed: int, failures: Iterable[Failure]) -> str:
    """So many clients of a round were dropped that the quorum is out of reach."""
    counts = Counter(failure.reason for failure in failures)
    why = "; ".join(f"{reason} ({count} x)" for reason, count in counts.most_common())
    return (
        f"round {round} got {_updates(completed, selected)}, the quorum is {needed}; the others failed: {why}; "
        "mend that, then go on with `federa-bench resume`"
    )


def another_counted(counted: ClientRecord, agent: str) -> str:
    """An update of a completed client came again, from another task."""
    whose = f"its update of attempt {counted.attempt}" if counted.agent == agent else f"the update of {counted.agent}"
    return f"{whose} counted"


def client_dropped(failure: Failure) -> str:
    """An update of a client that the round goes on without."""
    return f"its client was dropped: {failure.reason}"


def given_away(agent: str, runs_on: str | None) -> str:
    """An update of a task that was taken from its agent; its client is trained anew, or waits for that."""
    return "its client was to be trained again" if runs_on in (None, agent) else f"its client was given to {runs_on}"


def _updates(completed: int, selected: int) -> str:
    return f"updates of {completed} of its {selected} clients"
