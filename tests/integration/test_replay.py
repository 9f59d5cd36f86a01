"""Replaying an ISO with the toolbox's real xorriso: only the boot loaders' words change."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import CheckError, ToolError
from goldsmith.stages import replay as stage
from goldsmith.tools import replay
from goldsmith.wiring import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = ("ks=floppy", "locale=en_US.UTF-8")
ISOLINUX = "timeout 0\nlabel install\n  kernel /install/vmlinuz\n  append initrd=/install/initrd.gz --- quiet\n"
GRUB = 'set timeout=-1\nmenuentry "I" {\n linux /install/vmlinuz quiet ---\n initrd /install/initrd.gz\n}\n'

# Bootable by BIOS from CD and from disk (isohybrid MBR), and by UEFI from CD and from disk (GPT).
VENDOR = """\
set -eu
cd "$1"
mkdir -p tree/isolinux tree/boot/grub tree/install
printf 'kernel' >tree/install/vmlinuz
head -c 3000000 /dev/zero >tree/install/initrd.gz
head -c 4096 /dev/zero >tree/isolinux/isolinux.bin
head -c 432 /dev/zero >mbr.bin
mformat -C -i tree/boot/grub/efi.img -T 2880 -h 2 -s 18 ::
(cd tree && find . -type f ! -path './isolinux/*' -exec md5sum {} + >md5sum.txt)
xorriso -as mkisofs -quiet -r -J -V 'Ubuntu 16.04' -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \
 -boot-load-size 4 -boot-info-table -isohybrid-mbr mbr.bin -eltorito-alt-boot -e boot/grub/efi.img -no-emul-boot \
 -isohybrid-gpt-basdat -o vendor.iso tree
"""


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
    tree = folder / "tree"
    for name, text in (("isolinux/isolinux.cfg", ISOLINUX), ("boot/grub/grub.cfg", GRUB)):
        (tree / name).parent.mkdir(parents=True)
        (tree / name).write_text(text)
    shutil.copy(tree / "boot/grub/grub.cfg", tree / "boot/grub/loopback.cfg")
    session.runner.run(session.toolbox().command(("sh", "-c", VENDOR, "vendor", inside(session, folder))))
    return folder / "vendor.iso"


def make(session: Session, iso: Path, output: Path) -> str:
    request = stage.Request(
        iso=inside(session, iso), words=WORDS, root=session.workspace.root, output=output, epoch=1_700_000_000
    )
    return stage.make(request, runner=session.runner, door=session.toolbox())


def test_a_replayed_iso(session: Session, vendor: Path, folder: Path) -> None:
    """Same bytes each time, same El Torito, MBR and GPT, new words in every configuration, and sums that fit."""
    first, second = (make(session, vendor, folder / f"{name}.iso") for name in ("first", "second"))
    assert first == second
    door = session.toolbox()
    reports = [
        replay.structure(session.runner.run(replay.report(door, inside(session, path))).stdout)
        for path in (vendor, folder / "first.iso")
    ]
    assert reports[0] == reports[1]
    said = " ".join(reports[0])
    assert "BIOS" in said
    assert "UEFI" in said
    assert "GPT" in said

    session.runner.run(replay.extract(door, inside(session, folder / "first.iso"), inside(session, folder / "seen")))
    seen = folder / "seen"
    assert (
        "append initrd=/install/initrd.gz ks=floppy locale=en_US.UTF-8 --- quiet"
        in (seen / "isolinux/isolinux.cfg").read_text()
    )
    for name in ("grub.cfg", "loopback.cfg"):
        text = (seen / "boot/grub" / name).read_text()
        assert "quiet ks=floppy locale=en_US.UTF-8 ---" in text
        assert "set timeout=1" in text
        digest = hashlib.md5((seen / "boot/grub" / name).read_bytes()).hexdigest()  # noqa: S324 - the format's own
        assert f"{digest}  ./boot/grub/{name}" in (seen / "md5sum.txt").read_text()
    assert not list(folder.glob("*.part"))


def test_what_is_no_installers_iso(session: Session, vendor: Path, folder: Path) -> None:
    """A file that is no ISO, one that was cut off, and one of another hash: each is told, and leaves nothing."""
    text = folder / "text.iso"
    text.write_text("hello\n" * 20_000)
    with pytest.raises(CheckError, match="is none"):
        stage.check(text, "0" * 64)
    with pytest.raises(CheckError, match="another one"):
        stage.check(vendor, "0" * 64)
    cut = folder / "cut.iso"
    cut.write_bytes(vendor.read_bytes()[:1_000_000])
    with pytest.raises(CheckError, match="cut off"):
        stage.check(cut, "0" * 64)
    with pytest.raises((CheckError, ToolError)):
        make(session, text, folder / "out.iso")
    assert not (folder / "out.iso").exists()
