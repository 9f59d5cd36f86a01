"""What is different between two templates: packages, units, files and container images, from their inventories."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from goldsmith import guests
from goldsmith.errors import CheckError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.guests import Packages
    from goldsmith.guests.guest import Family


class Kind(StrEnum):
    """What happened to one thing, in the order in which it deserves attention."""

    REMOVED = "removed"
    ADDED = "added"
    DOWNGRADED = "downgraded"
    UPGRADED = "upgraded"
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that differs; *before* or *after* is empty where it was or is not there."""

    name: str
    kind: Kind
    before: str = ""
    after: str = ""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a guest holds, by name."""

    packages: Mapping[str, str]
    """Versions."""
    units: Mapping[str, str]
    """Whether each is enabled."""
    files: Mapping[str, Mapping[str, str]]
    """Of ``/etc``: a link's target, or content, mode and owner."""
    images: Mapping[str, str]
    """Ids of the container images, by tag."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """All that differs, each kind of thing sorted by name."""

    packages: tuple[Change, ...] = ()
    units: tuple[Change, ...] = ()
    files: tuple[Change, ...] = ()
    images: tuple[Change, ...] = ()


# Each machine or build makes them for itself: they always differ, and say nothing.
_OWN = (
    *("/etc/machine-id", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/ssh/ssh_host_", "/etc/.updated"),
    *("/etc/cloud/", "/etc/shadow", "/etc/passwd-", "/etc/group-", "/etc/gshadow", "/etc/subuid-", "/etc/subgid-"),
    "/etc/goldsmith-install-date",
)
_SHORT = 12
"""How much of a hash is shown: the inventory holds it whole."""


def contents(inventory: Mapping[str, Any], family: Family) -> Contents:
    """Return what an inventory of a guest lists, as ``inventory.py`` makes it, without what is each machine's own.

    Raises ``CheckError`` when something else has been made of it: a guest wrote it, and files can be changed.
    """
    try:
        return _contents(inventory, family)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise CheckError(
            "an inventory cannot be read",
            where="inventory.json",
            why=f"it is not as inventory.py makes it ({type(error).__name__}: {error})",
            next="it was changed, or written by another version of goldsmith",
        ) from None


def _contents(inventory: Mapping[str, Any], family: Family) -> Contents:
    engine = inventory.get("engine") or {}
    return Contents(
        packages=_versions(inventory.get("packages", ()), guests.of(family)),
        units={name: str(state) for name, state in inventory.get("units", {}).items()},
        files={path: _facts(entry) for path, entry in inventory.get("etc", {}).items() if not path.startswith(_OWN)},
        images={
            tag: image["Id"].removeprefix("sha256:")[:_SHORT]
            for image in engine.get("images", ())
            for tag in image.get("RepoTags") or (image["Id"],)
        },
    )


def between(before: Contents, after: Contents, family: Family) -> Changes:
    """Return everything that differs; the *family* says which version is the later one."""
    return Changes(
        packages=tuple(_versioned(change, guests.of(family)) for change in _different(before.packages, after.packages)),
        units=_different(before.units, after.units),
        files=_differing_files(before.files, after.files),
        images=_different(before.images, after.images),
    )


def _versions(rows: Any, family: Packages) -> dict[str, str]:
    """Return the versions of the packages that are installed, by name, and by architecture where it takes both."""
    there = [row for row in rows if not family.gone(row.get("status", ""))]
    times = Counter(row["name"] for row in there)
    return {
        row["name"] if times[row["name"]] == 1 else f"{row['name']}:{row['architecture']}": row["version"]
        for row in there
    }


def _facts(entry: Mapping[str, str]) -> dict[str, str]:
    if "link" in entry:
        return {"link": f"link to {entry['link']}"}
    content = entry.get("sha256", "")[:_SHORT]
    return {
        "content": f"content {content}" if content else "content not recorded",
        "mode": f"mode {entry.get('mode', '')}",
        "owner": f"owner {entry.get('owner', '')}",
    }


def _differing_files(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> tuple[Change, ...]:
    """Return the files that differ; of one that stayed, only what is different about it."""
    was, now = {}, {}
    for path in before.keys() | after.keys():
        old, new = before.get(path, {}), after.get(path, {})
        facts = [name for name in ("link", "content", "mode", "owner") if old.get(name) != new.get(name)]
        if path in before:
            was[path] = ", ".join(old[name] for name in facts if name in old)
        if path in after:
            now[path] = ", ".join(new[name] for name in facts if name in new)
    return _different(was, now)


def _different(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    return tuple(
        Change(
            name=name,
            kind=Kind.ADDED if name not in before else Kind.REMOVED if name not in after else Kind.CHANGED,
            before=before.get(name, ""),
            after=after.get(name, ""),
        )
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def _versioned(change: Change, family: Packages) -> Change:
    """Return the change of a package, which goes up or down."""
    if change.kind is not Kind.CHANGED:
        return change
    kind = Kind.UPGRADED if family.order(change.before) < family.order(change.after) else Kind.DOWNGRADED
    return Change(name=change.name, kind=kind, before=change.before, after=change.after)
