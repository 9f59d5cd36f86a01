"""The vendor's part of a Debian boot medium: installer and signed boot loaders, taken out of pinned packages once."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
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
_SUMS = "sha256.json"
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Package:
    """A pinned package in the store of downloads."""

    name: str
    path: Path
    sha256: str


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


def unpacked(
    packages: Iterable[Package], *, release: str, cache: Path, extract: Extract, fetch: Callable[[], object]
) -> Path:
    """Return a folder with the vendor's files, taking them out of *packages* unless that was done before.

    Unpacking takes seconds (the installer's package is 150 MB of xz), so the result is
    kept below *cache*, under a name made of the pins, and checked each time it is used.
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
    identity = json.dumps([plan, sorted((name, pins[name].sha256) for name in plan)], sort_keys=True)
    folder = cache / "media" / hashlib.sha256(identity.encode()).hexdigest()[:16]
    if not _intact(folder):
        fetch()
        _unpack(folder, plan, pins, extract)
    return folder


def _intact(folder: Path) -> bool:
    try:
        sums: dict[str, str] = json.loads((folder / _SUMS).read_text())
        return all(sha256(folder / name) == expected for name, expected in sums.items())
    except (OSError, ValueError):
        return False


def _unpack(folder: Path, plan: Mapping[str, Mapping[str, str]], pins: Mapping[str, Package], extract: Extract) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpack-") as name:
        fresh = Path(name) / "files"
        fresh.mkdir()
        for package, members in plan.items():
            _verify(pins[package])
            contents = extract(pins[package].path, members.values())
            for ours, theirs in members.items():
                (fresh / ours).write_bytes(contents[theirs])
        sums = {path.name: sha256(path) for path in sorted(fresh.iterdir())}
        (fresh / _SUMS).write_text(json.dumps(sums, indent=1) + "\n")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            fresh.rename(folder)
        except OSError:
            # Another run was faster; what it made is the same, or it is no better than what we found.
            if not _intact(folder):
                raise


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
            next="remove the file and run the command again: it is then fetched anew",
        )


def sha256(path: Path) -> str:
    """Return the file's sha256 in hexadecimal, reading it piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
