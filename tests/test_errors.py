"""Errors for what cannot be written: a slip of the command line, or the machine's fault."""

from __future__ import annotations

import pytest

from harness.errors import StoreError, UsageError, not_written


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (FileExistsError(17, "File exists"), UsageError, "a file stands where a folder should be; give another"),
        (NotADirectoryError(20, "Not a directory"), UsageError, "a file stands where a folder should be"),
        (IsADirectoryError(21, "Is a directory"), UsageError, "a folder stands where a file should be"),
        (PermissionError(13, "Permission denied"), StoreError, "(Permission denied); mend that or give another"),
        (OSError(28, "No space left on device"), StoreError, "the disk is full: some/page.html cannot be written"),
    ],
)
def test_what_cannot_be_written_is_told_by_its_cause(error: OSError, kind: type[Exception], sentence: str) -> None:
    said = not_written("some/page.html", error, "give another --out")
    assert type(said) is kind
    assert "some/page.html cannot be written" in str(said)
    assert sentence in str(said)
