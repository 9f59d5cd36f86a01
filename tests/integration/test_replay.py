"""Replaying an ISO with the toolbox's real xorriso: only the boot loaders' words change."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import CheckError, ToolError
from goldsmith.media import replayed as stage
from goldsmith.media import vendor as vendors_iso
from goldsmith.toolbox import deb
from goldsmith.toolbox.fetch import path as path_of
from goldsmith.tools import bootconfig, replay
from goldsmith.wiring import Session
from tests import vendor as vendors

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = ("ks=floppy", "locale=en_US.UTF-8")
CHANGED = {
    "isolinux/isolinux.cfg": b"timeout 10\n# ui gfxboot",
    "isolinux/txt.cfg": b"append vga=788 initrd=/install/initrd.gz ks=floppy locale=en_US.UTF-8 --- quiet\n",
    "isolinux/adtxt.cfg": b"\tAPPEND priority=low ks=floppy locale=en_US.UTF-8 --\n",
    "boot/grub/grub.cfg": b"file=/cdrom/x.seed quiet ks=floppy locale=en_US.UTF-8 ---\n",
    "boot/grub/loopback.cfg": b"file=/cdrom/x.seed quiet ks=floppy locale=en_US.UTF-8 ---\n",
}
"""What must be in each file that is another one afterwards."""


@pytest.fixture
def session() -> Session:
    return Session.here()


@pytest.fixture
def folder(session: Session) -> Iterator[Path]:
    session.workspace.builds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="replay-test-") as name:
        yield Path(name)


def inside(session: Session, path: Path) -> str:
    return path.relative_to(session.workspace.root).as_posix()


@pytest.fixture
def vendor(session: Session, folder: Path) -> Path:
    return vendors.make(session, folder)


def make(session: Session, iso: Path, output: Path) -> str:
    request = stage.Replay(
        source=iso,
        words=WORDS,
        root=session.workspace.root,
        output=output,
        epoch=1_700_000_000,
    )
    return stage.make(request, runner=session.runner, door=session.toolbox())


def contents(session: Session, iso: Path, to: Path) -> dict[str, bytes]:
    """Return every file of an ISO."""
    script = 'xorriso -osirrox on -indev "$1" -extract / "$2" 2>&1 && chmod -R u+rwX "$2"'
    session.runner.run(
        session.toolbox().command(("sh", "-c", script, "all", inside(session, iso), inside(session, to)))
    )
    return {path.relative_to(to).as_posix(): path.read_bytes() for path in to.rglob("*") if path.is_file()}


def test_a_replayed_iso(session: Session, vendor: Path, folder: Path) -> None:
    """Same bytes each time, same El Torito, MBR and GPT; new words in every configuration, and sums that fit."""
    first, second = (make(session, vendor, folder / f"{name}.iso") for name in ("first", "second"))
    assert first == second
    door = session.toolbox()
    reports = [
        replay.structure(session.runner.run(replay.report(door, inside(session, path))).stdout)
        for path in (vendor, folder / "first.iso")
    ]
    assert reports[0] == reports[1]
    said = "\n".join(reports[0])
    for word in (
        "BIOS  y",
        "UEFI  y",
        "boot-info-table",
        "MBR partition      :   2   0x00  0xef",
        "GPT partition path :   2  /boot/grub/efi.img",
        "System area sha256",
    ):
        assert word in said, said

    old, new = (contents(session, folder / f"{name}.iso", folder / name) for name in ("vendor", "first"))
    assert old.keys() == new.keys()
    differ = {name for name in old if old[name] != new[name]}
    assert differ == {*CHANGED, "md5sum.txt"}
    for name, expected in CHANGED.items():
        assert expected in new[name], new[name]
    assert new["boot/grub/grub.cfg"].startswith(b"set timeout=1\n")
    for line in new["md5sum.txt"].decode().splitlines():
        digest, _, name = line.partition("  ./")
        assert hashlib.md5(new[name]).hexdigest() == digest, name  # noqa: S324 - the format's own
    assert not list(folder.glob("*.part"))


def test_the_menus_of_debians_own_installer(session: Session) -> None:
    """Each entry of the real boot menus - dark, expert, rescue, automatic, spoken - gets the words, once."""
    [row] = [row for row in session.lock.sections.media.debs if "netboot" in row.name]
    session.fetch([row])
    files = {}
    for entry, data in deb.members(path_of(session.workspace, row)):
        if entry.name.endswith("/initrd.gz"):
            break  # all menus come before it, and the rest takes seconds to unpack
        if entry.isreg() and entry.name.endswith(".cfg"):
            files[entry.name.partition("/gtk/")[2]] = data.decode()
    made = bootconfig.edited(files, WORDS)
    assert {name.rsplit("/", 1)[-1] for name in made} >= {"syslinux.cfg", "txt.cfg", "adtxt.cfg", "drk.cfg", "grub.cfg"}
    starts = [
        line for name in made for line in made[name].splitlines() if line.strip().startswith(("append", "linux "))
    ]
    assert len(starts) > 20
    for line in starts:
        assert line.count("ks=floppy") == 1, line
        assert line.index("ks=floppy") < line.index("---"), line
    assert bootconfig.edited({**files, **made}, WORDS) == {}


def test_what_is_no_installers_iso(session: Session, vendor: Path, folder: Path) -> None:
    """A file that is no ISO, one that was cut off, and one of another hash: each is told, and leaves nothing."""
    text = folder / "text.iso"
    text.write_text("hello\n" * 20_000)
    with pytest.raises(CheckError, match="not an ISO image"):
        vendors_iso.check(text, "0" * 64)
    with pytest.raises(CheckError, match="does not match its pinned sha256"):
        vendors_iso.check(vendor, "0" * 64)
    cut = folder / "cut.iso"
    cut.write_bytes(vendor.read_bytes()[:1_000_000])
    with pytest.raises(CheckError, match="cut off"):
        vendors_iso.check(cut, "0" * 64)
    with pytest.raises((CheckError, ToolError)):
        make(session, text, folder / "out.iso")
    assert not (folder / "out.iso").exists()
