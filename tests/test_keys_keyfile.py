"""What stands in files of keys, as text."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.keys.keyfile import (
    Named,
    allowed_lines,
    check_name,
    public_line,
    secret_line,
    secret_text,
    with_line,
    without_key,
)

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
KEYS = st.text(Z85, min_size=40, max_size=40)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
A, B = "A" * 40, "B" * 40


@given(NAMES, KEYS)
def test_what_is_written_is_read_again(name: str, key: str) -> None:
    named = Named(name, key)
    assert public_line(f"{named.line}\n", "x") == named
    assert secret_line(secret_text(name, key), "x") == (name, key)
    assert allowed_lines(with_line("", named), "x") == {key: name}
    assert "'" not in named.line  # so that a shell takes it in single quotes


@given(st.text(max_size=200))
def test_any_text_is_a_list_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        names = allowed_lines(text, "keys/allowed")
        assert len(set(names.values())) == len(names)


def test_a_list_keeps_its_comments_when_a_device_comes_or_goes() -> None:
    text = with_line("# the lab\na1 " + A, Named("b1", B))
    assert text == f"# the lab\na1 {A}\nb1 {B}\n"
    assert without_key(text, A) == f"# the lab\nb1 {B}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"a1 {A}\n\na1\n", "allowed, line 3: not a name and a public key"),
        (f"a1 {A[:-1]}\n", "allowed, line 1: not a name and a public key"),
        (f"a1 {A} # mine\n", "allowed, line 1: not a name and a public key"),
        (f"../a1 {A}\n", "allowed, line 1: not a name and a public key"),
        (f"a1 {A}\nb1 {A}\n", "allowed, line 2: the key stands there twice"),
        (f"a1 {A}\na1 {B}\n", "allowed, line 2: the name a1 stands there twice"),
        (f"secret a1 {A}\n", "allowed, line 1 holds a secret key, which stays where it was made"),
    ],
)
def test_a_damaged_line_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        allowed_lines(text, "allowed")


@pytest.mark.parametrize("text", ["", f"a1 {A}\nb1 {B}\n"])
def test_a_public_file_holds_one_key(text: str) -> None:
    with pytest.raises(UsageError, match="and should hold one"):
        public_line(text, "a1.public")


@pytest.mark.parametrize("text", ["", f"a1 {A}", f"secret a1 {A}\nsecret b1 {B}", f"secret a1 {A}x", f"secret .. {A}"])
def test_a_file_that_is_no_secret_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(UsageError, match=r"make a new key|make one with") as caught:
        secret_line(text, "a1.secret")
    assert A not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", ".hidden", "../x", "x" * 65, "ä"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a key"):
        check_name(name)
