"""Reads Debian packages without dpkg: ``.deb`` and ``.udeb`` are an ar archive of two tarballs."""

from __future__ import annotations

import io
import tarfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from goldsmith.errors import CheckError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from typing_extensions import Buffer

_MAGIC = b"!<arch>\n"
_HEADER_BYTES = 60


def _broken(path: Path, why: str) -> CheckError:
    return CheckError(
        f"{path.name} is not a Debian package",
        where=str(path),
        why=why,
        next="remove the file and run the command again: it is then fetched again",
    )


class _Window(io.RawIOBase):
    """A stretch of a file as a file of its own, so that no package needs to fit into memory."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        self._file.seek(self._start + self._at)
        data = self._file.read(max(min(len(view), self._size - self._at), 0))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def ar_members(file: IO[bytes], path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield name and content of each member of the ar archive *file*; *path* is for messages.

    Contents are files within *file*, which must stay open. Raises ``CheckError``
    when it is no ar archive or ends early.
    """
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    if file.read(len(_MAGIC)) != _MAGIC:
        raise _broken(path, "it does not begin as an ar archive does")
    while header := file.read(_HEADER_BYTES):
        if len(header) < _HEADER_BYTES or header[58:] != b"`\n":
            raise _broken(path, "the header of a member is damaged")
        try:
            size = int(header[48:58])
        except ValueError:
            raise _broken(path, "the size of a member is not a number") from None
        start = file.tell()
        if size < 0 or start + size > end:
            raise _broken(path, "it ends within a member")
        yield header[:16].decode("ascii", "replace").rstrip().rstrip("/"), io.BufferedReader(_Window(file, start, size))
        # Members begin at even offsets.
        file.seek(start + size + size % 2)


@contextmanager
def _tar(path: Path, member: str) -> Iterator[tarfile.TarFile]:
    with path.open("rb") as file:
        data = next((data for name, data in ar_members(file, path) if name.startswith(f"{member}.tar")), None)
        if data is None:
            raise _broken(path, f"it has no member {member}.tar")
        try:
            with tarfile.open(fileobj=data) as tar:
                yield tar
        except (tarfile.TarError, EOFError) as error:
            raise _broken(path, f"{member}.tar: {error}") from None


def _name(raw: str) -> str:
    return raw.removeprefix("./").strip("/")


def members(path: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Yield each entry of the package's file system with its content (empty for all but regular files).

    Names have no leading ``./``; the root itself is left out; hard links name their target likewise.
    """
    with _tar(path, "data") as tar:
        for entry in tar:
            entry.name = _name(entry.name)
            if entry.islnk():
                entry.linkname = _name(entry.linkname)
            if entry.name:
                source = tar.extractfile(entry) if entry.isreg() else None
                yield entry, source.read() if source else b""


def extract(path: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return the contents of the regular files *names* of the package.

    Hard links are followed. Raises ``CheckError`` when one is missing: the package is then not what was expected.
    """
    wanted = set(names)
    links: dict[str, str] = {}
    found: dict[str, bytes] = {}
    with _tar(path, "data") as tar:
        for entry in tar:
            name = _name(entry.name)
            if name in wanted and entry.islnk():
                links[name] = entry.linkname
            elif name in wanted and (source := tar.extractfile(entry)) is not None:
                found[name] = source.read()
        for name, target in links.items():
            source = tar.extractfile(target)
            found[name] = source.read() if source else b""
    if missing := sorted(wanted - set(found)):
        raise CheckError(
            f"{path.name} lacks a file that is needed of it",
            where=str(path),
            why="missing: " + ", ".join(missing),
            next="the package changed its layout: adapt the code that asks for the file, or lock another version",
        )
    return found


def control(path: Path) -> dict[str, bytes]:
    """Return the files of the package's control member (``control``, ``postinst``, ``templates`` …)."""
    with _tar(path, "control") as tar:
        return {
            _name(entry.name): source.read()
            for entry in tar
            if entry.isreg() and (source := tar.extractfile(entry)) is not None
        }


def paragraphs(text: str) -> Iterator[Mapping[str, str]]:
    """Yield the stanzas of a control file or a package index; continuation lines keep their newline."""
    fields: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        if not line.strip():
            if fields:
                yield fields
            fields, last = {}, ""
        elif line[0] in " \t" and last:
            fields[last] += "\n" + line
        elif ":" in line:
            last, _, value = line.partition(":")
            fields[last] = value.strip()
    if fields:
        yield fields
