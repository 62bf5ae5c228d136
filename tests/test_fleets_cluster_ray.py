"""What Ray says, in a line for people."""

from __future__ import annotations

import pytest
import ray

from harness.errors import TrainerError
from harness.fleets.cluster_ray import MOST_SAID, Cluster, first_line


class RayTaskErrorOfAnOSError(Exception):
    """Named as Ray names what a process on a node raised."""


def test_of_rays_own_errors_the_first_line_is_said() -> None:
    assert first_line(RuntimeError("The actor died.\n\tclass_name: Trainer\n")) == "The actor died."


def test_of_what_a_process_raised_the_last_line_of_its_trace_is_said() -> None:
    told = "ray::Holder.hold()\n  File x.py, line 3\nOSError: [Errno 28] No space left on device\n"
    assert first_line(RayTaskErrorOfAnOSError(told)) == "OSError: [Errno 28] No space left on device"


def test_an_error_that_says_nothing_is_named_and_one_that_says_much_is_cut() -> None:
    assert first_line(TimeoutError()) == "TimeoutError"
    assert len(first_line(RuntimeError("x" * 10_000))) == MOST_SAID


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (ray.exceptions.OutOfDiskError("Local disk is full"), "the disk of this machine .* is full; make room there"),
        (ray.exceptions.ObjectStoreFullError("full"), "object store on this machine is full; give it more with"),
        (ray.exceptions.RaySystemError("gone"), "the Ray cluster does not answer any more"),
    ],
)
def test_what_is_full_is_said_with_what_to_do(error: Exception, remedy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def put(data: bytes) -> None:
        raise error

    monkeypatch.setattr(ray, "put", put)
    with pytest.raises(TrainerError, match=remedy):
        Cluster(own=False).put(b"state")
