"""Verification: two clones of a candidate are booted, looked at, compared, and destroyed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError, GoldsmithError
from goldsmith.stages.verify import checks as checking
from goldsmith.stages.verify.pair import Timing, booted, names
from goldsmith.stages.verify.request import FOLDER, KEY, Expected, Verification
from goldsmith.tools import junit
from goldsmith.vcenter import marks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from goldsmith.forging import Effects
    from goldsmith.tools.junit import Check
    from goldsmith.vcenter.marks import Template

__all__ = ["KEY", "Expected", "FailedError", "Verdict", "Verification", "names", "verify"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found."""

    template: Template
    checks: tuple[Check, ...]
    seconds: Mapping[str, float]
    """How long booting (until the first boot has ended), checking and destroying took."""
    folder: Path
    """Where the JUnit report and what was seen of each clone are kept."""

    def of(self, outcome: junit.Outcome) -> list[Check]:
        """Return the checks that ended so."""
        return [check for check in self.checks if check.outcome is outcome]

    @property
    def passed(self) -> bool:
        """Whether the candidate may be offered."""
        return not self.of(junit.Outcome.FAILED) and bool(self.of(junit.Outcome.PASSED))


def verify(request: Verification, effects: Effects, *, found: Callable[[Verdict], object] = lambda _: None) -> Verdict:
    """Clone, boot, check and destroy; mark the candidate as verified or failed, and return what was found.

    The clones are gone afterwards, however this ends, unless it fails and
    *keep_failed* is set. An interruption, an unreachable site or a tool that
    fails leave the candidate's mark as it was: nothing was found out. *found* is
    called while the clones are destroyed, whatever the verdict is.

    Raises ``CheckError`` when a clone does not come up or a check fails,
    ``ToolError`` when the checks cannot run.
    """
    folder = request.folder / FOLDER
    timing = Timing(effects.clock)
    try:
        with checking.waiting(request, effects) as look, booted(request, effects, timing) as clones:
            with effects.progress.step("check the clones", "by testinfra in the toolbox, over SSH"), timing("check"):
                looked = look(clones.addresses)
            timing.move(looked.booting, of="check", to="boot")
            verdict = Verdict(template=request.template, checks=looked.checks, seconds=timing.seconds, folder=folder)
            clones.meanwhile = partial(found, verdict)
            _judge(verdict)
    except FailedError as failed:
        _mark(request, effects, marks.FAILED, _reasons(failed.verdict))
        raise
    except CheckError as error:
        _mark(request, effects, marks.FAILED, [f"{error.what}: {error.why.splitlines()[0]}"])
        raise
    _mark(request, effects, marks.VERIFIED, [])
    return verdict


def _judge(verdict: Verdict) -> None:
    if not verdict.passed:
        raise FailedError(verdict)


class FailedError(CheckError):
    """The candidate was looked at, and is not what it must be."""

    def __init__(self, verdict: Verdict) -> None:
        failed = verdict.of(junit.Outcome.FAILED)
        super().__init__(
            f"{verdict.template.name} failed {len(failed)} of {len(verdict.checks)} checks",
            where=f"report: {verdict.folder / 'junit.xml'}",
            why="\n".join(
                line for check in failed for line in (f"- {check.name}: {check.says}", _indent(check.reason))
            ),
            next="the template is marked as failed and is not offered; '--keep-failed' keeps the clones to look at",
        )
        self.verdict = verdict


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[:3])


def _reasons(verdict: Verdict) -> list[str]:
    return [
        f"{check.name}: {(check.reason or check.says).splitlines()[0]}" for check in verdict.of(junit.Outcome.FAILED)
    ]


def _mark(request: Verification, effects: Effects, status: str, reasons: Sequence[str]) -> None:
    try:
        with effects.progress.step(f"mark the template as {status}"), effects.connect() as vcenter:
            template, kept = request.template, request.record()
            if kept:
                template = replace(template, attributes=replace(template.attributes, record=kept))
            marks.judge(vcenter, template, status=status, reasons=reasons, signer=request.signer)
    except GoldsmithError as trouble:
        if status == marks.VERIFIED:
            raise
        # What was found is what to tell; a candidate without a mark is not offered either.
        effects.progress.note(f"{trouble.what}: {request.template.name} could not be marked as {status}")
