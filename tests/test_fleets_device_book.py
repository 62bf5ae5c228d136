"""What is known of devices goes into the header, as a whole and not too often."""

from __future__ import annotations

import msgspec
from run_folders import header

from harness.fleets.device_book import WRITE_EVERY_S, DeviceBook
from harness.records import Header


class File:
    def __init__(self, **changes: object) -> None:
        self.header, self.writes = header(**changes), 0

    def read_header(self) -> Header:
        return self.header

    def write_header(self, header: Header) -> None:
        self.header = header
        self.writes += 1


def test_the_last_word_on_a_device_counts_and_the_rest_of_the_header_stays() -> None:
    file = File(devices={"gone": {"device": "old"}})
    book = DeviceBook(file, lambda: 0.0)
    book.put("a", {"device": 1, "doctor": []})
    book.put("a", {"device": 2})
    file.header = msgspec.structs.replace(file.header, svd_s=9.0)
    book.flush()
    assert file.header.devices == {"gone": {"device": "old"}, "a": {"device": 2}}
    assert file.header.svd_s == 9.0


def test_what_is_known_besides_is_added() -> None:
    file = File()
    book = DeviceBook(file, lambda: 0.0)
    book.add("controller", doctor=[1])
    book.add("controller", shaping={"a": 2})
    book.flush()
    assert file.header.devices == {"controller": {"doctor": [1], "shaping": {"a": 2}}}


def test_many_words_in_a_row_are_written_at_once_and_the_end_waits_for_nobody() -> None:
    now_s = 0.0
    file = File()
    book = DeviceBook(file, lambda: now_s)
    for number in range(10):
        book.put("a", {"device": number})
        book.flush()
    assert (file.writes, file.header.devices["a"]) == (1, {"device": 0})
    now_s = WRITE_EVERY_S
    book.flush()
    book.put("a", {"device": 9})
    book.flush()
    assert (file.writes, file.header.devices["a"]) == (2, {"device": 9})
    book.put("b", {})
    book.flush(at_once=True)
    assert (file.writes, sorted(file.header.devices)) == (3, ["a", "b"])


def test_no_number_of_names_fills_the_header() -> None:
    file = File()
    book = DeviceBook(file, lambda: 0.0)
    for number in range(1500):
        book.put(str(number), {})
    book.put("0", {"device": "new"})
    book.flush()
    assert len(file.header.devices) == 1000
    assert file.header.devices["0"] == {"device": "new"}
