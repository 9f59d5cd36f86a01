"""Compares a template with its record, that with what lies beside it, and both with what they were made of."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from goldsmith import signing
from goldsmith.errors import CheckError
from goldsmith.records import record as records
from goldsmith.records.write import INVENTORY, KIND, RECORD, SBOM, SIGNATURE
from goldsmith.vcenter.belonging import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from goldsmith.records.record import Ancestor, Record
    from goldsmith.signing import PublicKey
    from goldsmith.vcenter.belonging import Sighting

_LARGEST = 128 << 20
"""What a record and its companions take unpacked, at most, in bytes."""
_NAMES = (RECORD, SIGNATURE, SBOM, INVENTORY)


class State(StrEnum):
    """What came of a comparison."""

    FITS = "fits"
    CLAIMED = "claimed, not proved"
    """Nothing speaks against it, and nobody has signed it."""
    UNKNOWN = "not known"
    """There is nothing to compare it with."""
    TAMPERED = "tampered with"


@dataclass(frozen=True)
class Finding:
    """One thing that was compared."""

    what: str
    state: State
    why: str


@dataclass(frozen=True)
class Kept:
    """A record and what lies beside it, wherever they are kept."""

    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """The record's sha256, as attributes and later records name it."""
        return hashlib.sha256(self.files.get(RECORD, b"")).hexdigest()


def in_folder(folder: Path) -> Kept | None:
    """Return what a build's folder keeps; nothing where it has no record."""
    found = {name: path.read_bytes() for name in _NAMES if (path := folder / name).is_file()}
    return Kept(found) if RECORD in found else None


def in_archive(data: bytes) -> Kept:
    """Return what an archive of the datastore holds. Raises ``CheckError`` when it is none."""
    try:
        with gzip.open(io.BytesIO(data)) as packed:
            # What is longer is cut off, and then no archive any more.
            plain = packed.read(_LARGEST)
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            members = [one for one in archive.getmembers() if one.isfile() and one.name in _NAMES]
            read = {one.name: stream.read() for one in members if (stream := archive.extractfile(one))}
    except (OSError, EOFError, ValueError, tarfile.TarError) as error:
        raise CheckError("a record's archive cannot be read", why=str(error) or type(error).__name__) from None
    return Kept(read)


def record(name: str, kept: Kept, keys: Sequence[PublicKey]) -> tuple[Record | None, list[Finding]]:
    """Compare a record with its signature, and what lies beside it with it; return it where it can be read."""
    text = kept.files.get(RECORD, b"")
    what = f"record of {name}"
    try:
        read = records.load(text.decode(errors="replace"))
    except CheckError as error:
        return None, [Finding(what, State.TAMPERED, error.why)]
    findings = [_signed(what, text, kept.files.get(SIGNATURE, b""), keys)]
    if not name.endswith(read.build) and name != read.template:
        findings.append(Finding(what, State.TAMPERED, f"it is that of {read.template}, build {read.build}"))
    beside = sorted({SBOM, INVENTORY, *read.artefacts})
    findings += [_artefact(f"{file} of {name}", read.artefacts.get(file, ""), kept.files.get(file)) for file in beside]
    return read, findings


def _signed(what: str, text: bytes, signature: bytes, keys: Sequence[PublicKey]) -> Finding:
    if not keys:
        return Finding(what, State.CLAIMED, "the site names no keys")
    by = signing.signed_by(KIND, text, signature.decode(errors="replace").strip(), keys)
    if by:
        return Finding(what, State.FITS, f"signed by {by}")
    return Finding(what, State.TAMPERED, "its signature does not fit" if signature else "it is not signed")


def _artefact(what: str, sha256: str, content: bytes | None) -> Finding:
    if content is None:
        return Finding(what, State.TAMPERED if sha256 else State.UNKNOWN, "it is not there")
    if hashlib.sha256(content).hexdigest() == sha256:
        return Finding(what, State.FITS, "its sha256 is in the record")
    return Finding(what, State.TAMPERED, "its sha256 is not the one in the record")


def template(name: str, seen: Sighting | None, kept: Kept, read: Record) -> list[Finding]:
    """Compare what a template says of itself with its record."""
    what = f"template {name}"
    if seen is None:
        return [Finding(what, State.TAMPERED, "the vCenter shows no template of this name")]
    if seen.standing in (Standing.FOREIGN, Standing.CLAIMED) or seen.attributes is None:
        return [Finding(what, State.TAMPERED, seen.why)]
    said = seen.attributes
    pairs = {
        "record": (said.record, kept.digest),
        "key": (said.key, read.key),
        "build": (said.build, read.build),
        "image": (said.image, read.image),
        "phase": (said.phase, read.phase),
    }
    if wrong := [f"goldsmith.{one}" for one, (mine, recorded) in pairs.items() if mine != recorded]:
        return [Finding(what, State.TAMPERED, f"{', '.join(wrong)} and its record disagree")]
    return [Finding(what, State.FITS if seen.signer else State.CLAIMED, seen.proof)]


def lineage(
    read: Record, keys: Sequence[PublicKey], pinned: Mapping[str, str], find: Callable[[Ancestor], Kept | None]
) -> Iterator[Finding]:
    """Compare what a template was made of, back to the installer.

    *pinned* is the sha256 of the installers that are known, by name; *find* returns the record of an earlier template.
    """
    for ancestor in read.lineage:
        if ancestor.kind == "installer":
            yield _installer(ancestor, pinned)
            continue
        what, kept = f"{ancestor.kind} {ancestor.name}", find(ancestor)
        if not ancestor.sha256:
            yield Finding(what, State.UNKNOWN, "it had no record when this one was written")
        elif kept is None:
            yield Finding(what, State.UNKNOWN, "its record is not at hand")
        elif kept.digest != ancestor.sha256:
            yield Finding(what, State.TAMPERED, "its record is not the one that this template was made with")
        else:
            base, findings = record(ancestor.name, kept, keys)
            yield from findings
            if base and base.key != ancestor.key:
                yield Finding(what, State.TAMPERED, "its key is not the one that this template was made with")
            yield from lineage(base, keys, pinned, find) if base else ()


def _installer(ancestor: Ancestor, pinned: Mapping[str, str]) -> Finding:
    what = f"installer {ancestor.name}"
    if ancestor.sha256 and ancestor.sha256 in pinned.values():
        return Finding(what, State.FITS, "its sha256 is pinned")
    if ancestor.sha256 and ancestor.name in pinned:
        return Finding(what, State.TAMPERED, "its sha256 is not the pinned one")
    return Finding(what, State.UNKNOWN, "neither lock nor configuration names it")
