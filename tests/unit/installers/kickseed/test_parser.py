"""Values survive kickseed's quoting, and what kickseed says is judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import CheckError
from goldsmith.installers.kickseed import parser


def as_a_shell_reads(line: str) -> str:
    """Return the one word that ``eval`` makes of what kickseed hands it, after its sed put backslashes before ``$``."""
    text, out, quoted = line.replace("$", "\\$"), "", False
    letters = iter(text)
    for letter in letters:
        if letter == '"':
            quoted = not quoted
        elif letter == "\\":
            following = next(letters)
            out += following if not quoted or following in '$"\\`' else "\\" + following
        else:
            assert letter != "`"
            assert quoted or not letter.isspace()
            out += letter
    assert not quoted
    return out


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=40))
def test_a_value_is_one_word_again(value: str) -> None:
    """Blanks, quotes, dollars, backslashes, per cent signs and æøå arrive as they were."""
    assert as_a_shell_reads(parser.quote(value)) == value


@pytest.mark.parametrize("value", ["a\nb", "a\r", "\0"])
def test_a_directive_is_one_line(value: str) -> None:
    """A line break would begin another directive: refused."""
    with pytest.raises(ValueError, match="one line"):
        parser.quote(value)


def said(*records: tuple[str, ...]) -> str:
    return "".join("\x1e" + "\x1f".join(record) + "\n" for record in records)


COMPLETE = (*(("answer", "d-i", question, "string", "x") for question in parser.REQUIRED), ("script", "true\nfalse"))


def test_what_kickseed_says_is_read() -> None:
    """Answers, the script with its line breaks, and complaints; the last answer to a question counts."""
    found = parser.verdict(said(*COMPLETE, ("answer", "d-i", "time/zone", "string", "Etc/UTC"), ("complaint", "no")))
    assert found.value("time/zone") == "Etc/UTC"
    assert found.value("never/asked") is None
    assert found.scripts == ("true\nfalse",)
    assert found.complaints == ("no",)


def test_a_file_that_answers_everything() -> None:
    """Nothing ignored, nothing open: no error."""
    parser.judge(parser.verdict(said(*COMPLETE)))


@pytest.mark.parametrize(
    ("records", "words"),
    [
        pytest.param((*COMPLETE, ("complaint", "Unrecognised kickstart command: x")), "Unrecognised", id="unknown"),
        pytest.param(COMPLETE[1:], "has no answer", id="an open question"),
        pytest.param(COMPLETE[:-1], "0 %post scripts", id="no script"),
    ],
)
def test_what_would_not_install(records: tuple[tuple[str, ...], ...], words: str) -> None:
    """Kickseed carries on all the same; here it is an error."""
    with pytest.raises(CheckError, match=words):
        parser.judge(parser.verdict(said(*records)))
