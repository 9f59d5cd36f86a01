"""What pytest wrote about its checks is read back, whole and in words."""

from __future__ import annotations

import pytest

from goldsmith.errors import ToolError
from goldsmith.tools.junit import Outcome, parse

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4">
<testcase classname="test_guest" name="test_the_service_runs[ssh://clone-1-run-rpc_pipefs.mount]" time="0.021">
<properties><property name="says" value="It runs."/></properties></testcase>
<testcase classname="test_clones" name="test_the_ids_differ" time="0.001">
<failure message="AssertionError: assert 'a' != 'a'">test_clones.py:3: in test
    assert one != two
E   AssertionError: assert 'a' != 'a'
E    +  more</failure></testcase>
<testcase classname="test_guest" name="test_the_clock" time="0">
<skipped message="a container has none">x</skipped></testcase>
<testcase classname="test_guest" name="test_x" time="0"><error message="fixture broke">no such line</error></testcase>
</testsuite></testsuites>"""


def test_each_outcome_is_read_with_its_reason() -> None:
    """Names are for people, a failure tells pytest's own words, and an error counts as a failure."""
    passed, failed, skipped, broken = parse(REPORT)
    assert (passed.name, passed.says, passed.outcome) == (
        "guest: the service runs (clone-1-run-rpc_pipefs.mount)",
        "It runs.",
        Outcome.PASSED,
    )
    assert passed.seconds == pytest.approx(0.021)
    assert failed.outcome is Outcome.FAILED
    assert [line.strip() for line in failed.reason.splitlines()] == ["AssertionError: assert 'a' != 'a'", "+  more"]
    assert (skipped.outcome, skipped.reason) == (Outcome.SKIPPED, "a container has none")
    assert (broken.outcome, broken.reason) == (Outcome.FAILED, "fixture broke")


@pytest.mark.parametrize("text", ["", "<testsuites>", "no report"])
def test_what_is_no_report_is_told_as_such(text: str) -> None:
    """A report that broke off is an error of the tool, not a passed candidate."""
    with pytest.raises(ToolError, match="cannot be read"):
        parse(text)
