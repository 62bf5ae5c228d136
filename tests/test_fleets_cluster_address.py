"""Where a cluster is said to be, and what is said where none is."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from benchtools import TINY

from harness.bench import RunOptions, new_run
from harness.errors import UsageError
from harness.fleets.cluster_address import address_of_cluster, check_address
from harness.launch import AgentOptions, experiment_of
from harness.learning.workload import Sources


def test_the_option_counts_before_the_environment_and_that_before_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert address_of_cluster(None) == "local"
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert address_of_cluster(None) == "10.0.0.1:6379"
    assert address_of_cluster("auto") == "auto"


@pytest.mark.parametrize("address", ["ray://10.0.0.1:10001", "10.0.0.1", "10.0.0.1:0", "10.0.0.1:70000", "a b:1", ":1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no address of a Ray cluster; write HOST:PORT"):
        check_address(address)


@contextmanager
def server(*says: bytes) -> Iterator[str]:
    """Who answers one client so, and hangs up; the address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as client:
                client.recv(1000)
                client.sendall(b"".join(says))

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def test_where_nobody_listens_there_is_no_cluster() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(UsageError, match=rf"no Ray cluster answers at 127.0.0.1:{port} .*ray start --head"):
        check_address(f"127.0.0.1:{port}")


def test_a_server_of_grpc_may_be_one() -> None:
    with server(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])) as address:
        check_address(address)


@pytest.mark.parametrize("says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_another_server_is_said_to_be_none(says: bytes) -> None:
    with server(says) as address, pytest.raises(UsageError, match=f"what answers at {address} is no Ray cluster"):
        check_address(address)


def test_without_ray_the_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'federa-bench\[ray\]'"):
        check_address("local")


def test_a_header_tells_where_the_cluster_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert recorded(tmp_path, "ray", None) == "10.0.0.1:6379"
    assert recorded(tmp_path, "ray", "auto") == "auto"
    assert recorded(tmp_path, "virtual", None) is None
    monkeypatch.delenv("RAY_ADDRESS")
    assert recorded(tmp_path, "ray", None) is None


def recorded(out: Path, fleet: str, given: str | None) -> str | None:
    """The cluster that a resume of a new run would go to."""
    experiment = experiment_of(TINY, [], fleet=fleet)
    folder = new_run(experiment, "fedbf", Sources(), RunOptions(out=out, cluster=given))
    return AgentOptions.recorded(folder.read_header().environment).ray
