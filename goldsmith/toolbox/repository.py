"""Writes the indexes of a package repository from the packages themselves, without Debian's tools."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING

from goldsmith.toolbox import deb

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from goldsmith.toolbox.lock import DebRow


def stanza(row: DebRow, package: Path) -> str:
    """Return the index's stanza of one package: its control file and where and what the file is."""
    text = deb.control(package)["control"].decode().rstrip("\n")
    return f"{text}\nFilename: {row.path}\nSize: {row.size}\nSHA256: {row.sha256}\n"


def named(row: DebRow) -> str:
    """Return the stanza of a package that the index names and the repository does not have."""
    return (
        f"Package: {row.name}\nVersion: {row.version}\nArchitecture: {row.arch}\n"
        f"Filename: {row.path}\nSize: {row.size}\nSHA256: {row.sha256}\n"
    )


def packages(rows: Iterable[tuple[DebRow, Path]]) -> str:
    """Return a ``Packages`` index, in the order of names and versions."""
    ordered = sorted(rows, key=lambda pair: (pair[0].name, pair[0].version, pair[0].arch))
    return "\n".join(stanza(row, package) for row, package in ordered)


def indexes(suite: str, arch: str, components: Mapping[str, str]) -> dict[str, bytes]:
    """Return the files below ``dists/``: each component's index, plain and compressed, and an unsigned Release.

    The Release has no date: the lab adds one when it signs it.
    """
    files: dict[str, bytes] = {}
    for component, text in components.items():
        name = f"{component}/binary-{arch}/Packages"
        files[name] = text.encode()
        files[f"{name}.gz"] = gzip.compress(text.encode(), mtime=0)
        # Debian's installer reads this one to learn whether a mirror has its architecture.
        files[f"{component}/binary-{arch}/Release"] = (
            f"Archive: stable\nOrigin: Debian\nLabel: Debian\nComponent: {component}\nArchitecture: {arch}\n".encode()
        )
    files["Release"] = release(suite, arch, files).encode()
    return {f"dists/{suite}/{name}": data for name, data in files.items()}


def release(suite: str, arch: str, files: Mapping[str, bytes]) -> str:
    """Return the Release file that vouches for *files*."""
    sums = "".join(
        f" {hashlib.sha256(data).hexdigest()} {len(data):>9} {name}\n" for name, data in sorted(files.items())
    )
    return (
        f"Origin: Debian\nLabel: Debian\nSuite: stable\nCodename: {suite}\nArchitectures: all {arch}\n"
        f"Components: main\nDescription: packages of the goldsmith lab\nSHA256:\n{sums}"
    )
