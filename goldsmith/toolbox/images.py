"""The images: what shapes each of them, and how its build context is filled. Nothing here starts a process."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith import plan
from goldsmith.toolbox import deb, fetch, repository
from goldsmith.toolbox import lock as locks
from goldsmith.toolbox.context import Context, exclusions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from goldsmith.toolbox.lock import Lock, Row

SUITE = "trixie"
"""The guests' Debian, whose name the lab's repository bears."""
_GUEST_SHARE = "lab/guest/share"
_VCENTER = "lab/vcenter"
_KERNEL = "kernel"
"""The group of the installer's kernel modules in the lock."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image, or a build target that only checks code."""

    name: str
    dockerfile: str
    files: tuple[str, ...]
    """Files and folders of the project that shape it, relative to its root."""
    rows: Callable[[Lock], Iterable[Row]]
    """The locked files it is made of."""
    fill: Callable[[Context, Lock], None]
    """Adds everything but the Dockerfile to the context."""
    named: Callable[[Lock], Iterable[Row]] = lambda _: ()
    """Locked files that shape it although it has none of them."""
    with_tests: bool = False
    """Whether Go test files belong to it."""
    reproducible: bool = True
    """Whether everybody gets the same bits, so that the lock records them."""

    def sources(self, root: Path) -> Iterator[Path]:
        """Yield the project's files that shape it, in a fixed order."""
        for name in (self.dockerfile, *self.files):
            path = root / name
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file() and "__pycache__" not in file.parts and (self.with_tests or not is_test(file)):
                    yield file


def is_test(file: Path) -> bool:
    """Tell whether *file* is only for Go's tests."""
    return file.name.endswith("_test.go") or "testdata" in file.parts


def image(name: str) -> Image:
    """Return the image *name*."""
    return next(image for image in ALL if image.name == name)


def digest(image: Image, lock: Lock, root: Path) -> str:
    """Return the hash of all that shapes *image*; its first digits are the tag."""
    parts: list[bytes] = [image.name.encode(), str(lock.source_date_epoch).encode()]
    parts += [plan.canonical(row.model_dump(mode="json")) for row in (*image.rows(lock), *image.named(lock))]
    for file in image.sources(root):
        runs = b"x" if file.stat().st_mode & 0o100 else b"-"
        parts += [str(file.relative_to(root)).encode(), runs, file.read_bytes()]
    return locks.digest(*parts)


def reference(name: str, digest: str) -> str:
    """Return what the image *name* of this hash is called."""
    return f"goldsmith-{name}:{digest[:12]}"


def _toolbox_rows(lock: Lock) -> Iterator[Row]:
    section = lock.sections.toolbox
    yield from section.debs
    yield from section.wheels
    yield from section.go
    yield section.toolchain


def _fill_toolbox(context: Context, lock: Lock) -> None:
    section, docker = lock.sections.toolbox, context.workspace.root / "docker"
    excluded = exclusions((docker / "dpkg-exclude.cfg").read_text(encoding="utf-8"))
    context.seed((row for row in section.debs if row.group == "base"), excluded)
    context.debs(section.debs)
    context.wheels(section.wheels)
    context.goproxy(section.go)
    context.toolchain(section.toolchain)
    context.licences(section.go)
    for name in ("rootfs.sh", "finish.sh", "dpkg-exclude.cfg", "entry.sh", "ansible.cfg", "go"):
        context.copy(docker / name, name)


def _guest_base(lock: Lock) -> Iterator[locks.DebRow]:
    yield from (row for row in lock.sections.guest.debs if row.group == "base")


def _fill_guest(context: Context, lock: Lock) -> None:
    docker, base = context.workspace.root / "docker", list(_guest_base(lock))
    context.seed(row for row in base if _is_essential(context, row))
    context.debs(base)
    context.write("exclude.cfg", "")
    for name in ("rootfs.sh", "finish.sh"):
        context.copy(docker / name, name)


def _is_essential(context: Context, row: locks.DebRow) -> bool:
    """Tell whether dpkg needs the package before it can configure anything: Essential ones and their libraries."""
    [stanza] = deb.paragraphs(deb.control(fetch.path(context.workspace, row))["control"].decode())
    return stanza.get("Essential") == "yes" or stanza.get("Priority") == "required" or row.name.startswith("lib")


