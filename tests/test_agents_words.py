from agents.words import clipped, in_words
from harness.protocol.messages import Failed, Goodbye, Ready, TaskRef


def test_messages_are_lines_for_people() -> None:
    assert in_words(Ready(provision_s=1.234, ship_s=0.5)) == "ready: provisioned in 1.23 s, initial state in 0.50 s"
    failed = Failed(ref=TaskRef(round=2, client=3, attempt=1), reason="no memory")
    assert in_words(failed) == "client 3 of round 2 failed: no memory"
    assert in_words(Goodbye(agent="a1", reason="it was interrupted")) == "goodbye: it was interrupted"


def test_a_reason_fits_a_message() -> None:
    assert clipped("x" * 4000) == "x" * 4000
    assert (len(clipped("x" * 4001)), clipped("x" * 4001)[-4:]) == (4000, "x...")
    assert clipped("no file \udcff") == "no file ?"
