"""What a vCenter remembers: events, each with a date of the vCenter's own clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldsmith import terminal
from goldsmith.vcenter import convert
from goldsmith.vcenter.sdk import vim

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_MOST = 1000
"""Events in one answer: what a vCenter gives at most."""


def texts(content: Any, machine: Any, limit: int) -> list[str]:
    """Return what the vCenter says of a machine, newest last; each event is one line."""
    found = sorted(_events(content, machine), key=lambda event: int(event.key))
    said = [terminal.line(str(event.fullFormattedMessage or "")) for event in found]
    return [text for text in said if text][-limit:]


def newest(content: Any, machine: Any) -> datetime | None:
    """Return when something last happened with a machine; nothing where the vCenter remembers nothing of it."""
    dates: list[datetime] = [event.createdTime for event in _events(content, machine)]
    return max(dates, default=None)


def removed(content: Any, datacenter: Any) -> frozenset[str]:
    """Return the names of the machines that a datacenter had and removed, as far as the vCenter remembers."""
    found = _events(content, datacenter, "VmRemovedEvent", deep=True)
    return frozenset(convert.plain(event.vm.name) for event in found if event.vm)


def _events(content: Any, about: Any, *kinds: str, deep: bool = False) -> Sequence[Any]:
    spec = vim.event.EventFilterSpec
    recursion = spec.RecursionOption.all if deep else spec.RecursionOption.self
    asked = spec(
        entity=spec.ByEntity(entity=about, recursion=recursion), eventTypeId=list(kinds) or None, maxCount=_MOST
    )
    return content.eventManager.QueryEvents(asked) or ()
