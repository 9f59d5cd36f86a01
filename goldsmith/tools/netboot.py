"""The vendor's part of a Debian boot medium: installer and signed boot loaders, taken out of pinned packages once."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Extract = Callable[[Path, Iterable[str]], Mapping[str, bytes]]
    """Returns the contents of the named files of a package (``goldsmith.toolbox.deb.extract``)."""

KERNEL = "linux"
INITRD = "initrd.gz"
SHIM = "shimx64.efi"
GRUB = "gcdx64.efi"
ISOLINUX = "isolinux.bin"
LDLINUX = "ldlinux.c32"
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Package:
    """A pinned package in the store of downloads."""

    name: str
    path: Path
    sha256: str
    files: Mapping[str, str] = field(default_factory=dict)
    """The sha256 of each of our files that is taken out of it, as the lock has them."""


def wanted(release: str) -> Mapping[str, Mapping[str, str]]:
    """Return, for a Debian *release* (``13``), which files of which package become which of ours."""
    installer = f"usr/lib/debian-installer/images/{release}/amd64/text/debian-installer/amd64"
    return {
        f"debian-installer-{release}-netboot-amd64": {KERNEL: f"{installer}/linux", INITRD: f"{installer}/initrd.gz"},
        "shim-signed": {SHIM: "usr/lib/shim/shimx64.efi.signed"},
        # The build for CD-ROMs: it looks for its configuration on the medium, not beside itself.
        "grub-efi-amd64-signed": {GRUB: "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed"},
        "isolinux": {ISOLINUX: "usr/lib/ISOLINUX/isolinux.bin"},
        "syslinux-common": {LDLINUX: "usr/lib/syslinux/modules/bios/ldlinux.c32"},
    }


def sums(package: str, contents: Mapping[str, bytes], *, release: str) -> dict[str, str]:
    """Return the sha256 of each of our files among a *package*'s *contents*; see :func:`wanted`."""
    files = wanted(release)[package].items()
    return {ours: hashlib.sha256(contents[theirs]).hexdigest() for ours, theirs in files}


def unpacked(
    packages: Iterable[Package], *, release: str, cache: Path, extract: Extract, fetch: Callable[[], object]
) -> Path:
    """Return a folder with the vendor's files, taking them out of *packages* unless that was done before.

    Unpacking takes seconds (the installer's package is 150 MB of xz), so the result is
    kept below *cache*, under a name made of the pins, and compared with the lock each time it is used.
    *fetch* is called before the packages are needed, and only then.

    Raises ``ConfigurationError`` when the lock lacks a package, ``CheckError`` when a
    package is not in the store, is not the pinned one, or lacks a file.
    """
    pins = {package.name: package for package in packages}
    plan = wanted(release)
    if missing := sorted(set(plan) - set(pins)):
        raise ConfigurationError(
            f"a boot medium for Debian {release} cannot be composed",
            where="docker/lock.json, section media",
            why="not locked: " + ", ".join(missing),
            next="choose a release the suite has media for, or add the packages and run 'invoke lock'",
        )
    if unknown := sorted(name for name, files in plan.items() if set(files) != set(pins[name].files)):
        raise ConfigurationError(
            f"a boot medium for Debian {release} cannot be composed",
            where="docker/lock.json, section extracted",
            why="it does not say what must come out of: " + ", ".join(unknown),
            next="'git checkout docker/lock.json' restores the committed lock; 'invoke lock' writes a new one",
        )
    expected = {ours: digest for name in plan for ours, digest in pins[name].files.items()}
    identity = json.dumps([plan, sorted((name, pins[name].sha256) for name in plan)], sort_keys=True)
    folder = cache / "media" / hashlib.sha256(identity.encode()).hexdigest()[:16]
    if not _intact(folder, expected):
        fetch()
        _unpack(folder, plan, pins, extract, release=release)
    return folder


def _intact(folder: Path, expected: Mapping[str, str]) -> bool:
    try:
        return all(sha256(folder / name) == digest for name, digest in expected.items())
    except OSError:
        return False


def _unpack(
    folder: Path, plan: Mapping[str, Mapping[str, str]], pins: Mapping[str, Package], extract: Extract, *, release: str
) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpack-") as name:
        fresh = Path(name) / "files"
        fresh.mkdir()
        for package, members in plan.items():
            _verify(pins[package])
            contents = extract(pins[package].path, members.values())
            if (found := sums(package, contents, release=release)) != pins[package].files:
                raise _other(pins[package], found)
            for ours, theirs in members.items():
                (fresh / ours).write_bytes(contents[theirs])
        shutil.rmtree(folder, ignore_errors=True)
        try:
            fresh.rename(folder)
        except OSError:
            # Another run was faster; what it made is the same, or it is no better than what we found.
            if not _intact(folder, {name: digest for pin in pins.values() for name, digest in pin.files.items()}):
                raise


def _other(package: Package, found: Mapping[str, str]) -> CheckError:
    differ = [name for name, digest in found.items() if digest != package.files[name]]
    return CheckError(
        f"what is in the package {package.name} is not what the lock says",
        where=f"docker/lock.json, section extracted: {', '.join(differ)}",
        why="\n".join(f"{name}: locked {package.files[name]}, found {found[name]}" for name in differ),
        next="'git checkout docker/lock.json' restores the committed lock; 'invoke lock' writes a new one",
    )


def _verify(package: Package) -> None:
    try:
        found = sha256(package.path)
    except FileNotFoundError:
        raise CheckError(
            f"the package {package.name} is not in the store of downloads",
            where=str(package.path),
            why="the boot medium is made of it",
            next="run 'invoke build-image': it fetches what the lock names",
        ) from None
    if found != package.sha256:
        raise CheckError(
            f"the package {package.name} is not the one that was locked",
            where=str(package.path),
            why=f"sha256 is     {found}\nit must be    {package.sha256}",
            next="remove the file and run the command again: it is then fetched again",
        )


def sha256(path: Path) -> str:
    """Return the file's sha256 in hexadecimal, reading it piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
