"""One device, from the first look to the last step: carries a plan out, and says in one sentence how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.deploy.asking import facts_of
from harness.deploy.office import Office
from harness.deploy.plan import Plan, deployment
from harness.deploy.refusals import refuse, refuse_removal
from harness.deploy.removal import left, removal
from harness.deploy.shell import Connection, StepFailedError
from harness.deploy.steps import Allow, Revoke, Run, Send, Step, line, shown
from harness.deploy.wish import Wish, checked, resolved
from harness.errors import DeployError, FederaBenchError

Note = Callable[[str], None]
"""Takes what is done now, in a few words."""


@dataclass(frozen=True)
class Outcome:
    """How it went with one device."""

    host: str
    name: str
    done: bool
    says: str
    seconds: float
    log: str = ""
    """What the device said where a step failed; the steps themselves where none was taken."""
    exit_code: int = 0


def deploy(wish: Wish, office: Office, note: Note, *, dry_run: bool = False) -> Outcome:
    """Set up one device, or renew it. Errors become its outcome: other devices go on."""
    return _ended(wish, lambda: _deploy(wish, office, note, dry_run=dry_run))


def remove(wish: Wish, office: Office, note: Note, *, keep_cache: bool = False, dry_run: bool = False) -> Outcome:
    """Take the agent of one device away. Errors become its outcome: other devices go on."""
    return _ended(wish, lambda: _remove(wish, office, note, keep_cache=keep_cache, dry_run=dry_run))


def _ended(wish: Wish, visit: Callable[[], tuple[str, str]]) -> Outcome:
    begun_s = time.monotonic()
    try:
        says, log = visit()
        return Outcome(wish.host, wish.name, True, says, time.monotonic() - begun_s, log)
    except FederaBenchError as error:
        said = error.output if isinstance(error, StepFailedError) else ""
        return Outcome(wish.host, wish.name, False, str(error), time.monotonic() - begun_s, said, error.exit_code)
    except (OSError, ValueError) as error:  # such as a full disk here
        says = f"{wish.host}: {error}"
        return Outcome(wish.host, wish.name, False, says, time.monotonic() - begun_s, "", DeployError.exit_code)


def _deploy(wish: Wish, office: Office, note: Note, *, dry_run: bool) -> tuple[str, str]:
    controller = office.controller()
    with Connection(wish.host, office.ssh_config) as connection:
        note("looks at the device")
        facts = facts_of(connection, wish.python or "python3")
        wanted = checked(resolved(wish, facts.installed))
        refuse(wanted, facts, controller)
        with office.parcel(wanted, facts) as parcel:
            plan = deployment(wanted, facts, parcel, controller, office.allowed())
            if dry_run:
                return f"{len(plan.steps)} steps, none taken", shown(plan.steps, wish.host, is_root=facts.uid == 0)
            said = _Visitor(connection, office, note, is_root=facts.uid == 0).carry_out(plan)
    cuda = "with CUDA" if facts.torch.cuda else "without CUDA"
    return f"{wish.name} is up (torch {facts.torch.version} {cuda}): {said.get('ready', '')}", said.get("start", "")


def _remove(wish: Wish, office: Office, note: Note, *, keep_cache: bool, dry_run: bool) -> tuple[str, str]:
    with Connection(wish.host, office.ssh_config) as connection:
        note("looks at the device")
        facts = facts_of(connection, wish.python or "python3")
        refuse_removal(wish, facts)
        steps = removal(wish.name, facts, office.allowed(), keep_cache=keep_cache)
        if not steps:
            return "nothing is deployed there", ""
        if dry_run:
            return f"{len(steps)} steps, none taken", shown(steps, wish.host, is_root=facts.uid == 0)
        _Visitor(connection, office, note, is_root=facts.uid == 0).carry_out(Plan(steps))
    return f"{wish.name} is gone; left: {', '.join(left(facts, keep_cache=keep_cache))}", ""


class _Visitor:
    """Carries out the steps of a plan, in order."""

    def __init__(self, connection: Connection, office: Office, note: Note, *, is_root: bool) -> None:
        self._connection = connection
        self._office = office
        self._note = note
        self._is_root = is_root

    def carry_out(self, plan: Plan) -> dict[str, str]:
        """Take all steps; what each said.

        Raises:
            DeployError: one failed. What was to be taken back was.
        """
        said: dict[str, str] = {}
        names = [step.name for step in plan.steps]
        for number, step in enumerate(plan.steps, 1):
            self._note(f"{number}/{len(plan.steps)} {step.name}")
            try:
                said[step.name] = self._take(step).strip()
            except DeployError as error:
                undo = plan.undo if plan.undo_from in names[:number] else None
                raise self._failed(step, error, undo) from None
        return said

    def _take(self, step: Step) -> str:
        if isinstance(step, Run):
            return self._connection.run(step, is_root=self._is_root)
        if isinstance(step, Send):
            self._connection.send(step, is_root=self._is_root)
        elif isinstance(step, Allow):
            read = Run(step.name, line("cat", step.path), root=False, limit_s=step.limit_s)
            where = f"{step.path} of {self._connection.host}"
            self._office.allow(step.agent, self._connection.run(read, is_root=self._is_root), where)
        elif isinstance(step, Revoke):
            self._office.revoke(step.agent)
        return ""

    def _failed(self, step: Step, error: DeployError, undo: Run | None) -> DeployError:
        """The error that says which step failed, what it said, and what became of what was there before."""
        if not isinstance(error, StepFailedError):
            return error
        last = (error.output.strip().splitlines() or ["it said nothing"])[-1]
        tail = ""
        if undo is not None:
            self._note("takes it back")
            tail = "; " + self._taken_back(undo)
        what = f"{self._connection.host}: the step '{step.name}' failed"
        return StepFailedError(
            f"{what}; its output is above{tail}" if "\n" in error.output.strip() else f"{what}: {last}{tail}",
            error.output,
        )

    def _taken_back(self, undo: Run) -> str:
        try:
            self._connection.run(undo, is_root=self._is_root)
        except DeployError as error:
            return f"and the release before could not be put back ({error})"
        return "the release before was put back"


def failures(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that did not end well."""
    return [outcome for outcome in outcomes if not outcome.done]