def _vcenter_rows(lock: Lock) -> Iterator[Row]:
    sections = lock.sections
    yield sections.toolbox.toolchain
    yield from sections.lab.go
    yield from sections.guest.debs
    yield from _modules(lock)


def _modules(lock: Lock) -> Iterator[locks.DebRow]:
    """Yield the installer's modules that the lab serves and runs.

    Not its kernel: guests run on the machine's own, so the repository's index only names it, as
    mirrors keep the file no longer than its point release.
    """
    yield from (row for row in lock.sections.media.udebs if row.group != _KERNEL)


def _kernels(lock: Lock) -> Iterator[locks.DebRow]:
    yield from (row for row in lock.sections.media.udebs if row.group == _KERNEL)


def _fill_vcenter(context: Context, lock: Lock) -> None:
    root, sections = context.workspace.root, lock.sections
    _fill_go(context, lock, with_tests=False)
    context.copy(root / _GUEST_SHARE, "share")
    for row in _modules(lock):
        context.link(row, f"share/udebs/{row.file_name}")
    for row in (*sections.guest.debs, *_modules(lock)):
        context.link(row, f"mirror/{row.path}")
    _fill_indexes(context, lock)


def _fill_indexes(context: Context, lock: Lock) -> None:
    def index(rows: Iterable[locks.DebRow]) -> str:
        return repository.packages((row, fetch.path(context.workspace, row)) for row in rows)

    kernels = "".join("\n" + repository.named(row) for row in _kernels(lock))
    components = {
        "main": index(lock.sections.guest.debs),
        "main/debian-installer": index(_modules(lock)) + kernels,
    }
    for name, data in repository.indexes(SUITE, "amd64", components).items():
        context.write(f"mirror/{name}", data)


def _fill_go(context: Context, lock: Lock, *, with_tests: bool) -> None:
    context.toolchain(lock.sections.toolbox.toolchain)
    context.goproxy(lock.sections.lab.go)
    source = context.workspace.root / _VCENTER
    for file in sorted(source.rglob("*")):
        if file.is_file() and (with_tests or not is_test(file)):
            context.copy(file, f"vcenter/{file.relative_to(source)}")


def _check_rows(lock: Lock) -> Iterator[Row]:
    yield lock.sections.toolbox.toolchain
    yield from lock.sections.lab.go


def _fill_check(context: Context, lock: Lock) -> None:
    _fill_go(context, lock, with_tests=True)


ALL = (
    Image(
        name="toolbox",
        dockerfile="docker/Dockerfile",
        files=(
            "docker/ansible.cfg",
            "docker/dpkg-exclude.cfg",
            "docker/entry.sh",
            "docker/finish.sh",
            "docker/go",
            "docker/rootfs.sh",
        ),
        rows=_toolbox_rows,
        fill=_fill_toolbox,
    ),
    Image(
        name="lab-guest",
        dockerfile="docker/guest.Dockerfile",
        files=("docker/finish.sh", "docker/rootfs.sh"),
        rows=_guest_base,
        fill=_fill_guest,
    ),
    Image(
        name="lab-vcenter",
        dockerfile="docker/vcenter.Dockerfile",
        files=(_VCENTER, _GUEST_SHARE),
        rows=_vcenter_rows,
        named=_kernels,
        fill=_fill_vcenter,
        reproducible=False,  # its files are the same, but the program's time is that of the build
    ),
    Image(
        name="lab-check",
        dockerfile="docker/vcenter.Dockerfile",
        files=(_VCENTER,),
        rows=_check_rows,
        fill=_fill_check,
        with_tests=True,
        reproducible=False,  # it has no result
    ),
)
"""Every image there is."""


def govc_version(root: Path) -> str:
    """Return the version of govmomi that govc's module requires, which govc reports as its own."""
    text = (root / "docker" / "go" / "govc" / "go.mod").read_text(encoding="utf-8")
    found = re.search(r"github\.com/vmware/govmomi (v\S+)", text)
    return found.group(1) if found else ""
