"""A medium appears whole, with the answers in its initrd, readable for its owner only; or not at all."""

from __future__ import annotations

import errno
import gzip
import hashlib
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import GoldsmithError, ToolError, UnreachableError
from goldsmith.host.runner import Command, Completed
from goldsmith.media import composed
from goldsmith.toolbox.cpio import entries
from goldsmith.tools import cpio, netboot
from tests.unit.fakes import FakeDoor, FakeRunner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VENDOR_INITRD = gzip.compress(b"vendor")
SECRET = b"d-i passwd/user-password-crypted password $6$salt$hash\n"


class Composer:
    """Stands for mtools and xorriso: looks at the prepared tree, and leaves a file where they leave the medium."""

    def __init__(self, root: Path, then: Callable[[], Completed] | None = None) -> None:
        self.root = root
        self.then = then
        self.tree: dict[str, bytes] = {}
        self.modes: dict[str, int] = {}

    def __call__(self, command: Command) -> Completed:
        """Take the command for the real one."""
        folder = self.root / command.argv[4]
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            self.modes[name] = stat.S_IMODE(path.stat().st_mode)
            if path.is_file():
                self.tree[name] = path.read_bytes()
        self.modes["."] = stat.S_IMODE(folder.stat().st_mode)
        (folder / "medium.iso").write_bytes(b"half of it")
        if self.then:
            return self.then()
        (folder / "medium.iso").write_bytes(b"the medium")
        return Completed(returncode=0, stdout="")


@pytest.fixture
def request_(tmp_path: Path) -> composed.Contents:
    vendor = tmp_path / "cache"
    vendor.mkdir()
    for name in (netboot.KERNEL, netboot.ISOLINUX, netboot.LDLINUX, netboot.SHIM, netboot.GRUB):
        (vendor / name).write_bytes(name.encode())
    (vendor / netboot.INITRD).write_bytes(VENDOR_INITRD)
    return composed.Contents(
        vendor=vendor,
        answers={"preseed.cfg": cpio.File(SECRET), "goldsmith/late.sh": cpio.File(b"true\n")},
        root=tmp_path / "repository",
        output=tmp_path / "repository/build/b/media/b.iso",
        epoch=1_700_000_000,
    )


def _compose(request: composed.Contents, composer: Composer) -> composed.Medium:
    return composed.compose(request, runner=FakeRunner({"sh -c": composer}), door=FakeDoor())


def test_the_tree_has_what_each_firmware_looks_for(request_: composed.Contents) -> None:
    """ISOLINUX and its configuration for BIOS; shim, GRUB and its configuration for UEFI; one kernel for both."""
    composer = Composer(request_.root)
    _compose(request_, composer)
    assert set(composer.tree) == {
        "efi/EFI/BOOT/BOOTX64.EFI",
        "efi/EFI/BOOT/grubx64.efi",
        "iso/boot/grub/grub.cfg",
        "iso/boot/initrd.gz",
        "iso/boot/linux",
        "iso/isolinux/isolinux.bin",
        "iso/isolinux/isolinux.cfg",
        "iso/isolinux/ldlinux.c32",
    }
    assert composer.tree["efi/EFI/BOOT/BOOTX64.EFI"] == netboot.SHIM.encode()
    assert composer.tree["efi/EFI/BOOT/grubx64.efi"] == netboot.GRUB.encode()
    for name in ("iso/boot/grub/grub.cfg", "iso/isolinux/isolinux.cfg"):
        assert b"auto=true priority=critical vga=normal\n" in composer.tree[name]


def test_the_answers_lie_behind_the_vendors_initrd(request_: composed.Contents) -> None:
    """Folders included: without its folder's entry the kernel drops a file."""
    composer = Composer(request_.root)
    _compose(request_, composer)
    initrd = composer.tree["iso/boot/initrd.gz"]
    assert initrd.startswith(VENDOR_INITRD)
    assert [(name, data) for name, _, data in entries(initrd.removeprefix(VENDOR_INITRD))] == [
        ("goldsmith", b""),
        ("goldsmith/late.sh", b"true\n"),
        ("preseed.cfg", SECRET),
    ]


def test_the_medium_is_described_and_only_its_owner_may_read_it(request_: composed.Contents) -> None:
    """It holds a password's hash and the build's key."""
    composer = Composer(request_.root)
    medium = _compose(request_, composer)
    assert medium == composed.Medium(request_.output, 10, hashlib.sha256(b"the medium").hexdigest())
    assert stat.S_IMODE(request_.output.stat().st_mode) == 0o600
    assert composer.modes["."] == 0o700
    assert list(request_.output.parent.iterdir()) == [request_.output]


def _fails(said: str) -> Callable[[], Completed]:
    return lambda: Completed(returncode=1, stdout="", stderr=said)


def _raises(error: BaseException) -> Callable[[], Completed]:
    def fail() -> Completed:
        raise error

    return fail


@pytest.mark.parametrize(
    ("then", "family", "words"),
    [
        (_fails("xorriso : FAILURE : something"), ToolError, "ended with status 1"),
        (_fails("libburn : FATAL : Write error, errno=28: No space left on device"), ToolError, "no space is left"),
        (_fails("xorriso : FAILURE : Image size 27903s exceeds free space on media 0s"), ToolError, "no space is left"),
        (_fails("Disk full"), ToolError, "no space is left"),
        (_raises(OSError(errno.ENOSPC, "No space left on device")), ToolError, "no space is left"),
        (_raises(OSError(errno.EDQUOT, "Disk quota exceeded")), ToolError, "no space is left"),
        (_fails("docker: Cannot connect to the Docker daemon at unix:///x."), UnreachableError, "Docker engine"),
        (_raises(PermissionError(errno.EACCES, "Permission denied")), PermissionError, "Permission denied"),
        (_raises(KeyboardInterrupt("interrupted")), KeyboardInterrupt, "interrupted"),
    ],
)
def test_a_failure_leaves_nothing_and_harms_no_earlier_medium(
    request_: composed.Contents, then: Callable[[], Completed], family: type[BaseException], words: str
) -> None:
    """Neither half a medium nor the tree with the answers stays behind, whatever goes wrong."""
    request_.output.parent.mkdir(parents=True)
    request_.output.write_bytes(b"earlier")
    with pytest.raises(family, match=words) as caught:
        _compose(request_, Composer(request_.root, then))
    assert list(request_.output.parent.iterdir()) == [request_.output]
    assert request_.output.read_bytes() == b"earlier"
    if isinstance(caught.value, GoldsmithError) and "space" in words:
        assert str(request_.output.parent) in caught.value.where
        assert "MB are free now" in caught.value.why


def test_a_missing_vendor_file_is_no_full_disk(request_: composed.Contents) -> None:
    """Only what is about space is told as such."""
    (request_.vendor / netboot.SHIM).unlink()
    with pytest.raises(FileNotFoundError):
        _compose(request_, Composer(request_.root))


def test_more_kernel_options_reach_both_boot_loaders(request_: composed.Contents) -> None:
    """The boot test adds a log host this way."""
    composer = Composer(request_.root)
    _compose(replace(request_, kernel_options=("auto=true", "log_host=10.0.2.2")), composer)
    assert b"auto=true log_host=10.0.2.2" in composer.tree["iso/boot/grub/grub.cfg"]
    assert b"auto=true log_host=10.0.2.2" in composer.tree["iso/isolinux/isolinux.cfg"]


def test_answers_are_read_as_they_were_rendered(tmp_path: Path) -> None:
    """Modes become the two an installer needs, so that no umask changes the medium."""
    (tmp_path / "goldsmith").mkdir()
    (tmp_path / "preseed.cfg").write_bytes(SECRET)
    script = tmp_path / "goldsmith/run"
    script.write_bytes(b"#!/bin/sh\n")
    script.chmod(0o700)
    (tmp_path / "preseed.cfg").chmod(0o600)
    assert composed.files(
        {path.relative_to(tmp_path).as_posix(): path for path in (script, tmp_path / "preseed.cfg")}
    ) == {
        "goldsmith/run": cpio.File(b"#!/bin/sh\n", 0o755),
        "preseed.cfg": cpio.File(SECRET, 0o644),
    }
