"""The page about a template, for people who decide: whole in itself, without a script.

Everything here chooses and words what the page shows; its looks are the template's.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from goldsmith.plan import KEY_SHORT, spoken
from goldsmith.records import lineage, results
from goldsmith.records.changes import Changes, Kind, between, contents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from goldsmith.guests.guest import Family
    from goldsmith.records.changes import Change, Contents
    from goldsmith.records.record import Record

_TEMPLATE = Path(__file__).with_name("report.html.j2")
NOTHING: Mapping[str, str] = MappingProxyType({})
_SHORT, _MOST = 8, 12
"""How many changes of a kind are shown at once; with the most, nothing is folded."""
_MEGABYTE = 1_000_000
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Characters that hide or reorder others without being seen: controls, and marks of direction and width."""


@dataclass(frozen=True, kw_only=True)
class Previous:
    """The verified template before this one."""

    record: Record
    contents: Contents


@dataclass(frozen=True, kw_only=True)
class Section:
    """How one kind of thing changed."""

    title: str
    total: int
    """How many there are now."""
    rows: Sequence[Change]
    """What deserves most attention comes first."""

    @property
    def counts(self) -> Sequence[tuple[Kind, int]]:
        """How many changed in each way."""
        found = Counter(row.kind for row in self.rows)
        return [(kind, found[kind]) for kind in Kind if found[kind]]

    @property
    def shown(self) -> Sequence[Change]:
        """The changes that are shown at once."""
        return self.rows if len(self.rows) <= _MOST else self.rows[:_SHORT]

    @property
    def folded(self) -> Sequence[Change]:
        """The others."""
        return self.rows[len(self.shown) :]


def render(
    record: Record,
    *,
    digest: str,
    inventory: Mapping[str, Any],
    previous: Previous | None = None,
    pages: Mapping[str, str] = NOTHING,
) -> str:
    """Return the page; *pages* are the addresses of the pages about other templates, by build."""
    from jinja2 import Environment, StrictUndefined

    # Everything that is put in is escaped: package names and reasons come from a guest.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, finalize=visible, trim_blocks=True, lstrip_blocks=True
    )
    rows = results.rows(record.checks)
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        record=record,
        kind=lineage.TEMPLATES[record.phase],
        when=lineage.when(record.built),
        verdict=_verdict(record),
        compared=_compared(record, previous.record, pages) if previous else None,
        sections=_sections(inventory, previous, record.family),
        size=_grown(record, previous),
        findings=list(results.findings(rows)),
        clones=results.clones(rows),
        groups=results.grouped(rows),
        lineage=lineage.steps(record, pages),
        about=_about(record),
        hashes=_hashes(record, digest),
    )


def visible(value: Any) -> Any:
    """Return a text with each character that would hide or reorder others spelt out; other values as they are."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)
    return value


def size(count: int) -> str:
    """Return a number of bytes as people say it; nothing where none is known, as in a lab."""
    if count < _MEGABYTE:
        return ""
    gigabytes = count / 1e9
    return f"{gigabytes:.1f} GB" if gigabytes >= 1 else f"{count / _MEGABYTE:.0f} MB"


def _verdict(record: Record) -> Mapping[str, str]:
    if not record.checks:
        return {"outcome": "skipped", "says": "Not verified", "counts": "No clone of it was checked."}
    found = Counter(str(check.outcome) for check in record.checks)
    counts = ", ".join(f"{found[kind]} {kind}" for kind in results.OUTCOMES if found[kind])
    return {
        "outcome": "passed" if record.verified else "failed",
        "says": "Verified" if record.verified else "Failed",
        "counts": f"Checks of two clones: {counts}.",
    }


def _sections(inventory: Mapping[str, Any], previous: Previous | None, family: Family) -> Sequence[Section]:
    now, order = contents(inventory, family), list(Kind).index
    changes = between(previous.contents, now, family) if previous else Changes()
    found = [
        ("Packages", now.packages, changes.packages),
        ("Units", now.units, changes.units),
        ("Files in /etc", now.files, changes.files),
        ("Container images", now.images, changes.images),
    ]
    return [
        Section(title=title, total=len(there), rows=sorted(rows, key=lambda row: order(row.kind)))
        for title, there, rows in found
        if there or rows
    ]


def _compared(record: Record, before: Record, pages: Mapping[str, str]) -> Mapping[str, str]:
    """Return what is to be known of the template *before*, with which this one is compared."""
    now, then = ({name: value[:KEY_SHORT] for name, value in one.inputs.items()} for one in (record, before))
    names = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    return {
        "name": before.template,
        "link": pages.get(before.build, ""),
        "age": spoken(datetime.fromisoformat(record.built) - datetime.fromisoformat(before.built)),
        "inputs": ", ".join(names),
    }


def _grown(record: Record, previous: Previous | None) -> Mapping[str, str]:
    """Return the size now, and how much that is more or less than before where both are known."""
    now, before = record.size_bytes, previous.record.size_bytes if previous else 0
    if not (size(now) and size(before)):
        return {"now": size(now), "change": ""}
    by = size(abs(now - before))
    return {"now": size(now), "change": f"{by} {'more' if now > before else 'less'}" if by else "as before"}


def _about(record: Record) -> Sequence[tuple[str, str]]:
    return [
        ("image", record.image),
        ("phase", record.phase),
        ("site", record.site),
        ("build", record.build),
        ("built", lineage.when(record.built)),
        ("commit", _commit(record)),
        ("toolbox", record.toolbox.reference or "not known"),
        *sorted(record.toolbox.tools.items()),
    ]


def _commit(record: Record) -> str:
    source = record.source
    return source.commit + (" with uncommitted changes" if source.dirty else "") if source.commit else "not known"


def _hashes(record: Record, digest: str) -> Sequence[tuple[str, str]]:
    toolbox = [("toolbox image", record.toolbox.config_digest)] if record.toolbox.config_digest else []
    return [
        ("record.json", digest),
        ("key", record.key),
        *sorted((f"key part: {name}", value) for name, value in record.inputs.items()),
        *((f"key of its {lineage.TEMPLATES[one.kind]}", one.key) for one in record.lineage if one.key),
        *toolbox,
        *sorted(record.artefacts.items()),
    ]
