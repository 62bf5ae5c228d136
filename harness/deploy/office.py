"""This end of a deployment: the controller's keys, the list of who is allowed, and what is sent."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.deploy import places
from harness.deploy.facts import Facts
from harness.deploy.package import Package, unit_files
from harness.deploy.plan import Parcel
from harness.deploy.requirements import identity, requirements
from harness.deploy.wish import Wish
from harness.errors import UsageError
from harness.keys import CONTROLLER, AllowedList, Named, expanded, public_line, read_public


@dataclass(frozen=True)
class Office:
    """Where keys are, which ssh configuration counts, and what is sent (nothing, where agents are removed)."""

    keys: Path
    ssh_config: Path | None = None
    package: Package | None = None

    def controller(self) -> Named:
        """The controller's public key, which goes to the devices.

        Raises:
            UsageError: there is none.
        """
        path = expanded(self.keys) / f"{CONTROLLER}.public"
        if not path.exists():
            raise UsageError(
                f"the controller has no key yet ({path}); make it with: federa-bench keys new {CONTROLLER} "
                f"--keys {self.keys}"
            )
        return read_public(path)

    def allowed(self) -> dict[str, str]:
        """Names of the allowed devices by public key.

        Raises:
            UsageError: the list is damaged.
        """
        return self._list.names()

    def allow(self, agent: str, line: str, where: str) -> None:
        """Let in the device whose public key came back from it.

        Raises:
            UsageError: it is no such key, or the name is allowed with another one.
        """
        named = public_line(line, where)
        if named.name != agent:
            raise UsageError(f"{where} holds the key of {named.name}, and {agent} was deployed; move it away there")
        self._list.add(named)

    def revoke(self, agent: str) -> None:
        """Let the device in no more.

        Raises:
            UsageError: it was not.
        """
        self._list.remove(agent)

    @contextmanager
    def parcel(self, wish: Wish, facts: Facts) -> Iterator[Parcel]:
        """What goes to this device, in a folder that is there while the block runs.

        Raises:
            FederaBenchError: the package does not fit.
        """
        assert self.package is not None, "nothing is sent without a package"
        package = self.package
        needed = requirements(package.requires, package.pinned, facts, torch_from_index=wish.torch_from_index)
        parts = {"requirements.txt": needed.wanted, "constraints.txt": needed.constraints}
        made_for = f"{facts.python} {facts.python_version} {facts.torch.version}"
        release = identity(
            {
                package.wheel.name: package.wheel.read_bytes(),
                "python": made_for.encode(),
                **{name: text.encode() for name, text in parts.items()},
            }
        )
        with tempfile.TemporaryDirectory(prefix="federa-bench-") as name:
            folder = Path(name)
            for part, text in parts.items():
                (folder / part).write_text(text, encoding="utf-8")
            for path in (package.wheel, package.pip, *_wheels(package.wheelhouse)):
                if path is not None and not (folder / path.name).exists():
                    (folder / path.name).symlink_to(path.resolve())
            yield Parcel(
                release=release,
                files=(f"{folder}/",),
                wheel=package.wheel.name,
                pip=package.pip.name if package.pip else None,
                wheelhouse=package.wheelhouse is not None,
                texts=self._texts(package.wheel, wish, facts),
            )

    def _texts(self, wheel: Path, wish: Wish, facts: Facts) -> Mapping[str, str]:
        groups = [name for name in places.GROUPS if name in facts.groups]
        return unit_files(wheel, groups, facts.prefix, wish.connect or "", (wish.options or "").split())

    @property
    def _list(self) -> AllowedList:
        return AllowedList(expanded(self.keys))


def _wheels(wheelhouse: Path | None) -> list[Path]:
    return sorted(wheelhouse.glob("*.whl")) if wheelhouse else []
