"""Puts flows on interfaces, looks whether they are there, changes their rates, and takes them away again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from harness.links import kernel
from harness.links.kernel import BEAT_CLASS, HANDLE, Command, Flow, class_bps, class_of
from harness.shaping.allowance import trace_sha256
from harness.shaping.book import Book, Kept, Key
from harness.shaping.reading import HtbClass, fault_of, filters_missing
from harness.shaping.tc import Tc, TcError
from harness.shaping.words import Applied, Counted

log = logging.getLogger("shaper")


class Keeper:
    """All flows of this machine. ``now`` is CLOCK_MONOTONIC in seconds. Owners are numbers of connections."""

    def __init__(self, tc: Tc, now: Callable[[], float]) -> None:
        self._tc, self._now = tc, now
        self._book = Book()
        self._complaint = ""

    def shape(self, owner: int, flow: Flow) -> Applied:
        """Keep a flow at its rate.

        Raises:
            TcError: it cannot be; nothing of it is left behind.
            ValueError: it is refused.
        """
        nic = self._tc.nic_towards(str(kernel.address_of(flow.peer)))
        if not self._book.used(nic.name):
            self._clear(nic.name)  # there would be something only where tc could not remove it before
        kept = self._book.admit(owner, flow, nic)
        try:
            if class_of(kept.slot) in self._tc.classes(nic.name):
                self._remove(nic.name, [kept.slot])  # likewise
            commands = self._plant(kept)
            kept.begun_s = self._now()
            self._check(kept)
        except BaseException:  # whatever it was, nothing of the flow stays
            self._take_away(kept)
            raise
        log.info("keeps %s at %.3f Mbit/s on %s", flow.key, kept.rate_bps / 1e6, kept.nic.name)
        return self._applied(kept, commands)

    def release(self, owner: int, key: Key) -> None:
        """Keep a flow no longer. Raises ValueError where it is not kept."""
        self._take_away(self._book.find(owner, key))

    def release_all(self, owner: int) -> None:
        """Its owner has gone. Where nobody else has a flow the whole tree goes at once, however many were in it."""
        gone = self._book.of(owner)
        for kept in gone:
            self._book.strike(kept)
        for name in {kept.nic.name for kept in gone}:
            self._remove(name, [kept.slot for kept in gone if kept.nic.name == name])

    def counted(self, owner: int, key: Key) -> Counted:
        """The counters of a flow's class.

        Raises:
            ValueError: it is not kept.
            TcError: it is not what it was.
        """
        kept = self._book.find(owner, key)
        now_s = self._now()
        found = self._check(kept)
        return Counted(
            sent_bytes=found.sent_bytes,
            sent_packets=found.sent_packets,
            dropped=found.dropped,
            overlimits=found.overlimits,
            backlog_bytes=found.backlog_bytes,
            at_s=now_s,
        )

    def check(self, peer: str) -> str:
        """The interface towards an address, where the tree could be put. Raises TcError as :meth:`shape` does."""
        nic = self._tc.nic_towards(str(kernel.address_of(peer)))
        if not self._book.used(nic.name):
            try:
                for command in self._root(nic):
                    self._tc.do(command)
            finally:
                self._clear(nic.name)
        return nic.name

    def wait_s(self) -> float | None:
        """How long until :meth:`tick` has something to do; None: until a flow comes."""
        return self._book.wait_s(self._now())

    def tick(self) -> None:
        """Change the rates that are due."""
        due = self._book.due(self._now())
        if not due:
            return
        try:
            self._tc.do_all([kernel.change(kept.flow, kept.slot, kept.rate_bps, kept.nic) for kept in due])
        except TcError as error:
            if str(error) != self._complaint:  # it would be said at each step; and whoever counts a flow is told too
                log.error("a rate was not changed: %s", error)
            self._complaint = str(error)

    def sweep(self) -> list[str]:
        """Remove every tree of ours, whoever left it; the interfaces that had one.

        Raises:
            TcError: one of them stays; the others are gone.
        """
        left = [root.interface for root in self._tc.roots() if root.ours]
        failed = None
        for interface in left:
            try:
                self._tc.do(kernel.uproot(interface))
            except TcError as error:
                failed = error
        if failed is not None:
            raise failed
        return left

    def _plant(self, kept: Kept) -> list[Command]:
        commands = [*self._root(kept.nic), *kernel.add(kept.flow, kept.slot, kept.rate_bps, kept.nic)]
        for command in commands:
            self._tc.do(command)
        return commands

    def _root(self, nic: kernel.Nic) -> list[Command]:
        """What makes the tree where it does not stand yet."""
        root = self._tc.root(nic.name)
        if root is not None and root.foreign:
            raise TcError(
                f"{nic.name} has a queueing discipline of somebody else ({root.kind} {root.handle}); remove it "
                f"(tc qdisc del dev {nic.name} root)"
            )
        return [] if root is not None and root.ours else kernel.root(nic)

    def _check(self, kept: Kept) -> HtbClass:
        """The flow's class, where it and the free ones are there, and filters lead to it."""
        name, one = kept.nic.name, class_of(kept.slot)
        classes = self._tc.classes(name)
        rate_bps = class_bps(kept.rate_bps, kept.nic, kept.flow.peer)
        fault = fault_of(self._tc.root(name), classes, one, rate_bps)
        if fault is None:
            missing = filters_missing(self._tc.filters(name, HANDLE), one, BEAT_CLASS)
            fault = f"no filter leads to class {missing[0]}" if missing else None
        if fault is not None:
            raise TcError(f"on {name} {fault}")
        return classes[one]

    def _take_away(self, kept: Kept) -> None:
        """Whatever is there of it, also where parts are missing."""
        self._book.strike(kept)
        self._remove(kept.nic.name, [kept.slot])

    def _remove(self, name: str, slots: Sequence[int]) -> None:
        """The whole tree where no flow is left, else these flows'."""
        if not self._book.used(name):
            self._clear(name)
            return
        for command in (command for slot in slots for command in kernel.remove(slot, name)):
            try:
                self._tc.do(command)
            except TcError as error:
                log.warning("%s", error)

    def _clear(self, name: str) -> None:
        try:
            if (root := self._tc.root(name)) is not None and root.ours:
                self._tc.do(kernel.uproot(name))
        except TcError as error:
            log.warning("%s", error)

    def _applied(self, kept: Kept, commands: Sequence[Command]) -> Applied:
        rate = kept.flow.rate
        return Applied(
            interface=kept.nic.name,
            rate_mbps=rate.rate_mbps,
            trace_sha256=trace_sha256(rate),
            step_s=rate.step_s if kept.changes else None,
            offset=kept.trace.offset,
            seed=kept.flow.seed,
            begun_s=kept.begun_s,
            commands=tuple(f"tc {' '.join(command)}" for command in commands),
        )
