"""What a template was made from, and how long each build on the way took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from goldsmith.plan import started
from goldsmith.records.record import stored_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from goldsmith.records.record import Ancestor, Record, Stage

TEMPLATES = {"base": "base template", "docker": "Docker template"}
_SHORTEST, _TENTHS, _MINUTE, _HOUR = 0.1, 10, 60, 3600


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A stage in the timeline; *begin* and *width* are per cent of the longest build."""

    name: str
    lasted: str
    begin: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of the lineage."""

    title: str
    name: str
    link: str
    notes: Sequence[str]
    lasted: str
    bars: Sequence[Bar]


def steps(record: Record, pages: Mapping[str, str]) -> Sequence[Step]:
    """Return the steps from the installer to this template; *pages* are addresses of pages, by build."""
    stages = [*(one.stages for one in record.lineage), record.stages]
    longest = max(map(_total, stages)) or 1
    this = Step(
        title=f"This {TEMPLATES[record.phase]}",
        name=record.template,
        link="",
        notes=[f"built {when(record.built)}"],
        lasted=_lasted(record.stages),
        bars=_bars(record.stages, longest),
    )
    return [*(_ancestor(one, pages, longest) for one in record.lineage), this]


def _ancestor(one: Ancestor, pages: Mapping[str, str], longest: float) -> Step:
    installer = one.kind == "installer"
    return Step(
        title="Installer" if installer else TEMPLATES[one.kind].capitalize(),
        name=one.name,
        link=pages.get(one.build, ""),
        notes=[f"sha256 {one.sha256}"] * bool(one.sha256) if installer else list(_notes(one, pages)),
        lasted=_lasted(one.stages),
        bars=_bars(one.stages, longest),
    )


def _notes(one: Ancestor, pages: Mapping[str, str]) -> Iterator[str]:
    """Yield when a template of the lineage was built, and where there is more about it if not behind a link."""
    if not one.build:
        yield "built on another machine: how long that took is not known here"
        return
    if began := started(one.build):
        yield f"built {began:%Y-%m-%d %H:%M} UTC"
    if not one.sha256:
        yield "not verified by itself on this machine, so there is no page about it"
    elif one.build not in pages:
        yield f"more about it in {stored_as(one.name)}, beside this template's on the datastore"


def _bars(stages: Iterable[Stage], longest: float) -> Sequence[Bar]:
    """Return a bar for each stage, which begins where the one before ends."""
    bars, begin = [], 0.0
    for stage in stages:
        bars.append(
            Bar(
                name=stage.name,
                lasted=duration(stage.seconds),
                begin=100 * begin / longest,
                width=100 * stage.seconds / longest,
            )
        )
        begin += stage.seconds
    return bars


def _total(stages: Iterable[Stage]) -> float:
    return sum(stage.seconds for stage in stages)


def _lasted(stages: Sequence[Stage]) -> str:
    return duration(_total(stages)) if stages else ""


def duration(seconds: float) -> str:
    """Return how long something took, as exactly as it is of use."""
    whole = round(seconds)
    if seconds < _SHORTEST:
        return f"< {_SHORTEST} s"
    if whole < _MINUTE:
        return f"{seconds:.1f} s" if whole < _TENTHS else f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"


def when(moment: str) -> str:
    """Return a record's time for people."""
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
