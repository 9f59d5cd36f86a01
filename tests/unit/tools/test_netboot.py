"""The vendor's files come out of the pinned packages once, and are checked each time."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import CheckError, ConfigurationError
from goldsmith.tools import netboot
from goldsmith.tools.netboot import Package

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Extractor:
    """Takes a package for a file that names its members' contents, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, path: Path, names: Iterable[str]) -> dict[str, bytes]:
        """Return contents that tell where they come from."""
        self.asked.append(path.name)
        return {name: f"{path.name}:{name}".encode() for name in names}


@pytest.fixture
def packages(tmp_path: Path) -> list[Package]:
    store = tmp_path / "sha256"
    store.mkdir()
    made = []
    for name in netboot.wanted("13"):
        path = store / name
        path.write_bytes(name.encode())
        made.append(pinned(name, path))
    return made


def pinned(name: str, path: Path) -> Package:
    """Return a package as the lock has it, with the sums of what the extractor takes out of it."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    contents = Extractor()(path, netboot.wanted("13")[name].values())
    return Package(name=name, path=path, sha256=digest, files=netboot.sums(name, contents, release="13"))


def test_every_file_of_a_medium_is_taken_from_its_package(packages: list[Package], tmp_path: Path) -> None:
    """Nothing is built here: kernel, initrd and boot loaders are the distribution's, signatures included."""
    folder = netboot.unpacked(packages, release="13", cache=tmp_path, extract=Extractor(), fetch=list)
    shim = "shim-signed:usr/lib/shim/shimx64.efi.signed"
    assert (folder / netboot.SHIM).read_text() == shim
    ours = {netboot.KERNEL, netboot.INITRD, netboot.SHIM, netboot.GRUB, netboot.ISOLINUX, netboot.LDLINUX}
    assert ours <= {path.name for path in folder.iterdir()}


def test_a_second_time_nothing_is_unpacked(packages: list[Package], tmp_path: Path) -> None:
    """Unpacking takes seconds, looking takes a tenth; the packages may even be gone by then."""
    extract, fetched = Extractor(), []
    for _ in range(2):
        netboot.unpacked(
            packages, release="13", cache=tmp_path, extract=extract, fetch=lambda: fetched.append(len(extract.asked))
        )
    assert fetched == [0]
    assert len(extract.asked) == len(packages)


def test_a_damaged_file_is_unpacked_again(packages: list[Package], tmp_path: Path) -> None:
    """What lies in the cache is never believed unseen."""
    folder = netboot.unpacked(packages, release="13", cache=tmp_path, extract=Extractor(), fetch=list)
    good = (folder / netboot.INITRD).read_bytes()
    (folder / netboot.INITRD).write_bytes(good[:-1])
    netboot.unpacked(packages, release="13", cache=tmp_path, extract=Extractor(), fetch=list)
    assert (folder / netboot.INITRD).read_bytes() == good


def test_files_that_were_changed_with_their_sums_are_not_believed(packages: list[Package], tmp_path: Path) -> None:
    """What must come out of a package stands in the lock; nothing that lies beside the files says anything."""
    folder = netboot.unpacked(packages, release="13", cache=tmp_path, extract=Extractor(), fetch=list)
    good = {path.name: path.read_bytes() for path in folder.iterdir()}
    sums = {}
    for name in good:
        (folder / name).write_bytes(b"evil")
        sums[name] = hashlib.sha256(b"evil").hexdigest()
    (folder / "sha256.json").write_text(json.dumps(sums))
    netboot.unpacked(packages, release="13", cache=tmp_path, extract=Extractor(), fetch=list)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == good


def test_a_lock_that_says_something_else_is_told(packages: list[Package], tmp_path: Path) -> None:
    """Sums of other files than those of the package that is locked are a mistake in the lock; none are, too."""
    wrong = [replace(one, files=dict.fromkeys(one.files, "0" * 64)) for one in packages]
    with pytest.raises(CheckError, match="not what the lock says") as caught:
        netboot.unpacked(wrong, release="13", cache=tmp_path, extract=Extractor(), fetch=list)
    assert "0" * 64 in caught.value.why
    without = [replace(one, files={}) for one in packages]
    with pytest.raises(ConfigurationError, match="extracted"):
        netboot.unpacked(without, release="13", cache=tmp_path, extract=Extractor(), fetch=list)


def test_other_pins_go_to_another_folder(packages: list[Package], tmp_path: Path) -> None:
    """Two locks can be used side by side."""
    first = netboot.unpacked(packages, release="13", cache=tmp_path, extract=Extractor(), fetch=list)
    newer = packages[0].path.with_name("newer")
    newer.write_bytes(b"newer")
    renewed = pinned(packages[0].name, newer)
    assert (
        netboot.unpacked([renewed, *packages[1:]], release="13", cache=tmp_path, extract=Extractor(), fetch=list)
        != first
    )


def test_a_package_that_is_not_locked_is_named(packages: list[Package], tmp_path: Path) -> None:
    """The message says which, and that the lock is the place."""
    pins = [package for package in packages if package.name != "shim-signed"]
    with pytest.raises(ConfigurationError, match="not locked: shim-signed") as caught:
        netboot.unpacked(pins, release="13", cache=tmp_path, extract=Extractor(), fetch=list)
    assert "docker/lock.json" in caught.value.where


def test_a_package_that_was_never_fetched_is_named(packages: list[Package], tmp_path: Path) -> None:
    """The message says how to get it."""
    packages[2].path.unlink()
    with pytest.raises(CheckError, match="grub-efi-amd64-signed is not in the store") as caught:
        netboot.unpacked(packages, release="13", cache=tmp_path, extract=Extractor(), fetch=list)
    assert "build-image" in caught.value.next


def test_a_package_with_another_content_is_refused(packages: list[Package], tmp_path: Path) -> None:
    """Both hashes are shown, and nothing half-done stays."""
    packages[1].path.write_bytes(b"tampered")
    with pytest.raises(CheckError, match="not the one that was locked") as caught:
        netboot.unpacked(packages, release="13", cache=tmp_path, extract=Extractor(), fetch=list)
    assert packages[1].sha256 in caught.value.why
    assert not list((tmp_path / "media").iterdir())
