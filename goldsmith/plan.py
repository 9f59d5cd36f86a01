"""What would run, and why: pure functions from facts to stages with a reason each."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEY_SHORT = 8
"""How much of a key stands in names: 32 bits, and the time stands beside it."""


class Stage(StrEnum):
    """The stages of a build, in the order they run."""

    TOOLBOX = "toolbox"
    ANSWERS = "answers"
    MEDIA = "media"
    UPLOAD = "upload"
    BASE = "base"
    DOCKER = "docker"


@dataclass(frozen=True)
class Inputs:
    """Everything that decides a phase's result, part by part, each as a sha256."""

    parts: Mapping[str, str]

    @property
    def key(self) -> str:
        """The phase's key: one hash over all parts."""
        return digest(dict(self.parts))

    def summary(self) -> str:
        """Return the parts in short form, as the template carries them beside the key."""
        return " ".join(f"{name}={value[:KEY_SHORT]}" for name, value in sorted(self.parts.items()))

    def changed_since(self, summary: str) -> tuple[str, ...]:
        """Return the names of the parts that differ from an earlier *summary*, sorted."""
        before = dict(part.split("=", 1) for part in summary.split() if "=" in part)
        now = {name: value[:KEY_SHORT] for name, value in self.parts.items()}
        return tuple(sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)))


@dataclass(frozen=True)
class Existing:
    """A finished template of this image and phase, as the site knows it."""

    name: str
    key: str
    inputs: str
    created: datetime
    verified: bool = False


@dataclass(frozen=True)
class Step:
    """One stage of a plan: whether it runs, and the sentence that says why."""

    stage: Stage
    run: bool
    reason: str


@dataclass(frozen=True)
class Plan:
    """The stages of one verb, in order."""

    image: str
    site: str
    steps: tuple[Step, ...]
    inputs: Mapping[str, Inputs]
    """What decides each phase, as it was when the plan was made: whatever is edited since, the build keeps to it."""

    settled: bool = False
    """Whether nothing is left to be done, verification included: the newest Docker host has been verified."""

    @property
    def key(self) -> str:
        """The key of the last phase."""
        return list(self.inputs.values())[-1].key

    @property
    def runs(self) -> bool:
        """Whether anything is to be done beyond having the toolbox."""
        return any(step.run for step in self.steps if step.stage is not Stage.TOOLBOX)

    def as_json(self) -> dict[str, Any]:
        """Return the plan for machines."""
        return {
            "image": self.image,
            "site": self.site,
            "key": self.key,
            "runs": self.runs,
            "stages": [{"stage": step.stage.value, "run": step.run, "reason": step.reason} for step in self.steps],
        }


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a plan is made of."""

    image: str
    site: str
    toolbox: Callable[[], str | None]
    """Returns the reference of the toolbox image when it is built already; asked only when something needs it."""
    rebuild: bool
    max_age: timedelta | None
    now: datetime


def plan_base(inputs: Inputs, existing: Sequence[Existing], facts: Facts) -> Plan:
    """Decide phase 1: nothing runs when the site has a young enough template with the same key."""
    run, reason = _reason(inputs, existing, facts, phase="base")
    return Plan(
        image=facts.image,
        site=facts.site,
        steps=(_toolbox_step(facts.toolbox, needed=run), *_base_steps(reason, run=run)),
        inputs={"base": inputs},
    )


def plan_docker(
    base: Inputs, bases: Sequence[Existing], docker: Inputs, existing: Sequence[Existing], facts: Facts
) -> Plan:
    """Decide both phases: a new base makes a new Docker host, too, since its packages are newer."""
    base_runs, base_reason = _reason(base, bases, facts, phase="base")
    run, reason = _reason(docker, existing, facts, phase="docker")
    if base_runs and not run:
        run, reason = True, "its base is forged again"
    return Plan(
        image=facts.image,
        site=facts.site,
        inputs={"base": base, "docker": docker},
        settled=not run and max(existing, key=lambda template: template.created).verified,
        steps=(
            _toolbox_step(facts.toolbox, needed=run),
            *_base_steps(base_reason, run=base_runs),
            Step(Stage.DOCKER, run, reason),
        ),
    )


def _base_steps(reason: str, *, run: bool) -> tuple[Step, ...]:
    before = {
        Stage.ANSWERS: "the base needs answers with a key of its own",
        Stage.MEDIA: "each build makes its own medium with the answers",
        Stage.UPLOAD: "the medium with the answers is deleted after each build",
    }
    steps = (Step(stage, run, why if run else "the base is up to date") for stage, why in before.items())
    return (*steps, Step(Stage.BASE, run, reason))


def _toolbox_step(toolbox: Callable[[], str | None], *, needed: bool) -> Step:
    if not needed:
        return Step(Stage.TOOLBOX, run=False, reason="nothing needs it")
    if built := toolbox():
        return Step(Stage.TOOLBOX, run=False, reason=f"{built} is built")
    return Step(Stage.TOOLBOX, run=True, reason="no image of this lock is built yet")


def _reason(inputs: Inputs, existing: Sequence[Existing], facts: Facts, *, phase: str) -> tuple[bool, str]:
    if facts.rebuild:
        return True, "--rebuild was given"
    if not existing:
        return True, f"the site has no {phase} template of {facts.image} yet"
    same = [template for template in existing if template.key == inputs.key]
    if not same:
        newest = max(existing, key=lambda template: template.created)
        parts = ", ".join(inputs.changed_since(newest.inputs)) or "its inputs"
        return True, f"changed since {newest.name}: {parts}"
    newest = max(same, key=lambda template: template.created)
    age = facts.now - newest.created
    if facts.max_age is not None and age > facts.max_age:
        return True, f"{newest.name} is {spoken(age)} old, --max-age is {spoken(facts.max_age)}"
    return False, f"{newest.name} has the same key {inputs.key[:KEY_SHORT]} ({spoken(age)} old)"


_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_age(text: str) -> timedelta:
    """Return the time span that *text* (``90m``, ``12h``, ``7d``, ``2w``) means.

    Raises ``ValueError`` when it is no such span.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhdw])", text.strip())
    if not found:
        msg = "an age is a number with a unit: 90m, 12h, 7d or 2w"
        raise ValueError(msg)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def spoken(span: timedelta) -> str:
    """Return *span* in its largest whole unit, as people say it."""
    seconds = max(int(span.total_seconds()), 0)
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if (count := seconds // size) or size == 1:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    raise AssertionError  # the loop always returns at its last unit


def digest(value: object) -> str:
    """Return the sha256 of *value*'s canonical JSON, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def canonical(value: object) -> bytes:
    """Return JSON that is the same for equal values (RFC 8785 for the types used here), to be hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def significant(text: str) -> str:
    """Return *text* without whole-line ``#`` comments and blank lines: they decide no result.

    A first line that names an interpreter stays, and so does anything within a line.
    """
    lines = text.splitlines()
    return "\n".join(
        line
        for index, line in enumerate(lines)
        if line.strip() and (not line.lstrip().startswith("#") or (index == 0 and line.startswith("#!")))
    )


_MOMENT_LENGTH = len("yyyymmdd-hhmmss")


def build_id(key: str, now: datetime) -> str:
    """Return the id of a build started at *now* (UTC): ``<yyyymmdd>-<hhmmss>-<key8>``."""
    return f"{now:%Y%m%d-%H%M%S}-{key[:KEY_SHORT]}"


def started(build_id: str) -> datetime | None:
    """Return when a build began (UTC), as its id tells; nothing for one that was edited so that it names no time."""
    try:
        return datetime.strptime(build_id[:_MOMENT_LENGTH], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
