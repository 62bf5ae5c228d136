import pytest

from agents.unsent import EVERY_S, MOST_VALUES, VALUES_AT_ONCE, Unsent
from harness.protocol.beside import MAX_TELEMETRY_VALUES, Telemetry

FIELDS = ("at_s", "total_w")


def samples(first: int, last: int, fields: tuple[str, ...] = FIELDS) -> Telemetry:
    rows = tuple((float(number), *[None] * (len(fields) - 1)) for number in range(first, last))
    return Telemetry(source="ina3221", fields=fields, rows=rows)


def drained(it: Unsent) -> list[Telemetry]:
    messages = []
    while (message := it.take(EVERY_S * len(messages))) is not None:
        messages.append(message)
    return messages


def test_rows_that_came_one_by_one_go_together_and_in_order() -> None:
    it = Unsent()
    it.add(samples(number, number + 1) for number in range(20))
    assert drained(it) == [samples(0, 20)]


def test_a_message_is_due_once_in_a_while() -> None:
    it = Unsent()
    it.add([samples(0, 1)])
    assert it.take(100.0) == samples(0, 1)
    it.add([samples(1, 2)])
    assert it.take(100.0 + EVERY_S / 2) is None
    assert it.take(100.0 + EVERY_S) == samples(1, 2)


def test_rows_of_other_fields_go_in_a_message_of_their_own() -> None:
    it, other = Unsent(), ("at_s", "total_w", "VDD_IN_w")
    it.add([samples(0, 3), samples(3, 5, other)])
    assert drained(it) == [samples(0, 3), samples(3, 5, other)]


def test_a_backlog_goes_in_messages_that_no_task_waits_long_for() -> None:
    it = Unsent()
    it.add([samples(0, 4000), samples(4000, 5000)])
    messages = drained(it)
    assert [row[0] for message in messages for row in message.rows] == list(range(5000))
    assert {len(message.rows) * len(FIELDS) for message in messages} == {VALUES_AT_ONCE}
    assert VALUES_AT_ONCE <= MAX_TELEMETRY_VALUES


@pytest.mark.parametrize("hours", [1, 3])
def test_what_waits_does_not_grow_beyond_its_bound(hours: int) -> None:
    it = Unsent()
    for minute in range(60 * hours):
        it.add([samples(minute * 5000, (minute + 1) * 5000)])
    rows = [row[0] for message in drained(it) for row in message.rows]
    assert len(rows) == MOST_VALUES // len(FIELDS)
    assert rows[-1] == 60 * hours * 5000 - 1
    assert it.lost_rows == 60 * hours * 5000 - len(rows)


def test_of_many_fields_fewer_rows_go_at_once() -> None:
    fields = tuple(f"rail_{number}_w" for number in range(100))
    it = Unsent()
    it.add([samples(0, 40, fields)])
    assert [len(message.rows) for message in drained(it)] == [VALUES_AT_ONCE // 100] * 2
