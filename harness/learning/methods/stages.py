"""All forms that the rounds of a method ever have. Pure; free of torch."""

from __future__ import annotations

from harness.learning.forms import Form, form_of
from harness.learning.spec import PrepareSpec


def stages_of(spec: PrepareSpec) -> tuple[Form, ...]:
    """The forms of the first rounds, and of those around the end of a first stage; no other round has another one."""
    last = spec.settings.switch_round
    return tuple(form_of(spec.method, spec.settings, round) for round in sorted({1, 2, 3, last, last + 1, last + 2}))
