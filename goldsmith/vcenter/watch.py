"""Watches a machine while Packer waits for it: a guest that powered off by itself never gets an address."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Self

from goldsmith.vcenter.inventory import Power

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from goldsmith.vcenter.api import VCenter
    from goldsmith.vcenter.inventory import Node

SECONDS = 5.0
"""Between two looks; a machine must be off twice in a row, since some installers reboot by way of off and on."""

_TELL_EVERY = 12
"""Looks until the state of a machine that is waited for is asked again: about a minute."""


class Watch:
    """Looks at the machine from a thread of its own, with a session of its own, until the block ends.

    Whatever goes wrong here ends the watching and nothing else: Packer's own
    timeouts still hold.
    """

    def __init__(
        self,
        *,
        connect: Callable[[], AbstractContextManager[VCenter]],
        folder: Node,
        name: str,
        watching: Callable[[], bool],
        powered_off: Callable[[], None],
        tell: Callable[[str], None],
        seconds: float = SECONDS,
    ) -> None:
        self._connect = connect
        self._folder = folder
        self._name = name
        self._watching = watching
        self._powered_off = powered_off
        self._tell = tell
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # A vCenter that does not answer must not hold up the one who ends.
        self._thread.join(self._seconds)

    def _run(self) -> None:
        # Most lab builds are over before the first look: no session is opened for them.
        with contextlib.suppress(Exception):
            if not self._over.wait(self._seconds):
                with self._connect() as vcenter:
                    self._look(vcenter)

    def _look(self, vcenter: VCenter) -> None:
        off = looks = 0
        told = ""
        while True:
            machine = vcenter.child(self._folder, self._name) if self._watching() else None
            off = off + 1 if machine and machine.power is Power.OFF else 0
            if off > 1:
                self._powered_off()
                return
            looks += 1
            if machine and looks % _TELL_EVERY == 0:
                vitals = vcenter.vitals(machine)
                seen = f"the machine is powered {vitals.power}, its tools: {vitals.tools}"
                if seen != told:  # an installation takes an hour on some sites, and says nothing in between
                    self._tell(seen)
                told = seen
            if self._over.wait(self._seconds):
                return
