import pytest

from agents.idle import LEAST_S, MOST_S, SETTLE_S, IdleTime


def looked(*looks: tuple[str, float]) -> IdleTime:
    it = IdleTime()
    for doing, now_s in looks:
        it.look(doing, now_s, quiet=True)
    return it


def test_a_device_that_waits_long_enough_has_a_baseline_after_a_moment_of_settling() -> None:
    it = looked(("provisioning", 90.0), ("idle", 100.0), ("idle", 105.0))
    assert not it.over
    it.look("idle", 140.0, quiet=True)
    assert (it.over, it.window) == (True, (100.0 + SETTLE_S, 100.0 + SETTLE_S + MOST_S))


def test_the_first_task_ends_it() -> None:
    assert looked(("idle", 100.0), ("fetching", 106.0)).window == (100.0 + SETTLE_S, 106.0)


@pytest.mark.parametrize("task_s", [100.0, 100.0 + SETTLE_S + LEAST_S / 2])
def test_too_little_of_it_is_none_and_nothing_waits_for_more(task_s: float) -> None:
    it = looked(("idle", 100.0), ("training", task_s))
    assert (it.over, it.window) == (True, None)


def test_who_got_its_first_task_at_once_has_it_between_two_later_ones() -> None:
    tasks = (("fetching", 100.0), ("sending", 130.0), ("idle", 150.0), ("training", 151.5))
    it = looked(*tasks, ("idle", 200.0), ("idle", 204.0), ("fetching", 206.0))
    assert it.window == (200.0 + SETTLE_S, 206.0)


def test_who_is_never_quiet_has_none() -> None:
    it = IdleTime()
    for doing, now_s in (("idle", 100.0), ("fetching", 200.0), ("idle", 300.0), ("training", 400.0)):
        assert not it.look(doing, now_s, quiet=False)
    assert (it.over, it.window) == (True, None)


def test_it_closes_once() -> None:
    it = looked(("idle", 100.0), ("fetching", 110.0))
    assert not it.look("training", 120.0, quiet=True)
