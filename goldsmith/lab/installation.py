"""Follows an installation in the lab, which sees what a real site shows on the console's screenshot only."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Protocol

from goldsmith.errors import GoldsmithError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FAILED = "install-failed"
"""The event of a guest whose installer gave up; it then stands still, as a real one would."""
_GAVE_UP = "installer: FAILED: "
_LINES = 16
"""How much of the console an error has room for."""


class Behind(Protocol):
    """What this asks of the lab; see :class:`goldsmith.lab.admin.Admin`."""

    def events(self, *, since: int = 0, wait: bool = False) -> Sequence[dict[str, Any]]:
        """Return what happened after event *since*; with *wait*, hold until something did."""
        ...

    def console(self, vm: str) -> str:
        """Return everything that the VM's console showed."""
        ...


@contextlib.contextmanager
def followed(behind: Behind, name: str, failed: Callable[[], object]) -> Iterator[Callable[[], str]]:
    """Call *failed*, from another thread, as soon as the installation of the VM *name* fails within the block.

    The block gets a function that returns what the installer said then; nothing
    unless it failed. Whatever goes wrong here ends the following and nothing else.
    """
    over, gave_up = threading.Event(), threading.Event()

    def follow() -> None:
        with contextlib.suppress(GoldsmithError):
            # A VM of this name may have failed before: a build can be continued.
            seen = _last(behind.events(), 0)
            while not over.is_set():
                events = behind.events(since=seen, wait=True)
                seen = _last(events, seen)
                if any(_tells(event, name) for event in events) and not over.is_set():
                    gave_up.set()
                    failed()
                    return

    # A daemon, and not waited for: its last question hangs until the lab has something to tell.
    threading.Thread(target=follow, name="installation", daemon=True).start()
    try:
        yield lambda: _said(behind, name) if gave_up.is_set() else ""
    finally:
        over.set()


def _last(events: Sequence[dict[str, Any]], before: int) -> int:
    return int(events[-1]["seq"]) if events else before


def _tells(event: dict[str, Any], name: str) -> bool:
    detail = event.get("detail")
    return event.get("object") == name and isinstance(detail, dict) and detail.get("event") == FAILED


def _said(behind: Behind, name: str) -> str:
    with contextlib.suppress(GoldsmithError):
        return message(behind.console(name))
    return "its console could not be read"


def message(console: str) -> str:
    """Return the installer's last words on a console: why it gave up, and what stood on its screen."""
    lines = [line.rstrip() for line in console.splitlines() if line.strip() and not line.startswith("@lab")]
    start = next((number for number in reversed(range(len(lines))) if lines[number].startswith(_GAVE_UP)), None)
    if start is None:
        return "\n".join(lines[-_LINES:])
    words = [line.removeprefix("installer: ") for line in lines[start:]]
    # Its syslog comes last and is the longest: the end of it, after the question on the screen.
    log = next((number for number, line in enumerate(words) if line.startswith("the end of the")), len(words))
    screen = words[:log][:_LINES]
    room = _LINES - len(screen) - 1
    return "\n".join([*screen, *(words[log : log + 1] + words[log + 1 :][-room:] if room > 0 else [])])
