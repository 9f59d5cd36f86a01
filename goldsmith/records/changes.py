"""What is different between two templates: packages, units and files, from their inventories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that came, went, or became another; *before* or *after* is empty when it was or is not there."""

    name: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """All that differs, by kind, sorted by name."""

    packages: tuple[Change, ...] = ()
    units: tuple[Change, ...] = ()
    files: tuple[Change, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        return bool(self.packages or self.units or self.files)


# They are made anew by each machine, or tell about it alone.
_OWN = (
    *("/etc/machine-id", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/ssh/ssh_host_", "/etc/.updated"),
    *("/etc/cloud/", "/etc/shadow", "/etc/passwd-", "/etc/group-", "/etc/gshadow", "/etc/subuid-", "/etc/subgid-"),
)


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return what differs between two inventories, as ``inventory.py`` makes them."""
    return Changes(
        packages=_different(_versions(before), _versions(after)),
        units=_different(before.get("units", {}), after.get("units", {})),
        files=_different(_files(before), _files(after)),
    )


def _versions(inventory: Mapping[str, Any]) -> dict[str, str]:
    rows = inventory.get("packages", ())
    return {f"{row['name']}:{row['architecture']}": row["version"] for row in rows}


def _files(inventory: Mapping[str, Any]) -> dict[str, str]:
    return {path: _described(entry) for path, entry in inventory.get("etc", {}).items() if not path.startswith(_OWN)}


def _described(entry: Mapping[str, str]) -> str:
    """Return a file's state in a few words: what a link points at, or content, mode and owner."""
    if "link" in entry:
        return f"link to {entry['link']}"
    content = entry.get("sha256", "")[:12] or "content not recorded"
    return f"{content} {entry.get('mode', '')} {entry.get('owner', '')}".strip()


def _different(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    return tuple(
        Change(name=name, before=before.get(name, ""), after=after.get(name, ""))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )
