"""Composing with the real mtools and xorriso of the toolbox."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldsmith.tools import cpio, xorriso
from goldsmith.tools.xorriso import BootImage
from goldsmith.wiring import Session
from tests.composing import Composer

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWERS = {
    "preseed.cfg": cpio.File(b"d-i debian-installer/locale string en_US.UTF-8\n"),
    "goldsmith/late.sh": cpio.File(b"true\n", 0o755),
}


@pytest.fixture
def composer() -> Iterator[Composer]:
    session = Session.here()
    session.workspace.builds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="media-test-") as name:
        yield Composer(session, Path(name))


def test_the_same_inputs_make_the_same_bytes(composer: Composer) -> None:
    """Neither the clock, nor the umask, nor the order of the answers shows in the medium."""
    first = composer(ANSWERS, name="first.iso")
    before = os.umask(0o077)
    try:
        second = composer(dict(reversed(ANSWERS.items())), name="second.iso")
    finally:
        os.umask(before)
    assert (first.sha256, first.size) == (second.sha256, second.size)
    assert composer(ANSWERS | {"more": cpio.File(b"")}).sha256 != first.sha256


def test_the_medium_boots_by_bios_and_by_uefi(composer: Composer) -> None:
    """As xorriso reads it back: both boot images, nothing for hard disks, and the options that would recreate it."""
    medium = composer(ANSWERS)
    session = composer.session
    path = medium.path.relative_to(session.workspace.root).as_posix()
    printed = session.runner.run(xorriso.report(session.toolbox(), path)).stdout
    assert xorriso.boot_images(printed) == (
        BootImage("BIOS", "/isolinux/isolinux.bin"),
        BootImage("UEFI", "/boot/grub/efi.img"),
    )
    varying = ("--modification-date=", "-boot-load-size")
    options = [option for option in xorriso.options(printed) if not option.startswith(varying) and not option.isdigit()]
    assert options == [
        "-V", "GOLDSMITH",
        "-c", "/isolinux/boot.cat",
        "-b", "/isolinux/isolinux.bin", "-no-emul-boot", "-boot-info-table",
        "-eltorito-alt-boot", "-e", "/boot/grub/efi.img", "-no-emul-boot",
    ]  # fmt: skip
    assert "System area summary" not in printed
