"""Lays out what an image is built from: locked files as hard links, the project's own as copies with fixed modes."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.toolbox import deb, fetch, gotool, wheels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from goldsmith.host.workspace import Workspace
    from goldsmith.toolbox.lock import DebRow, GoRow, Row, WheelRow

_LICENCE = re.compile(r"^(LICEN[CS]E|COPYING|NOTICE|PATENTS)([.-].*)?$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Context:
    """A folder being filled; every method adds a part of it."""

    folder: Path
    workspace: Workspace
    epoch: int
    """Time of every file in it: times would otherwise differ from machine to machine."""

    def link(self, row: Row, name: str) -> None:
        """Put the fetched file of *row* at *name*."""
        source, target = fetch.path(self.workspace, row), self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.EMLINK, errno.EPERM}:
                raise
            shutil.copyfile(source, target)

    def copy(self, source: Path, name: str) -> None:
        """Put a file, or a whole folder, of the project at *name*; only the executable bit of its mode counts."""
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            target = self.folder / name / path.relative_to(source) if source.is_dir() else self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)

    def write(self, name: str, content: str | bytes) -> None:
        """Put a file with *content* at *name*."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def debs(self, rows: Iterable[DebRow], folder: str = "debs") -> None:
        """Put packages where dpkg is given all of them at once."""
        for row in rows:
            self.link(row, f"{folder}/{row.name}_{row.arch}.deb")

    def wheels(self, rows: Iterable[WheelRow]) -> None:
        """Put the wheels and the list that pip accepts them by; pip itself runs from its own and is not installed."""
        rows = list(rows)
        for row in rows:
            self.link(row, f"wheels/{row.file}")
        self.write("wheels/requirements.txt", wheels.requirements(row for row in rows if row.name != "pip"))

    def goproxy(self, rows: Iterable[GoRow]) -> None:
        """Put module files as a proxy serves them."""
        for row in rows:
            self.link(row, f"goproxy/{row.path}")

    def toolchain(self, row: WheelRow) -> None:
        """Put the Go toolchain as an archive, which keeps the modes that its wheel has not."""
        with tarfile.open(self.folder / "go.tar", "w", format=tarfile.PAX_FORMAT) as out:
            for name, mode, data in gotool.files(fetch.path(self.workspace, row)):
                out.addfile(self._entry(name, mode, len(data)), io.BytesIO(data))

    def seed(self, rows: Iterable[DebRow], excluded: Iterable[str] = ()) -> None:
        """Put the files of the packages *rows* into one archive, from which dpkg can then start."""
        skip = tuple(excluded)
        seen: set[str] = set()
        with tarfile.open(self.folder / "seed.tar", "w", format=tarfile.PAX_FORMAT) as out:
            for row in rows:
                for entry, data in deb.members(fetch.path(self.workspace, row)):
                    if entry.name in seen or entry.name.startswith(skip):
                        continue
                    seen.add(entry.name)
                    entry.uname = entry.gname = ""
                    out.addfile(entry, io.BytesIO(data) if entry.isreg() else None)

    def licences(self, rows: Iterable[GoRow]) -> None:
        """Put the licence texts of every Go module, a folder for each."""
        for row in rows:
            if row.path.endswith(".zip"):
                for name, data in licence_texts(fetch.path(self.workspace, row)):
                    self.write(f"licences/go/{name}", data)

    def freeze(self) -> None:
        """Give every file and folder the same time, and folders the same mode, whatever the umask."""
        for path in [self.folder, *self.folder.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)
            elif not path.stat().st_mode & 0o100:
                path.chmod(0o644)
            os.utime(path, (self.epoch, self.epoch))

    def _entry(self, name: str, mode: int, size: int) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(name)
        entry.mode, entry.size, entry.mtime = mode, size, self.epoch
        return entry


def exclusions(text: str) -> tuple[str, ...]:
    """Return the folders that a dpkg configuration excludes, each with a slash at its end."""
    return tuple(re.findall(r"^path-exclude=/(.*/)\*$", text, re.MULTILINE))


def licence_texts(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield ``module@version/FILE`` and content of each licence text at the top of a module's archive."""
    with zipfile.ZipFile(archive) as module:
        for name in sorted(module.namelist()):
            root, _, inner = name.partition("@")
            version, _, file = inner.partition("/")
            if "/" not in file and _LICENCE.match(file):
                yield f"{root}@{version}/{file}", module.read(name)
