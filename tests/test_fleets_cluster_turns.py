"""Whose turn it is: works go where most are free, and again where a trainer is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.fleets.cluster_turns import MOST_TRIES, Turns, spread
from harness.fleets.workforce import Work


def work(number: int) -> Work:
    return Work(number=number, round=1, client=number, seed=0, state="state", shard="shard", update="update")


def turns(*nodes: str) -> Turns:
    """Trainers 1, 2, ... on these nodes."""
    found = Turns()
    for number, node in enumerate(nodes, start=1):
        found.joined(number, node)
    return found


def given_out(found: Turns) -> dict[int, list[int]]:
    """Which trainers get which works now."""
    out = {}
    while (turn := found.next()) is not None:
        out[turn[0]] = [one.number for one in turn[1].works]
    return out


def test_few_works_are_spread_over_the_nodes() -> None:
    found = turns("a", "a", "b", "b")
    found.send([work(1)])
    found.send([work(2)])
    assert given_out(found) == {1: [1], 3: [2]}


def test_works_that_were_sent_together_go_to_one_trainer() -> None:
    found = turns("a", "b")
    found.send([work(1), work(2)])
    assert given_out(found) == {1: [1, 2]}


def test_who_is_done_is_given_the_next() -> None:
    found = turns("a")
    found.send([work(1)])
    found.send([work(2)])
    assert given_out(found) == {1: [1]}
    assert [one.number for one in found.ended(1).works] == [1]
    assert given_out(found) == {1: [2]}
    assert found.group(1).works == (work(2),)


def test_works_of_a_lost_trainer_come_before_the_others() -> None:
    found = turns("a")
    for number in (1, 2):
        found.send([work(number)])
    given_out(found)
    assert found.lost(1) == ()
    found.joined(2, "b")
    assert given_out(found) == {2: [1]}
    assert [one.number for one in found.works] == [2, 1]


def test_works_that_cost_three_trainers_are_given_up() -> None:
    found = turns("a", "a", "a", "a")
    found.send([work(7)])
    for _ in range(MOST_TRIES - 1):
        (trainer,) = given_out(found)
        assert found.lost(trainer) == ()
    (trainer,) = given_out(found)
    assert found.lost(trainer) == (work(7),)
    assert list(found.works) == []


def test_a_trainer_that_is_lost_while_it_is_free_costs_nothing() -> None:
    found = turns("a")
    assert found.lost(1) == ()
    found.send([work(1)])
    assert found.next() is None


def test_nothing_waits_any_more_when_nothing_is_wanted() -> None:
    found = turns()
    found.send([work(1)])
    found.clear()
    found.joined(1, "a")
    assert found.next() is None


@given(st.dictionaries(st.text(min_size=1), st.integers(0, 9), max_size=6), st.integers(0, 40))
def test_seats_are_even_but_for_what_there_is_room_for(room: dict[str, int], wanted: int) -> None:
    seats = spread(room, wanted)
    assert sum(seats.values()) == min(wanted, sum(room.values()))
    assert all(seats[node] <= room[node] for node in room)
    for node in (node for node in room if seats[node] < room[node]):
        assert max(seats.values()) <= seats[node] + 1
