"""Who needs keys, and which ones are taken."""

import os
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.keys import AgentKeys, AllowedList, agent_security, controller_security, is_loopback, make_pair
from harness.transport import new_pair

FAR, NEAR = "tcp://192.168.1.10:5555", "tcp://127.0.0.1:5555"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The default folder of keys, for these tests."""
    return tmp_path / "home"


def agent(home: Path, connect: str, name: str | None = None, *, credentials: Path | None = None, **given: object):
    environ = {"FEDERA_BENCH_KEYS": str(home), **({"CREDENTIALS_DIRECTORY": str(credentials)} if credentials else {})}
    return agent_security(connect, name, AgentKeys(**given), environ)


def controller(home: Path, bind: str | None, keys: Path | None = None, **local: str):
    return controller_security(bind, keys, local, {"FEDERA_BENCH_KEYS": str(home)})


@pytest.mark.parametrize(
    "endpoint",
    ["tcp://127.0.0.1:*", "tcp://127.8.0.1:1", "tcp://[::1]:5", "tcp://localhost:5", "tcp://[::ffff:127.0.0.1]:5"],
)
def test_loopback_is_this_machine_alone(endpoint: str) -> None:
    assert is_loopback(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    ["tcp://0.0.0.0:*", "tcp://*:5555", "tcp://[::]:5", FAR, "tcp://eth0:5", "tcp://localhost.example:5", "x"],
)
def test_all_else_is_not(endpoint: str) -> None:
    assert not is_loopback(endpoint)


def test_on_loopback_nobody_needs_keys(home: Path) -> None:
    assert controller(home, None) is None
    assert controller(home, NEAR) is None
    assert agent(home, NEAR) is None


@pytest.mark.parametrize("bind", ["tcp://0.0.0.0:5555", FAR])
def test_beyond_loopback_a_controller_without_a_key_is_refused(home: Path, bind: str) -> None:
    with pytest.raises(UsageError, match=r"make it with: federa-bench keys new controller$") as caught:
        controller(home, bind)
    assert str(home / "controller.secret") in str(caught.value)


def test_keys_that_are_asked_for_are_needed_on_loopback_too(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"federa-bench keys new controller --keys {tmp_path}$"):
        controller(home, None, tmp_path)


def test_a_controller_allows_its_list_and_the_agents_it_starts(home: Path) -> None:
    own, device, local = make_pair(home, "controller"), make_pair(home, "d1"), new_pair()
    security = controller(home, FAR, **{local.public: "agent-1"})
    assert security is not None
    assert security.own.public == own.key
    assert security.allowed() == {local.public: "agent-1"}
    AllowedList(home).add(device)
    assert security.allowed() == {local.public: "agent-1", device.key: "d1"}


def test_a_damaged_list_keeps_a_controller_from_starting(home: Path) -> None:
    make_pair(home, "controller")
    (home / "allowed").write_text("d1\n")
    with pytest.raises(UsageError, match="allowed, line 1"):
        controller(home, FAR)


def test_an_agent_takes_the_one_key_there_is_and_its_name(home: Path) -> None:
    device = make_pair(home, "d1")
    own = make_pair(home, "controller")
    security = agent(home, FAR)
    assert security is not None
    assert (security.name, security.own.public, security.controller) == ("d1", device.key, own.key)


def test_of_several_keys_the_name_says_which(home: Path) -> None:
    for name in ("d1", "d2", "controller"):
        make_pair(home, name)
    with pytest.raises(UsageError, match=r"several secret keys \(d1, d2\); say which with --name or --key"):
        agent(home, FAR)
    security = agent(home, FAR, "d2")
    assert security is not None
    assert security.name == "d2"


def test_a_name_that_is_not_the_key_s_is_refused(home: Path) -> None:
    for name in ("d1", "controller"):
        make_pair(home, name)
    with pytest.raises(UsageError, match=r"--name d2, but the key .*d1\.secret is d1's"):
        agent(home, FAR, "d2")


def test_an_agent_without_a_key_is_told_how_to_make_one(home: Path) -> None:
    with pytest.raises(UsageError, match=rf"to connect to {FAR}, and {home} has none; .* federa-bench keys new NAME"):
        agent(home, FAR)


def test_a_command_that_is_named_works_on_the_folder_that_was_given(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"federa-bench keys new NAME --keys {tmp_path}$"):
        agent(home, FAR, folder=tmp_path)
    for folder, said in ((home, "federa-bench keys allow"), (tmp_path, f"federa-bench keys allow --keys {tmp_path}")):
        make_pair(folder, "controller")
        security = controller(home, FAR, None if folder == home else folder)
        assert security is not None
        assert security.allow_command == said


def test_an_agent_without_the_controller_s_key_is_told_to_copy_it(home: Path) -> None:
    make_pair(home, "d1")
    with pytest.raises(UsageError, match=rf"copy its controller\.public to {home}"):
        agent(home, FAR)


def test_files_and_a_key_of_the_command_line_come_first(home: Path, tmp_path: Path) -> None:
    device, own = make_pair(tmp_path, "d1"), make_pair(tmp_path, "controller")
    for told in (own.key, str(tmp_path / "controller.public")):
        security = agent(home, NEAR, secret=tmp_path / "d1.secret", controller=told)
        assert security is not None
        assert (security.own.public, security.controller) == (device.key, own.key)


def test_a_service_of_systemd_has_its_keys_as_credentials(home: Path, tmp_path: Path) -> None:
    device, own = make_pair(tmp_path / "credentials", "d1"), make_pair(home, "controller")
    security = agent(home, FAR, credentials=tmp_path / "credentials")
    assert security is not None
    assert (security.own.public, security.controller) == (device.key, own.key)


def test_a_service_uses_its_own_credential_on_loopback_too_and_before_all_others(home: Path, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    device, own = make_pair(tmp_path, "orin-01"), make_pair(credentials, "controller")
    make_pair(credentials, "other")
    (tmp_path / "orin-01.secret").rename(credentials / "agent.secret")
    for connect in (FAR, NEAR):
        security = agent(home, connect, credentials=credentials)
        assert security is not None
        assert (security.name, security.own.public, security.controller) == ("orin-01", device.key, own.key)


def test_a_key_of_the_command_line_comes_before_a_credential(home: Path, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    make_pair(credentials, "agent")
    given, _ = make_pair(tmp_path, "d1"), make_pair(tmp_path, "controller")
    for told in ({"folder": tmp_path}, {"secret": tmp_path / "d1.secret", "controller": given.key}):
        security = agent(home, FAR, credentials=credentials, **told)
        assert security is not None
        assert security.own.public == given.key


def test_credentials_without_a_key_are_named_beside_the_folder_of_keys(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"to connect to {FAR}, and neither {tmp_path} nor {home} has one; make one"):
        agent(home, FAR, credentials=tmp_path)


def test_a_service_without_credentials_stays_plain_on_loopback(home: Path, tmp_path: Path) -> None:
    assert agent(home, NEAR, credentials=tmp_path) is None


def test_credentials_that_cannot_be_read_are_not_taken_for_none(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("becoming another user needs root")
    inside = tmp_path / "credentials"
    inside.mkdir(mode=0o700)
    os.seteuid(65534)
    try:
        with pytest.raises(UsageError, match=r"credentials in .* cannot be read: Permission denied"):
            agent(tmp_path, "tcp://127.0.0.1:5", credentials=inside)
    finally:
        os.seteuid(0)


def test_a_pipe_in_a_keys_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "agent.secret", 0o600)
    with pytest.raises(UsageError, match="is no file"):
        agent(tmp_path, "tcp://127.0.0.1:5", credentials=tmp_path)
