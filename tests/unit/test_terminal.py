"""What others wrote is shown, and never carried out: not by a terminal, and not by a CI system."""

from __future__ import annotations

import io
import json
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith import terminal
from goldsmith.errors import ToolError
from goldsmith.host.progress import GitHub, GitLab, Lines
from goldsmith.plan import Inputs, Plan, Stage, Step
from goldsmith.verbs import output

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\x00\x07\x08\t\n\r\x1b\x7f\x85\x9b\u061c\u2028\u202e\u2066\ufeff:#[ ")),
    max_size=40,
) | st.builds(
    "{}{}{}".format,
    st.sampled_from(("", " ", "\t", "x\n", "x\r", "x\x85", "x\u2028")),
    st.sampled_from(
        ("::error::", "::add-mask::e", "##[error]", "##vso[task]", "\x1b[2J", "section_end:1:a\r\x1b[0K", "\x9b31m")
    ),
    st.text(max_size=5),
)
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def harmless(text: str) -> bool:
    """Return whether a line neither controls a terminal nor gives an order to a CI system."""
    orders = text.lstrip().startswith("::") or "##[" in text or "##vso[" in text
    return not orders and not any(unicodedata.category(one) in UNSEEN for one in text)


@given(HOSTILE)
def test_a_line_is_one_line_and_does_nothing(text: str) -> None:
    """Whatever it was made of, it moves no cursor, ends no line, turns no direction, and is no order."""
    assert harmless(terminal.line(text))


@given(HOSTILE)
def test_lines_are_as_harmless_as_one(text: str) -> None:
    """A tool's output keeps its lines, and each of them does nothing."""
    shown = terminal.lines(text)
    assert shown.count("\n") == text.count("\n")
    assert all(map(harmless, shown.split("\n")))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("debian-13 Büro-Netz 中文 a::b #1 [x]", "debian-13 Büro-Netz 中文 a::b #1 [x]"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("\x1b[31mred\x9b0m", "\\x1b[31mred\\x9b0m"),
        ("a\u202eb\u2028c", "a\\u202eb\\u2028c"),
        ("\U000e0041", "\\U000e0041"),
        ("\udcff", "\\udcff"),
        (" ::error::x", " \\x3a:error::x"),
        ("x ##[error]y ##vso[z]", "x \\x23#[error]y \\x23#vso[z]"),
    ],
    ids=["plain", "line ends", "colours", "directions", "tags", "no UTF-8", "GitHub", "Azure"],
)
def test_what_is_shown(text: str, shown: str) -> None:
    """Ordinary text stays as it is; the rest is shown by its number."""
    assert terminal.line(text) == shown


@given(st.recursive(HOSTILE, lambda inner: st.lists(inner) | st.dictionaries(HOSTILE, inner), max_leaves=5))
def test_json_says_the_same_and_does_nothing(data: object) -> None:
    """A program reads back exactly what was there; a terminal that shows it sees no control character."""
    text = terminal.json(json.dumps(data, indent=1, ensure_ascii=False))
    assert json.loads(text) == data
    assert not [one for one in text if one != "\n" and unicodedata.category(one) in UNSEEN]


def noted(listener: Callable[[io.StringIO], Lines], text: str) -> list[str]:
    """Return the lines that come of a note within a step."""
    stream = io.StringIO()
    progress = listener(stream)
    with progress.step("x"):
        stream.truncate(0)
        stream.seek(0)
        progress.note(text)
        progress.status(text)
        found = stream.getvalue()
    return found.removesuffix("\n").split("\n") if found else []


@given(HOSTILE, st.sampled_from((Lines, GitLab, GitHub)))
def test_progress_shows_only_harmless_lines(text: str, listener: Callable[[io.StringIO], Lines]) -> None:
    """A note, whoever wrote what is in it, gives no order to where it is shown."""
    assert all(map(harmless, noted(listener, text)))


def test_the_name_of_a_group_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    """What CI systems are told to fold is named by what others wrote, and stays one line."""
    stream = io.StringIO()
    with GitHub(stream).step("remove x\n::error::y", "z\x1b[2J"):
        pass
    first, *others = stream.getvalue().splitlines()
    assert first == "::group::remove x \\x3a:error::y (z\\x1b[2J)"
    assert [one for one in others if one.lstrip().startswith("::")] == ["::endgroup::"]


@given(HOSTILE, HOSTILE)
def test_an_error_shows_only_harmless_lines(what: str, why: str) -> None:
    """All four parts of an error are shown so, in what is printed as in what is raised."""
    error = ToolError(what, where=why, why=why, next=what)
    for text in (error.render(), str(error)):
        assert all(map(harmless, text.split("\n")))


def test_tables_plans_and_lists_show_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    """A cell is a cell, a reason one line, and a name cannot add a row."""
    name = "vm\n::error::x\x1b[2J\u202e"
    output.table(("name", "why"), [(name, "y")])
    output.lines(name)
    steps = (Step(Stage.BASE, run=True, reason=f"changed since {name}"),)
    stream = io.StringIO()
    output.plan(Plan(image="i", site="s", inputs={"base": Inputs({"a": "0"})}, steps=steps), to=stream)
    shown = (capsys.readouterr().out + stream.getvalue()).removesuffix("\n").split("\n")
    assert len(shown) == 2 + 1 + 2
    assert all(map(harmless, shown))
