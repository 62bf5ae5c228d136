from agents.patience import SLOWER, STALL_S, Patience


def test_it_doubles_while_nothing_moves_and_is_set_back_by_progress() -> None:
    it, now_s, waits = Patience(0.0), 0.0, []
    for _ in range(4):
        waits.append(it.wait_s(now_s))
        now_s += waits[-1]
        assert it.lost(now_s)
    assert waits == [STALL_S, 2 * STALL_S, 4 * STALL_S, 8 * STALL_S]
    it.moved(now_s)
    it.moved(now_s + 1)
    assert it.wait_s(now_s + 1) == STALL_S


def test_a_link_that_was_seen_to_be_slow_is_not_asked_twice() -> None:
    it = Patience(0.0)
    it.moved(200.0)
    assert it.wait_s(200.0) == SLOWER * 200
    assert not it.lost(400.0)


def test_it_does_not_run_while_it_is_not_the_other_side_s_turn() -> None:
    it = Patience(0.0)
    it.nothing_awaited(1000.0)
    assert it.wait_s(1000.0) == STALL_S
