"""Writes what a build leaves: record, package list, inventory, and a page for people; packs them for the site."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldsmith.host.workspace import write_if_changed
from goldsmith.records import record as records
from goldsmith.records import sbom
from goldsmith.records.changes import Changes, between

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from goldsmith.records.record import Record

RECORD = "record.json"
SBOM = "sbom.cdx.json"
INVENTORY = "inventory.json"
REPORT = "report.html"
ARCHIVE = "record.tar.gz"
_TEMPLATE = Path(__file__).with_name("report.html.j2")
_MARKS = {"passed": "\N{CHECK MARK}", "failed": "\N{BALLOT X}", "skipped": "\N{EN DASH}"}


@dataclass(frozen=True, kw_only=True)
class Previous:
    """The template before this one, as its own record tells."""

    name: str
    inventory: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written, and the digest that the template's attributes carry."""

    record: Record
    digest: str
    archive: Path


def write(
    folder: Path, draft: Record, inventory: Mapping[str, Any], previous: Previous | None = None, *, purl_type: str
) -> Written:
    """Write the record and its companions into the build's *folder*; return them packed as well.

    *draft* lacks the artefacts' hashes, which are filled in here.
    """
    began = datetime.fromisoformat(draft.built).astimezone(UTC)
    texts = {
        INVENTORY: json.dumps(inventory, indent=1, sort_keys=True, ensure_ascii=False) + "\n",
        SBOM: sbom.render(inventory, name=draft.template, version=draft.build, made=began, purl_type=purl_type),
    }
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    record = draft.model_copy(update={"artefacts": hashes})
    texts[RECORD] = records.dump(record)
    digest = records.digest(texts[RECORD])
    texts[REPORT] = report(record, digest=digest, inventory=inventory, previous=previous)
    for name, text in texts.items():
        write_if_changed(folder / name, text)
    write_if_changed(folder / ARCHIVE, packed(texts, moment=int(began.timestamp())))
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


def report(
    record: Record, *, digest: str, inventory: Mapping[str, Any] | None = None, previous: Previous | None = None
) -> str:
    """Return the page about a template: whole in itself, without a script."""
    from jinja2 import Environment, StrictUndefined

    # Everything that is put in is escaped: package names and reasons come from a guest.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    changes = between(previous.inventory, inventory or {}) if previous else Changes()
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        record=record,
        verdict=_verdict(record),
        about=_about(record),
        longest=max((stage.seconds for stage in record.stages), default=0) or 1,
        counts=_counts(record),
        marks=_MARKS,
        previous=previous.name if previous else "",
        changes=changes,
        hashes=_hashes(record, digest),
    )


def _verdict(record: Record) -> str:
    if not record.checks:
        return "not verified"
    failed = sum(check.outcome == "failed" for check in record.checks)
    if not failed:
        return f"{_MARKS['passed']} verified"
    return f"{_MARKS['failed']} failed ({failed} check{'' if failed == 1 else 's'})"


def _counts(record: Record) -> str:
    found = Counter(str(check.outcome) for check in record.checks)
    return ", ".join(f"{found[kind]} {kind}" for kind in _MARKS if found[kind])


def _about(record: Record) -> Sequence[tuple[str, str]]:
    source = record.source
    commit = source.commit + (" with uncommitted changes" if source.dirty else "") if source.commit else "not known"
    return [
        ("image", record.image),
        ("phase", record.phase),
        ("site", record.site),
        ("build", record.build),
        ("built", record.built),
        ("commit", commit),
        ("toolbox", record.toolbox.reference or "not known"),
        *sorted(record.toolbox.tools.items()),
    ]


def _hashes(record: Record, digest: str) -> Sequence[tuple[str, str]]:
    toolbox = [("toolbox image", record.toolbox.config_digest)] if record.toolbox.config_digest else []
    return [
        (RECORD, digest),
        ("key", record.key),
        *sorted((f"key part: {name}", value) for name, value in record.inputs.items()),
        *toolbox,
        *sorted(record.artefacts.items()),
    ]
