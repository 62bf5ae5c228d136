"""Groups of this process; keys as the role itself would find them, and what a real controller says to them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchtools import until
from made_board import put

from harness.doctor.facts import Keys
from harness.doctor.reading.access import groups, keys
from harness.doctor.reading.place import Place
from harness.keys import AllowedList, controller_security, make_pair
from harness.transport import listen


@contextmanager
def controller(folder: Path) -> Iterator[str]:
    """A controller's sockets with the keys of a folder, answered in a thread."""
    server = listen(security=controller_security(None, folder, {}))
    end = threading.Event()

    def turn() -> None:
        while not end.is_set():
            server.poll(0.01)
        server.close(0)

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield server.endpoint
    finally:
        end.set()
        thread.join()


def found(folder: Path, role: str = "agent", connect: str | None = None, handshake: bool = False) -> Keys:
    return keys(Place(role, keys=folder, connect=connect, handshake=handshake))


def test_groups_of_this_process_by_their_names(tmp_path: Path) -> None:
    put(tmp_path / "etc/group", f"mine:x:{os.getegid()}:\nrender:x:3999999:ada\n# no group\n")
    facts = groups(Place("agent", tmp_path))
    assert (facts.there, facts.mine) == (("mine", "render"), ("mine",))
    assert facts.root == (os.geteuid() == 0)


def test_an_agent_s_keys(tmp_path: Path) -> None:
    assert "keys new" in str(found(tmp_path).problem)
    make_pair(tmp_path, "orin-01")
    assert "controller's public key is missing" in str(found(tmp_path).problem)
    make_pair(tmp_path, "controller")
    assert (found(tmp_path).name, found(tmp_path).problem) == ("orin-01", None)
    make_pair(tmp_path, "orin-02")
    assert "several secret keys (orin-01, orin-02)" in str(found(tmp_path).problem)
    assert keys(Place("agent", keys=tmp_path, name="orin-02")).name == "orin-02"


def test_a_secret_that_others_may_read_is_a_problem(tmp_path: Path) -> None:
    for name in ("controller", "orin-01"):
        make_pair(tmp_path, name)
    (tmp_path / "orin-01.secret").chmod(0o644)
    assert "can be read by others (mode 0644)" in str(found(tmp_path).problem)


def test_a_folder_that_others_may_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert str(found(tmp_path).open_folder).endswith("(mode 0777)")


def test_a_controller_s_keys_and_whom_it_allows(tmp_path: Path) -> None:
    assert "is not there" in str(found(tmp_path, "controller").problem)
    make_pair(tmp_path, "controller")
    AllowedList(tmp_path).add(make_pair(tmp_path, "orin-01"))
    facts = found(tmp_path, "controller")
    assert (facts.name, facts.allowed, facts.problem) == ("controller", 1, None)


def test_the_controller_is_asked_whether_it_takes_the_key(tmp_path: Path) -> None:
    make_pair(tmp_path, "controller")
    device = make_pair(tmp_path, "orin-01")
    with controller(tmp_path) as endpoint:

        def answer() -> str:
            return str(found(tmp_path, connect=endpoint, handshake=True).handshake)

        until(lambda: "does not allow this agent's key" in answer(), "the refusal, which may come after its time")
        assert found(tmp_path, connect=endpoint).handshake is None
    AllowedList(tmp_path).add(device)
    with controller(tmp_path) as endpoint:
        assert found(tmp_path, connect=endpoint, handshake=True).handshake == ""
    assert found(tmp_path, connect=endpoint, handshake=True).handshake is None
