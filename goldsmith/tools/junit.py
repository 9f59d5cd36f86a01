"""Reads what pytest writes about its checks."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from enum import StrEnum

from goldsmith.errors import ToolError


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of one machine, or of several together."""

    name: str
    says: str
    """What holds when it passes, in a sentence."""
    outcome: Outcome
    reason: str = ""
    """Why it failed or was skipped."""
    seconds: float = 0.0


_REASON_LINES = 6


def parse(text: str) -> list[Check]:
    """Return the checks of a JUnit report, in the order they ran.

    Raises ``ToolError`` when *text* is no such report.
    """
    try:
        # The report is written by our own toolbox a moment ago; expat refuses entity bombs by itself.
        root = ET.fromstring(text)  # noqa: S314
        return [_check(case) for case in root.iter("testcase")]
    except (ET.ParseError, ValueError) as error:
        raise ToolError(
            "the checks' report cannot be read",
            why=str(error),
            next="run 'verify' again; its log shows how far pytest came",
        ) from None


def _check(case: ET.Element) -> Check:
    module = case.get("classname", "").rpartition(".")[2].removeprefix("test_")
    name, _, of = case.get("name", "").removeprefix("test_").rstrip("]").partition("[")
    # What a check is run with is quoted as it is: a unit's name may have an underline.
    words = [f"{module}:" if module else "", name.replace("_", " "), f"({of.replace('ssh://', '')})" if of else ""]
    says = next((one.get("value", "") for one in case.iter("property") if one.get("name") == "says"), "")
    outcome, reason = Outcome.PASSED, ""
    for tag, meaning in (("skipped", Outcome.SKIPPED), ("error", Outcome.FAILED), ("failure", Outcome.FAILED)):
        found = case.find(tag)
        if found is not None:
            outcome, reason = meaning, _reason(found, skipped=meaning is Outcome.SKIPPED)
    return Check(
        name=" ".join(filter(None, words)),
        says=says,
        outcome=outcome,
        reason=reason,
        seconds=float(case.get("time") or 0),
    )


def _reason(found: ET.Element, *, skipped: bool) -> str:
    message = found.get("message") or ""
    if skipped:
        return message.strip()
    told = [re.sub(r"^E\s+", "", line) for line in (found.text or "").splitlines() if line.startswith("E ")]
    return "\n".join((told or message.splitlines())[:_REASON_LINES])
