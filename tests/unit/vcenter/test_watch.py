"""A guest that powers off by itself is noticed, and nothing else is disturbed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from goldsmith.errors import UnreachableError
from goldsmith.vcenter.inventory import Kind, Machine, Node, Power
from goldsmith.vcenter.watch import Watch
from tests.unit.vcenter.fakes import FakeVCenter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from goldsmith.vcenter.api import Vitals

FOLDER = Node(ref="folder", kind=Kind.FOLDER, name="goldsmith", parent="vm-f")
SOON = 0.001
PATIENCE = 20.0
"""Seconds until a test gives up; none waits so long when the code is right."""


class Scripted(FakeVCenter):
    """Shows the machine's power as a script says, the last word for ever; *exhausted* is set at the last one."""

    def __init__(self, *powers: Power) -> None:
        super().__init__()
        self.powers = list(powers)
        self.exhausted = threading.Event()

    def child(self, folder: Node, name: str) -> Machine | None:  # noqa: ARG002 - the door's
        """Return the machine as it is by now."""
        power = self.powers.pop(0) if len(self.powers) > 1 else self.powers[0]
        if len(self.powers) == 1:
            self.exhausted.set()
        return Machine(ref="vm-1", name=name, power=power)


class Asked(Scripted):
    """*often* is set when its vitals were asked three times."""

    def __init__(self, *powers: Power) -> None:
        super().__init__(*powers)
        self.asked = 0
        self.often = threading.Event()

    def vitals(self, machine: Machine) -> Vitals:
        """Return the machine's vitals, and count."""
        self.asked += 1
        if self.asked == 3:
            self.often.set()
        return super().vitals(machine)


def _watch(vcenter: Scripted, off: threading.Event, *, watching: bool = True) -> Watch:
    return Watch(
        connect=vcenter.connect,
        folder=FOLDER,
        name="vm",
        watching=lambda: watching,
        powered_off=off.set,
        tell=lambda _: None,
        seconds=SOON,
    )


def test_off_twice_is_told() -> None:
    """A machine that is and stays off is told once it was seen twice."""
    off = threading.Event()
    with _watch(Scripted(Power.ON, Power.OFF), off):
        assert off.wait(PATIENCE)


def test_a_reboot_by_way_of_off_is_none() -> None:
    """Off once, between two looks at a running machine, is a reboot."""
    off, vcenter = threading.Event(), Scripted(Power.ON, Power.OFF, Power.ON, Power.OFF, Power.ON, Power.ON)
    with _watch(vcenter, off):
        assert vcenter.exhausted.wait(PATIENCE)
    assert not off.is_set()


def test_only_while_packer_waits() -> None:
    """Before the power-on and after the shutdown a machine is rightly off."""
    off, vcenter = threading.Event(), Scripted(Power.OFF)
    asked = threading.Event()

    def watching() -> bool:
        asked.set()
        return False

    watch = Watch(
        connect=vcenter.connect,
        folder=FOLDER,
        name="vm",
        watching=watching,
        powered_off=off.set,
        tell=lambda _: None,
        seconds=SOON,
    )
    with watch:
        assert asked.wait(PATIENCE)
    assert not off.is_set()


def test_a_vcenter_that_is_gone_only_ends_the_watching() -> None:
    """Trouble in the watching is nobody else's."""
    tried = threading.Event()

    def connect() -> AbstractContextManager[FakeVCenter]:
        tried.set()
        raise UnreachableError("gone")

    off = threading.Event()
    with Watch(
        connect=connect,
        folder=FOLDER,
        name="vm",
        watching=lambda: True,
        powered_off=off.set,
        tell=lambda _: None,
        seconds=SOON,
    ):
        assert tried.wait(PATIENCE)
    assert not off.is_set()


def test_those_who_wait_are_told_what_is_seen() -> None:
    """While Packer waits silently, the machine's state is told, and again when it is another one."""
    told = threading.Event()
    lines: list[str] = []
    vcenter = Asked(Power.ON)

    def tell(text: str) -> None:
        lines.append(text)
        told.set()

    watch = Watch(
        connect=vcenter.connect,
        folder=FOLDER,
        name="vm",
        watching=lambda: True,
        powered_off=lambda: None,
        tell=tell,
        seconds=SOON,
    )
    with watch:
        assert told.wait(PATIENCE)
        assert vcenter.often.wait(PATIENCE)
    assert lines == ["the machine is powered on, its tools: guestToolsNotRunning"]
