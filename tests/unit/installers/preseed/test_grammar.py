"""Preseed files are read as the installer reads them, and what would stop it is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import CheckError
from goldsmith.installers.preseed import grammar, questions

ROOT = Path(__file__).resolve().parents[4]
KNOWN = questions.read((ROOT / "kickstart/preseed/questions-13.txt").read_text(encoding="ascii"))


def mistakes(text: str, *required: str) -> str:
    return "\n".join(f"{line}: {what}" for line, what in grammar.problems(text, KNOWN, required))


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z]+/[a-z-]+", fullmatch=True),
            st.from_regex(r"([!-\[\]-~]([ -\[\]-~]{0,40}[!-\[\]-~])?)?", fullmatch=True),
        ),
        max_size=5,
    )
)
def test_what_is_written_is_read_back(pairs: list[tuple[str, str]]) -> None:
    """Any printable value without a backslash arrives unchanged, in order, with its line."""
    text = "".join(f"d-i {question} string {value}\n" for question, value in pairs)
    answers = list(grammar.parse(text))
    assert [(answer.question, answer.value) for answer in answers] == pairs
    assert [answer.line for answer in answers] == list(range(1, len(pairs) + 1))


def test_continued_lines_become_one() -> None:
    """A backslash joins lines by one blank, comments between them fall out, and the first line counts."""
    text = "# start\nd-i preseed/late_command string one; \\\n#no\n\n   two; \\\n  three\nd-i a/b string\n"
    first, second = grammar.parse(text)
    assert (first.value, first.line) == ("one; two; three", 2)
    assert (second.question, second.value) == ("a/b", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "d-i nosuch/question string x", "1: the installer knows no question nosuch/question", id="unknown"
        ),
        pytest.param("d-i pkgsel/includ string x", "did you mean pkgsel/include?", id="misspelt"),
        pytest.param("d-i clock-setup/utc boolean yes", "must be true or false, not 'yes'", id="boolean"),
        pytest.param("d-i clock-setup/utc string true", "is a boolean, not a string", id="type"),
        pytest.param("d-i clock-setup/utc bool true", "is a boolean, not a bool", id="unknown type"),
        pytest.param("d-i pkgsel/upgrade select full", "no choice 'full'", id="choice"),
        pytest.param("d-i keyboard-configuration/xkb-keymap select dj", "no choice 'dj'", id="keyboard"),
        pytest.param(
            "d-i apt-setup/services-select multiselect security, update", "did you mean updates?", id="one of several"
        ),
        pytest.param("d-i\tclock-setup/utc boolean true", "has a tab", id="tab"),
        pytest.param("d-i clock-setup/utc boolean true\r", "has a carriage return", id="CRLF"),
        pytest.param("d-i passwd/user-fullname string Søren", "not ASCII", id="letters"),
        pytest.param("d-i passwd/username string {{ name }}", "placeholder {{", id="placeholder"),
        pytest.param("d-i passwd/username string CHANGEME", "placeholder CHANGEME", id="reminder"),
        pytest.param("d-i clock-setup/utc", "needs at least three words", id="words"),
        pytest.param("di clock-setup/utc boolean true", "the owner di is none of", id="owner"),
        pytest.param("d-i preseed/late_command string a \\", "no line follows", id="open end"),
        pytest.param("d-i preseed/late_command string a \\ \n b", "blanks after \\", id="broken continuation"),
        pytest.param(
            "d-i clock-setup/utc boolean true\nd-i clock-setup/utc boolean false",
            "2: clock-setup/utc is answered in line 1 already",
            id="twice",
        ),
    ],
)
def test_each_mistake_is_found(text: str, expected: str) -> None:
    """Each mistake that debconf's own check lets pass is told with its line."""
    assert expected in mistakes(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("d-i debian-installer/locale string en_US.UTF-8", id="string for select"),
        pytest.param("d-i hw-detect/firmware-lookup string never", id="string for text"),
        pytest.param("d-i apt-setup/services-select multiselect", id="empty choice"),
        pytest.param("d-i passwd/user-password-crypted password $6$a$./XXX/TODO", id="any letters in a hash"),
        pytest.param("d-i finish-install/reboot_in_progress note", id="note"),
        pytest.param("# TODO {{ }} in a comment", id="comment"),
    ],
)
def test_what_is_right_passes(text: str) -> None:
    """What the installer takes is no mistake."""
    assert not mistakes(text)


def test_a_missing_answer_is_a_mistake() -> None:
    """A question that would be asked needs an answer, be it an empty one."""
    assert mistakes("", "netcfg/get_domain") == "0: netcfg/get_domain has no answer; the installer would ask"
    assert not mistakes("d-i netcfg/get_domain string", "netcfg/get_domain")


def test_all_mistakes_in_one_error() -> None:
    """The error lists every mistake with file and line, and never the value of a password."""
    text = "d-i a/b string\nd-i c/d string\nd-i passwd/user-password-crypted string hunter2\n"
    with pytest.raises(CheckError) as caught:
        grammar.check(text, known=KNOWN, name="preseed.cfg", required=())
    told = str(caught.value)
    assert "preseed.cfg:1:" in told
    assert "preseed.cfg:2:" in told
    assert "passwd/user-password-crypted is a password, not a string" in told
    assert "hunter2" not in told


def test_every_required_question_is_known() -> None:
    """The list of questions that need an answer holds none that the installer does not have."""
    assert set(grammar.REQUIRED) <= KNOWN.keys()
