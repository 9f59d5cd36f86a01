"""Writes what a build leaves: record, package list, inventory, and a page for people; packs them for the site."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from goldsmith import guests, signing
from goldsmith.host.workspace import write_if_changed
from goldsmith.records import page, sbom
from goldsmith.records import record as records

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from goldsmith.records.page import Previous
    from goldsmith.records.record import Record
    from goldsmith.signing import Signer

RECORD = "record.json"
KIND = "record"
SBOM = "sbom.cdx.json"
INVENTORY = "inventory.json"
REPORT = "report.html"
SIGNATURE = "record.sig"
"""Over the record, which has the hashes of what lies beside it."""
ARCHIVE = "record.tar.gz"


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written, and the digest that the template's attributes carry."""

    record: Record
    digest: str
    archive: Path


def write(
    folder: Path,
    draft: Record,
    inventory: Mapping[str, Any],
    previous: Previous | None = None,
    signer: Signer | None = None,
) -> Written:
    """Write the record and its companions into the build's *folder*; return them packed as well.

    *draft* lacks the artefacts' hashes, which are filled in here. The page in
    the folder leads to those about the template's base and the one before it;
    the packed one, which may be read anywhere, has no such links.
    """
    began = datetime.fromisoformat(draft.built).astimezone(UTC)
    texts = {
        INVENTORY: json.dumps(inventory, indent=1, sort_keys=True, ensure_ascii=False) + "\n",
        SBOM: sbom.render(
            inventory, name=draft.template, version=draft.build, made=began, purl_type=guests.of(draft.family).PURL_TYPE
        ),
    }
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    record = draft.model_copy(update={"artefacts": hashes})
    texts[RECORD] = records.dump(record)
    if signer:
        texts[SIGNATURE] = signing.sign(KIND, texts[RECORD].encode(), signer) + "\n"
    digest = records.digest(texts[RECORD])
    shown = partial(page.render, record, digest=digest, inventory=inventory, previous=previous)
    for name, text in {**texts, REPORT: shown(pages=_pages(folder, record, previous))}.items():
        write_if_changed(folder / name, text)
    write_if_changed(folder / ARCHIVE, packed({**texts, REPORT: shown()}, moment=int(began.timestamp())))
    return Written(record=record, digest=digest, archive=folder / ARCHIVE)


def packed(texts: Mapping[str, str], *, moment: int) -> bytes:
    """Return a tar.gz of *texts*; the same bytes for the same texts and *moment* (seconds since 1970)."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(texts):
            data = texts[name].encode()
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(data), moment, 0o644
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=moment)


def _pages(folder: Path, record: Record, previous: Previous | None) -> dict[str, str]:
    """Return the addresses of the pages that the one in *folder* can lead to, by build."""
    builds = {one.build for one in record.lineage if one.build} | ({previous.record.build} if previous else set())
    return {build: f"../{build}/{REPORT}" for build in builds if (folder.parent / build / REPORT).is_file()}
