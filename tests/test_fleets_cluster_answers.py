"""Answers of other threads, taken by the one that waits."""

from __future__ import annotations

import os
import threading

from harness.fleets.cluster_answers import Answer, Answers

ONE = Answer(1, True, b"", None)
TWO = Answer(2, False, None, "it is dead")


def test_what_came_is_there_at_once_and_once() -> None:
    answers = Answers()
    answers.put(ONE)
    answers.put(TWO)
    assert answers.wait(60.0, ()) == [ONE, TWO]
    assert answers.wait(0.0, ()) == []
    answers.close()


def test_an_answer_of_another_thread_ends_the_wait() -> None:
    answers = Answers()
    thread = threading.Thread(target=answers.put, args=(ONE,))
    thread.start()
    assert answers.wait(60.0, ()) == [ONE]
    thread.join()
    answers.close()


def test_another_descriptor_ends_the_wait() -> None:
    answers = Answers()
    read_fd, write_fd = os.pipe()
    os.write(write_fd, b"!")
    assert answers.wait(60.0, (read_fd,)) == []
    os.close(read_fd)
    os.close(write_fd)
    answers.close()


def test_many_more_answers_than_a_pipe_has_room_for() -> None:
    answers = Answers()
    for _ in range(70_000):
        answers.put(ONE)
    assert len(answers.wait(60.0, ())) == 70_000
    answers.close()


def test_nobody_hears_what_comes_after_the_end() -> None:
    answers = Answers()
    answers.close()
    answers.put(ONE)
