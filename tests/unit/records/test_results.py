"""One line for each check, with the clones side by side, and no result lost."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from goldsmith.records import results
from goldsmith.records.record import CheckResult
from tests import samples

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.one_of(
    ANY,
    st.sampled_from(
        ["guest: a (clone-1)", "guest: a (clone-2)", "guest: a (clone-1-ssh)", "guest: a (ssh)", "clones: a"]
    ),
)
CHECKS = st.lists(
    st.builds(CheckResult, name=NAMES, says=ANY, outcome=st.sampled_from(results.OUTCOMES), reason=ANY), max_size=12
)


def check(name: str, outcome: str = "passed", reason: str = "", says: str = "It holds.") -> CheckResult:
    return CheckResult.model_validate({"name": name, "says": says, "outcome": outcome, "reason": reason})


@given(CHECKS)
def test_every_result_stands_in_one_line_once(checks: list[CheckResult]) -> None:
    """Whatever the checks are called, and even when two are called the same."""
    found = [cell for row in results.rows(checks) for cell in row.cells.values()]
    assert sorted(map(id, found)) == sorted(map(id, checks))


@given(CHECKS)
def test_what_did_not_pass_is_found_with_its_reason(checks: list[CheckResult]) -> None:
    """No failure and no skip is missing, and failures come first."""
    found = list(results.findings(results.rows(checks)))
    wanted = {(one.outcome, re.sub(r"clone-\d+", "", one.reason)) for one in checks if one.outcome != "passed"}
    assert {(one.outcome, re.sub(r"clone-\d+", "", one.reason)) for one in found} == wanted
    assert [one.outcome for one in found] == sorted(one.outcome for one in found)


def test_both_clones_of_a_check_share_a_line() -> None:
    """The suite's own checks take about half as many lines as results; what was parametrized has a line each."""
    checks = samples.checks("docker")
    rows = results.rows(checks)
    assert results.clones(rows) == ["clone-1", "clone-2"]
    alone = [row for row in rows if set(row.cells) == {""}]
    both = [row for row in rows if set(row.cells) == {"clone-1", "clone-2"}]
    assert {row.group for row in alone} == {"clones"}
    assert len(alone) + len(both) == len(rows)
    assert len(alone) + 2 * len(both) == len(checks)
    assert [row.about for row in both if row.title == "the service runs"] == ["ssh", "open-vm-tools"]


def test_the_worst_of_the_clones_counts_for_the_line() -> None:
    """One clone that failed is a line that failed."""
    [row] = results.rows([check("guest: a (clone-1)"), check("guest: a (clone-2)", "failed")])
    assert row.worst == "failed"


def test_what_both_clones_say_alike_is_said_once() -> None:
    """The clone's own name in a reason is no difference; other differences are told apart by it."""
    same = [check(f"guest: a (clone-{number})", "skipped", "no clock") for number in (1, 2)]
    other = [check(f"guest: b (clone-{number})", "failed", f"not {number}") for number in (1, 2)]
    alike = [check(f"guest: d (clone-{number})", "failed", f"ssh://clone-{number}") for number in (1, 2)]
    rows = results.rows([*same, *other, *alike, check("c", "failed", "x")])
    assert [(one.where, one.reason) for one in results.findings(rows)] == [
        ("clone-1", "not 1"),
        ("clone-2", "not 2"),
        ("both clones", "ssh://clone-1"),
        ("", "x"),
        ("both clones", "no clock"),
    ]


def test_a_check_without_a_sentence_goes_by_its_name() -> None:
    """An operator's own check need not have a docstring; its module is the heading."""
    rows = results.rows([check("mine: the disk is big (clone-1)", says="")])
    assert rows[0].says == "the disk is big"
    assert list(results.grouped(rows)) == ["mine"]
    assert list(results.grouped(results.rows([check("a file (clone-1)")]))) == ["Checks of your own"]
