"""How long the stages of builds took: kept in each build's folder, and told of the next one."""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING

from goldsmith.workspace import write_if_changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FILE = "times.json"
_REMEMBERED = 5
"""Older builds ran on other days, of other sizes."""


def note(folder: Path, stage: str, seconds: float) -> None:
    """Keep that *stage* of the build in *folder* took so many seconds; a repeated stage counts by its last time."""
    known = {name: value for name, value in read(folder).items() if name != stage}
    write_if_changed(folder / FILE, json.dumps({**known, stage: round(seconds, 3)}, indent=1) + "\n")


def read(folder: Path) -> Mapping[str, float]:
    """Return the seconds of each stage, in the order they ran; nothing where none were kept."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return {str(name): float(value) for name, value in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def usual(folders: Iterable[Path], stage: str) -> float | None:
    """Return how many seconds *stage* usually takes, by the newest of *folders* (the oldest first) that knew it."""
    known = [seconds for folder in folders if (seconds := read(folder).get(stage)) is not None]
    return statistics.median(known[-_REMEMBERED:]) if known else None
