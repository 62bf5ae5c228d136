"""What ssh says becomes a sentence that says what to do."""

from __future__ import annotations

import pytest

from harness.deploy.trouble import trouble


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Host key verification failed.", "log in once and compare the key"),
        (
            "@ REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            "ssh-keygen -R orin-01",
        ),
        ("lab@orin-01: Permission denied (publickey,password).", "ssh-copy-id lab@orin-01"),
        ("ssh: Could not resolve hostname orin-01: Name or service not known", "there is no such host"),
        ("ssh: connect to host orin-01 port 22: Connection refused", "sudo systemctl enable --now ssh"),
        ("ssh: connect to host orin-01 port 22: Connection timed out", "it does not answer"),
        ("ssh: connect to host orin-01 port 22: No route to host", "it does not answer"),
        ("kex_exchange_identification: read: Connection reset", "ssh failed: kex_exchange_identification"),
        ("", "ssh failed: it said nothing"),
    ],
)
def test_a_sentence_for_each(said: str, sentence: str) -> None:
    assert trouble("lab@orin-01", said).startswith("lab@orin-01: ")
    assert sentence in trouble("lab@orin-01", said)
