"""Data for people and machines on stdout: tables, plans, JSON."""

from __future__ import annotations

import json as _json
import sys
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from goldsmith import terminal
from goldsmith.plan import KEY_SHORT, spoken, started
from goldsmith.records.page import size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from goldsmith.plan import Plan
    from goldsmith.stages.verify import Verdict
    from goldsmith.vcenter.belonging import Holdings, Sighting


_ENDLESS = 10_000
"""Columns of what has no width, such as a pipe: rich would take 80 and fold every path."""


def json(data: Any) -> None:
    """Print *data* as JSON: as people read it, or in ASCII where stdout takes no more."""
    plain = not (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    sys.stdout.write(terminal.json(_json.dumps(data, indent=1, ensure_ascii=plain)) + "\n")


def lines(*text: str) -> None:
    """Print lines."""
    sys.stdout.write("\n".join(map(terminal.line, text)) + "\n")


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: with colours on a terminal, and never cut off, so that it can be searched."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        shown.add_column(name, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(terminal.line(cell)) for cell in row))
    wide = None if sys.stdout.isatty() else _ENDLESS
    Console(file=sys.stdout, width=wide, highlight=False).print(shown)


def plan(planned: Plan, *, to: IO[str]) -> None:
    """Print the stages with what happens to each and why."""
    to.write(f"{planned.image} on {planned.site}, key {planned.key[:KEY_SHORT]}\n")
    for step in planned.steps:
        to.write(f"  {'run ' if step.run else 'skip'}  {step.stage.value:<8} {terminal.line(step.reason)}\n")
    to.flush()


def verdict(found: Verdict, *, as_json: bool) -> None:
    """Print what verification found: how many checks passed, and each one that was skipped, with its reason."""
    if as_json:
        json(
            {
                "template": found.template.name,
                "passed": found.passed,
                "seconds": dict(found.seconds),
                "checks": [asdict(check) for check in found.checks],
            }
        )
        return
    lines(*verdict_lines(found))


def verdict_lines(found: Verdict) -> list[str]:
    """Return what verification found as lines: each skipped check with its reason, then how many ended how."""
    skipped = [f"skipped: {check.name}: {check.reason}" for check in found.checks if check.outcome == "skipped"]
    kinds = ("passed", "failed", "skipped")
    counts = [f"{sum(check.outcome == kind for check in found.checks)} {kind}" for kind in kinds]
    return [*skipped, f"{found.template.name}: {', '.join(counts)}"]


def templates(holdings: Holdings, *, image: str, phase: str = "", everywhere: bool = False) -> list[dict[str, Any]]:
    """Return the site's templates as rows, newest last; *everywhere* adds the others, as what they are."""
    from goldsmith.vcenter.belonging import Standing

    found = [(one, *_read(one)) for one in holdings.sightings if everywhere or one.standing is Standing.HERE]
    return [
        {
            "name": one.machine.name,
            "image": told["image"],
            "phase": told["phase"],
            "status": told["status"],
            "reason": told["reason"],
            "parent": told["parent"],
            "size_bytes": one.machine.size_bytes,
            "key": told["key"][:KEY_SHORT],
            "age": spoken(holdings.scope.now - began) if began else "unknown",
            "build": told["build"],
            "commit": told["commit"],
            "standing": one.standing.value,
            "proof": one.proof,
            "why": one.why,
            "folder": holdings.folders.get(one.machine.folder, ""),
        }
        for one, told, began in sorted(found, key=lambda item: item[1]["build"])
        if image in ("", told["image"]) and phase in ("", told["phase"])
    ]


def _read(one: Sighting) -> tuple[dict[str, str], datetime | None]:
    """Return what a template says, as far as it can be read, and when it was built."""
    names = ("image", "phase", "status", "reason", "parent", "key", "build", "commit")
    told = {name: getattr(one.attributes, name, "") for name in names}
    return told, started(told["build"])


def templates_table(rows: Sequence[Mapping[str, Any]], *, everywhere: bool = False) -> None:
    """Print the rows of :func:`templates`."""
    names = ["name", "image", "phase", "status", "key", "age", "parent", "size"]
    names += ["standing", "proof", "folder", "why"] if everywhere else []
    shown = [{**row, "size": size(row["size_bytes"])} for row in rows]
    table(names, [tuple(str(row[name]) for name in names) for row in shown])
