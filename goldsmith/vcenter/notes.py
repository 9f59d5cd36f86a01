"""The note of a machine: whose work it is while it is made, and what it is once it is finished.

The note is the one mark that a machine has from its first moment, because it is a part of the request that creates
it: Packer's, or a verification's. Extra configuration comes a step later, and clones would inherit it for ever. The
note names the machine as well, so that a clone, which inherits notes and has another name, is nobody's work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.work import ID_PATTERN, Work

if TYPE_CHECKING:
    from goldsmith.vcenter.inventory import Machine

_ADVICE = "'clean' removes this machine once nobody works on it"
_ID = ID_PATTERN.pattern
_UNDER_WAY = re.compile(
    rf"goldsmith: (?:build (?P<alone>{_ID}) is under way|run (?P<run>{_ID}) verifies build (?P<build>{_ID}))\n"
    rf"(?:(?P<name>[a-z0-9.-]+) )?began \d{{4}}-\d\d-\d\d \d\d:\d\d UTC on [^\s;]+; {re.escape(_ADVICE)}",
    re.ASCII,
)


@dataclass(frozen=True)
class Claim:
    """What a note says of the machine it was written for."""

    work: Work
    name: str
    """Of the machine; versions before 2026.12 wrote none, so that it is empty."""


def under_way(work: Work, *, name: str, host: str, began: str) -> str:
    """Return the note that a machine called *name* is created with."""
    whose = f"run {work.run} verifies build {work.build}" if work.run else f"build {work.build} is under way"
    where = re.sub(r"[^A-Za-z0-9._-]", "-", host) or "-"
    return f"goldsmith: {whose}\n{name} began {began} on {where}; {_ADVICE}"


def claim(machine: Machine) -> Claim | None:
    """Return what the note of *machine* claims: only the whole text that this suite writes does."""
    found = _UNDER_WAY.fullmatch(machine.note.replace("\r\n", "\n"))
    if found is None:
        return None
    work = Work(found["alone"]) if found["alone"] else Work(found["build"], found["run"])
    return Claim(work, found["name"] or "")
