"""What the doctor says, as programs read it: a stable shape, printable text, and a size that is bounded."""

import msgspec

from harness.doctor.findings import MAX_JSON_BYTES, Finding, as_json, fail, ok, skipped, warn, worst


def test_a_finding_has_the_same_keys_whatever_it_says() -> None:
    rows = as_json([ok("python", "3.10.12", python="3.10.12"), skipped("wi-fi", "none here")])
    assert rows == [
        {"name": "python", "state": "ok", "says": "3.10.12", "do": None, "values": {"python": "3.10.12"}},
        {"name": "wi-fi", "state": "skipped", "says": "none here", "do": None, "values": {}},
    ]


def test_the_worst_of_all_counts() -> None:
    lines = [skipped("a", ""), ok("b", ""), warn("c", "", "")]
    assert worst([]) == "skipped"
    assert worst(lines[:2]) == "ok"
    assert worst(lines) == "warn"
    assert worst([fail("d", "", ""), *lines]) == "fail"


def test_words_of_others_are_made_printable_and_cut() -> None:
    [row] = as_json([warn("load", "busy: \x1b[31mred\n" + "x" * 1000, "stop \u202eit", by="\x07" * 3)])
    assert row["says"].startswith("busy: ?[31mred xxx")
    assert len(row["says"]) == 220
    assert (row["do"], row["values"]) == ("stop ?it", {"by": "???"})


def test_it_is_never_longer_than_a_message_may_be() -> None:
    long = [Finding(name=f"n{n}", state="ok", says="s" * 500, values={"v": "w" * 500}) for n in range(100)]
    rows = as_json(long)
    assert len(msgspec.json.encode(rows)) <= MAX_JSON_BYTES < 16 * 1024
    assert [row["name"] for row in rows][:3] == ["n0", "n1", "n2"]


def test_values_go_first_where_it_is_too_long() -> None:
    lines = [Finding(name=f"n{n}", state="ok", says="s" * 100, values={"v": "w" * 200}) for n in range(50)]
    rows = as_json(lines)
    assert len(rows) == 50
    assert rows[0]["values"]
    assert rows[-1]["values"] == {}
