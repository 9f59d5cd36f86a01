"""Composes the boot medium of a build: the vendor's installer with this build's answers in its initrd."""

from __future__ import annotations

import contextlib
import errno
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.errors import GoldsmithError, ToolError
from goldsmith.host.workspace import SECRET_MODE
from goldsmith.toolbox import deb
from goldsmith.toolbox.fetch import path as path_of
from goldsmith.tools import bootloader, cpio, initrd, netboot, xorriso
from goldsmith.tools.door import engine_gone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from goldsmith.host.runner import Runner
    from goldsmith.host.workspace import Workspace
    from goldsmith.toolbox.lock import DebRow, Lock
    from goldsmith.tools.door import Door

KERNEL_OPTIONS = (
    # Short for auto-install/enable and debconf/priority: whatever the answers leave open takes its default.
    "auto=true",
    "priority=critical",
    # Plain text on the console, so that a screenshot of a failed install can be read.
    "vga=normal",
)
VOLUME_ID = "GOLDSMITH"

_NO_SPACE = ("No space left on device", "exceeds free space on media", "Disk full")


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a medium is made of, and where it goes."""

    vendor: Path
    """Folder of ``netboot.unpacked``."""
    answers: Mapping[str, cpio.File]
    """What is added to the initrd: path in the installer's root → file."""
    root: Path
    """The repository; *output* lies in it, because the toolbox sees nothing else."""
    output: Path
    epoch: int
    """The lock's date, in seconds since 1970: the date of everything on the medium."""
    kernel_options: tuple[str, ...] = KERNEL_OPTIONS
    log: Path | None = None


@dataclass(frozen=True)
class Medium:
    """A finished boot medium."""

    path: Path
    size: int
    """Bytes."""
    sha256: str


def vendor(lock: Lock, *, release: str, workspace: Workspace, fetch: Callable[[Sequence[DebRow]], object]) -> Path:
    """Return the folder of the vendor's files for a Debian *release*, from the lock's section ``media``.

    *fetch* gets the rows that must be in the store of downloads, unless the files
    were taken out of them before. For the errors see ``netboot.unpacked``.
    """
    rows = [row for row in lock.sections.media.debs if row.name in netboot.wanted(release)]
    packages = [
        netboot.Package(name=row.name, path=path_of(workspace, row), sha256=row.sha256, files=lock.files_of(row))
        for row in rows
    ]
    return netboot.unpacked(
        packages, release=release, cache=workspace.cache, extract=deb.extract, fetch=lambda: fetch(rows)
    )


def files(answers: Mapping[str, Path]) -> Mapping[str, cpio.File]:
    """Return rendered answers (path in the installer's root to the file) as files of its initrd."""
    return {
        name: cpio.File(path.read_bytes(), 0o755 if path.stat().st_mode & 0o100 else 0o644)
        for name, path in answers.items()
    }


def compose(contents: Contents, *, runner: Runner, door: Door) -> Medium:
    """Make the medium; it appears whole, readable for its owner only, or not at all.

    Raises ``ToolError`` when mtools or xorriso fail, or no space is left.
    """
    folder = contents.output.parent
    with _plainly(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".compose-") as name:
            tree = Path(name)
            efi_bytes = _fill(tree, contents)
            what = xorriso.Compose(
                folder=tree.relative_to(contents.root).as_posix(),
                volume_id=VOLUME_ID,
                epoch=contents.epoch,
                efi_bytes=efi_bytes,
            )
            runner.run(xorriso.compose(door, what), log=contents.log)
            made = tree / xorriso.OUTPUT
            made.chmod(SECRET_MODE)
            medium = Medium(contents.output, made.stat().st_size, netboot.sha256(made))
            made.replace(contents.output)
    return medium


def kernel(vendor: Path) -> str:
    """Return the release of the installer's kernel, to be compared with the mirror's modules."""
    return initrd.kernel_release(vendor / netboot.KERNEL)


def _fill(tree: Path, contents: Contents) -> int:
    """Lay out what goes onto the medium; return the bytes that go into its EFI image."""
    iso, efi = tree / xorriso.TREE, tree / xorriso.EFI_TREE
    for folder in (iso / "boot/grub", iso / "isolinux", efi / "EFI/BOOT"):
        folder.mkdir(parents=True)
    copies = {
        netboot.KERNEL: iso / "boot/linux",
        netboot.ISOLINUX: iso / "isolinux/isolinux.bin",
        netboot.LDLINUX: iso / "isolinux/ldlinux.c32",
        # The firmware starts shim under this name; shim starts GRUB under that one.
        netboot.SHIM: efi / "EFI/BOOT/BOOTX64.EFI",
        netboot.GRUB: efi / "EFI/BOOT/grubx64.efi",
    }
    for source, target in copies.items():
        shutil.copyfile(contents.vendor / source, target)
    with (iso / "boot/initrd.gz").open("wb") as file:
        addition = initrd.segment(contents.answers, mtime=contents.epoch)
        initrd.append(contents.vendor / netboot.INITRD, addition, to=file)
    (iso / "isolinux/isolinux.cfg").write_bytes(bootloader.isolinux(contents.kernel_options))
    (iso / "boot/grub/grub.cfg").write_bytes(bootloader.grub(contents.kernel_options))
    return sum(path.stat().st_size for path in efi.rglob("*") if path.is_file())


@contextlib.contextmanager
def _plainly(folder: Path) -> Iterator[None]:
    """Say in plain words that the disk is full, whoever noticed it, or that the engine is gone."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _no_space(folder, str(error)) from None
    except GoldsmithError as error:
        if gone := engine_gone(error.why):
            raise gone from None
        if not any(sign in error.why for sign in _NO_SPACE):
            raise
        raise _no_space(folder, error.why) from None


def _no_space(folder: Path, said: str) -> ToolError:
    telling = dict.fromkeys(line for line in said.splitlines() if any(sign in line for sign in _NO_SPACE))
    why = "\n".join(telling) or said
    with contextlib.suppress(OSError):
        why += f"\n{shutil.disk_usage(folder).free // 1_000_000} MB are free now"
    return ToolError(
        "no space is left to compose the boot medium",
        where=str(folder),
        why=why,
        next="free about 150 MB there and run the command again; nothing half-done was left",
    )
