import pytest

from agents.progress import GRACE_S, Look, Progress


def look(doing: str = "idle", trainer: str = "ready", late_s: float = 0.0, *, moves: bool = False, trains: bool = True):
    return Look(doing, trainer, late_s, moves, trains)


BUSY = {
    "training for hours": look("training", "training"),
    "a transfer over a slow link": look("sending", moves=True),
    "a download beside a trainer that comes up again": look("fetching", "preparing", moves=True),
    "hashing base weights": look("provisioning", "none", moves=True, trains=False),
    "waiting for a controller": look("joining", "none", trains=False),
    "waiting for a task": look("idle"),
    "a heartbeat that is due": look("idle", late_s=1.0),
}
STUCK = {
    "heartbeats are not sent any more": look("training", "training", late_s=GRACE_S + 1),
    "no process trains": look("training", "training", trains=False),
    "no process is prepared": look("provisioning", "preparing", trains=False),
    "nothing moves the update": look("sending"),
}


@pytest.mark.parametrize("seen", BUSY.values(), ids=list(BUSY))
def test_who_is_busy_makes_progress_for_days(seen: Look) -> None:
    progress = Progress()
    assert all(progress.made(seen, float(now_s)) for now_s in range(0, 200_000, 1000))


@pytest.mark.parametrize("seen", STUCK.values(), ids=list(STUCK))
def test_who_is_stuck_makes_none_after_a_moment(seen: Look) -> None:
    progress = Progress()
    assert progress.made(seen, 100.0)
    assert progress.made(seen, 100.0 + GRACE_S)
    assert not progress.made(seen, 101.0 + GRACE_S)
    assert progress.made(look(), 102.0 + GRACE_S)
    assert progress.made(seen, 103.0 + GRACE_S)
