"""Commands with a parser of their own, found by their names."""

import pytest

from harness.errors import UsageError
from harness.passed_on import PASSED_ON, other_package, passed_on


@pytest.mark.parametrize("name", PASSED_ON)
def test_each_is_a_function_named_main(name: str) -> None:
    assert passed_on(name).__name__ == "main"


def test_commands_of_the_other_packages_are_found_by_name() -> None:
    assert other_package("agent").__module__ == "agents.cli"
    with pytest.raises(UsageError, match="'frobnicate' is not installed here"):
        other_package("frobnicate")
