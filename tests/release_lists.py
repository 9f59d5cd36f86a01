"""Writes the lists of what Debian 13 knows, out of the locked packages: ``python -m tests.release_lists``.

``tests/integration/test_release_lists.py`` compares what is committed with the packages of the lock.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.installers.kickseed.parser import from_initrd
from goldsmith.installers.preseed import questions
from goldsmith.media import composed
from goldsmith.toolbox import deb
from goldsmith.toolbox.fetch import path as path_of
from goldsmith.tools import netboot
from goldsmith.wiring import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from tarfile import TarInfo

FOLDER = Path(__file__).resolve().parents[1] / "kickstart/preseed"
RELEASE = "13"
_NO_ZONES = {"Factory", "localtime", "posixrules", "leapseconds"}
_ZONEINFO = "usr/share/zoneinfo/"
_KNOWN = ("etc/SUPPORTED-short", "etc/shortlists", "usr/share/localechooser/languagelist")
_LEVEL = 3
"""The languages that the installer's text frontend shows on a frame buffer; others only the graphical one does."""


class Packages:
    """The locked packages; what the cache lacks is fetched."""

    def __init__(self, session: Session) -> None:
        self._session = session
        sections = session.lock.sections
        self._rows = {row.name: row for row in (*sections.media.udebs, *sections.guest.debs)}
        self.guest = tuple(row.name for row in sections.guest.debs)

    def members(self, name: str) -> Iterator[tuple[TarInfo, bytes]]:
        """Yield what a package holds."""
        row = self._rows[name]
        self._session.fetch([row])
        return deb.members(path_of(self._session.workspace, row))

    def text(self, name: str, path: str) -> str:
        """Return a file of a package."""
        return next(data.decode() for entry, data in self.members(name) if entry.name == path)

    def initrd(self) -> Mapping[str, str]:
        """Return the installer's own lists of languages."""
        session = self._session
        vendor = composed.vendor(session.lock, release=RELEASE, workspace=session.workspace, fetch=session.fetch)
        data = gzip.decompress((vendor / netboot.INITRD).read_bytes())
        return {name: from_initrd(data, (name,)).decode() for name in _KNOWN}


def zones(packages: Packages) -> Iterator[str]:
    """Yield the release's time zones; a name that is none has the one that took its place after a tab."""
    there = {entry.name.removeprefix(_ZONEINFO) for entry, _ in packages.members("tzdata") if not entry.isdir()}
    known = {name for name in there if not re.search(r"\.|^usr/", name)} - _NO_ZONES
    links = re.findall(r"^L (\S+) (\S+)$", packages.text("tzdata", f"{_ZONEINFO}tzdata.zi"), re.MULTILINE)
    old = {name: target for target, name in links if name not in known}
    yield from sorted([*known, *(f"{name}\t{target}" for name, target in old.items())])


def locales(packages: Packages) -> Iterator[str]:
    """Yield the release's locales with UTF-8; what the installer itself would not take has ``extra`` after a tab."""
    supported = packages.text("locales", "usr/share/i18n/SUPPORTED")
    names = re.findall(r"^([a-z]{2,3}_[A-Z]{2})(?:\.UTF-8)? UTF-8$", supported, re.MULTILINE)
    initrd = packages.initrd()
    yield from (name if _taken(name, initrd) else f"{name}\textra" for name in sorted(set(names)))


def _taken(name: str, initrd: Mapping[str, str]) -> bool:
    """Return whether localechooser goes on with a preseeded locale without a question, as its script has it."""
    known = questions.read((FOLDER / f"questions-{RELEASE}.txt").read_text(encoding="ascii"))
    speaks = {row[0]: row for row in (line.split(";") for line in initrd[_KNOWN[2]].splitlines())}
    language, _, country = name.partition("_")
    row = speaks.get(name) or speaks.get(language)
    countries = {code for item in known.values() if "/countrylist/" in item.name for code in item.choices}
    if row is None or int(row[1]) > _LEVEL or country not in countries:
        return False
    first = (row[4] or row[0]).partition(":")[0]
    short = known.get(f"localechooser/shortlist/{first}")
    exactly = f"{name}.UTF-8" in initrd[_KNOWN[0]].split()
    return exactly or short is None or country in short.choices


def users(packages: Packages) -> Iterator[str]:
    """Yield the names that the installer reserves, and those of users and groups that packages bring."""
    reserved = packages.text("user-setup-udeb", "usr/lib/user-setup/reserved-usernames")
    found = {line for line in reserved.splitlines() if line and not line.startswith("#")}
    for name in packages.guest:
        found.update(_brought(packages.members(name)))
    yield from sorted(found)


def _brought(members: Iterable[tuple[TarInfo, bytes]]) -> Iterator[str]:
    for entry, data in members:
        if entry.name.startswith("usr/lib/sysusers.d/"):
            yield from re.findall(r"^[ug]!?\s+(\S+)", data.decode(), re.MULTILINE)
        elif entry.name.startswith("usr/share/base-passwd/") and entry.name.endswith(".master"):
            yield from re.findall(r"^([^:\n]+):", data.decode(), re.MULTILINE)


LISTS = {"zones": zones, "locales": locales, "users": users}


def write(name: str, lines: Iterable[str]) -> None:
    """Replace the lines of a list; what its head says stays."""
    path = FOLDER / f"{name}-{RELEASE}.txt"
    head = [line for line in path.read_text(encoding="ascii").splitlines() if line.startswith("#")]
    path.write_text("".join(f"{line}\n" for line in (*head, *lines)), encoding="ascii")


if __name__ == "__main__":
    locked = Packages(Session.here())
    for list_, made in LISTS.items():
        write(list_, made(locked))
