"""Makes small Debian packages, wheels and rows for tests, byte by byte."""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

from goldsmith.host.workspace import Workspace
from goldsmith.toolbox.lock import DebRow, GoRow, WheelRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tar(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    """Return a compressed tarball as dpkg-deb makes them: names begin with ``./``."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.type, entry.linkname = tarfile.LNKTYPE, f"./{target}"
            archive.addfile(entry)
    return out.getvalue()


def ar(members: Mapping[str, bytes]) -> bytes:
    """Return an ar archive."""
    out = b"!<arch>\n"
    for name, data in members.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode() + data
        out += b"\n" * (len(data) % 2)
    return out


def package(files: Mapping[str, bytes], control: str = "Package: x\n", links: Mapping[str, str] | None = None) -> bytes:
    """Return a whole ``.deb``."""
    return ar(
        {
            "debian-binary": b"2.0\n",
            "control.tar.xz": tar({"control": control.encode()}),
            "data.tar.xz": tar(files, links),
        }
    )


def deb_row(data: bytes = b"x", *, name: str = "hello", group: str = "base", repo: str = "debian") -> DebRow:
    """Return the row of a package with content *data*."""
    path = f"pool/main/{name[0]}/{name}/{name}_1.0_amd64.deb"
    return DebRow.model_validate(
        {"name": name, "version": "1.0", "arch": "amd64", "group": group, "repo": repo, "path": path}
        | {"size": len(data), "sha256": sha256(data)}
    )


def go_row(data: bytes = b"x", path: str = "example.com/!mod/@v/v1.0.0.zip") -> GoRow:
    """Return the row of a module file with content *data*."""
    return GoRow(path=path, size=len(data), sha256=sha256(data))


def wheel_row(data: bytes = b"x", name: str = "pip", version: str = "1.0") -> WheelRow:
    """Return the row of a wheel with content *data*."""
    file = f"{name}-{version}-py3-none-any.whl"
    return WheelRow(name=name, version=version, file=file, size=len(data), sha256=sha256(data))


def workspace(folder: Path) -> Workspace:
    """Return a workspace below *folder*, with a root and an empty cache."""
    (folder / "root").mkdir()
    (folder / "cache" / "sha256").mkdir(parents=True)
    return Workspace(root=folder / "root", cache=folder / "cache")


def cached(space: Workspace, data: bytes) -> Path:
    """Put *data* into the cache as fetching does."""
    path = space.downloads / sha256(data)
    path.write_bytes(data)
    return path
