from agents.heartbeat import Heart
from harness.protocol.messages import Beat, BeatEcho


def heart() -> Heart:
    return Heart("a1", "session", interval_s=1.0, lost_after_s=8.0, now_s=100.0)


def test_the_first_beat_is_due_at_once_and_the_next_an_interval_later() -> None:
    it = heart()
    assert (it.beat("idle", 100.0).number, it.beat("idle", 100.5)) == (1, None)
    assert it.wait_s(100.25) == 0.75
    beat = it.beat("training", 101.0)
    assert (beat.agent, beat.session, beat.number, beat.doing) == ("a1", "session", 2, "training")


def test_missed_beats_are_not_made_up_for() -> None:
    it = heart()
    assert it.beat("idle", 130.0).number == 1
    assert it.beat("idle", 130.1) is None


def test_silence_counts_from_the_last_echo() -> None:
    it = heart()
    it.echoed(100.0)
    assert [it.lost(100.0 + second) for second in range(1, 10)] == [False] * 8 + [True]


def test_time_in_which_the_agent_was_away_is_no_silence() -> None:
    it = heart()
    assert not it.lost(101.0)
    assert not it.lost(131.0)
    assert [it.lost(131.0 + second) for second in range(1, 9)] == [False] * 7 + [True]


def echo_of(beat: Beat, **stamps: float) -> BeatEcho:
    return BeatEcho(number=beat.number, beat_sent_s=beat.sent_s, **stamps)


def test_an_echo_with_its_stamps_tells_how_the_clocks_are_apart() -> None:
    it = heart()
    beat = it.beat("idle", 100.0)
    exchange = it.echoed(100.5, echo_of(beat, received_s=7.25, sent_s=7.5))
    assert (exchange.at_s, exchange.offset_s, exchange.rtt_s) == (100.5, -92.875, 0.25)


def test_an_echo_that_is_none_of_ours_tells_nothing_of_the_clocks() -> None:
    it = heart()
    beat = it.beat("idle", 100.0)
    assert it.echoed(100.5, BeatEcho(number=1, beat_sent_s=99.0, received_s=7.0, sent_s=7.0)) is None
    assert it.echoed(100.5, BeatEcho(number=2, beat_sent_s=100.0, received_s=7.0, sent_s=7.0)) is None
    assert it.echoed(100.5, BeatEcho(number=1)) is None
    assert it.echoed(100.5, echo_of(beat, received_s=7.0, sent_s=7.0)) is not None
    assert it.echoed(100.6, echo_of(beat, received_s=7.0, sent_s=7.0)) is None


def test_a_beat_that_is_not_sent_is_late() -> None:
    it = heart()
    it.beat("idle", 100.0)
    assert (it.late_s(100.9), it.late_s(113.0)) == (0.0, 12.0)
