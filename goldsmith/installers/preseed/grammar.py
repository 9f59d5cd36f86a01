"""Reads preseed files as the Debian installer does, and finds what would stop an unattended installation.

``debconf-set-selections --checkonly`` passes unknown questions, unknown types and
bad values; the installer then asks, and nobody answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from goldsmith.installers.preseed.questions import Question

OWNERS = frozenset({"d-i", "debconf", "popularity-contest", "tasksel"})
REQUIRED = (
    "debian-installer/locale",
    "keyboard-configuration/xkb-keymap",
    "netcfg/choose_interface",
    "netcfg/get_hostname",
    "netcfg/get_domain",
    "hw-detect/load_firmware",
    "hw-detect/firmware-lookup",
    "mirror/country",
    "mirror/http/hostname",
    "mirror/http/directory",
    "mirror/http/proxy",
    "mirror/suite",
    "passwd/root-login",
    "passwd/make-user",
    "passwd/user-fullname",
    "passwd/username",
    "passwd/user-password-crypted",
    "clock-setup/utc",
    "clock-setup/ntp",
    "time/zone",
    "partman-auto/method",
    "partman-auto/choose_recipe",
    "partman-auto-lvm/guided_size",
    "partman-auto-lvm/new_vg_name",
    "partman-lvm/device_remove_lvm",
    "partman-lvm/confirm",
    "partman-lvm/confirm_nooverwrite",
    "partman-partitioning/confirm_write_new_label",
    "partman/choose_partition",
    "partman/confirm",
    "partman/confirm_nooverwrite",
    "apt-setup/services-select",
    "pkgsel/run_tasksel",
    "pkgsel/upgrade",
    "popularity-contest/participate",
    "grub-installer/only_debian",
    "grub-installer/bootdev",
    "finish-install/reboot_in_progress",
)
"""What an installation to a disk with LVM asks; each needs an answer, if only an empty one."""

_LOOSE = {"select": "string", "multiselect": "string", "text": "string"}
"""Types whose answers may also be written as the other: the installer's own examples do."""
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{%|%\}|@@|<[A-Z_]{3,}>|\b(?:CHANGEME|TODO|FIXME|XXX)\b")


@dataclass(frozen=True)
class Answer:
    """One answer of a preseed file."""

    owner: str
    question: str
    type: str
    value: str
    line: int
    """Where it begins, counted from 1."""


def parse(text: str) -> Iterator[Answer]:
    """Yield the answers of *text*; a backslash at a line's end joins it with the next by one blank.

    Lines with fewer than three words yield an answer with empty parts, for :func:`problems` to find.
    """
    joined, start = "", 0
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip(" \t\r")
        if not line or raw.startswith("#"):
            continue
        start = start if joined else number
        joined = f"{joined} {line}" if joined else line
        if joined.endswith("\\"):
            joined = joined[:-1].rstrip(" \t")
            continue
        yield _answer(joined, start)
        joined = ""
    if joined:
        yield _answer(joined, start)


def _answer(line: str, number: int) -> Answer:
    parts = [*re.split(r"[ \t]+", line, maxsplit=3), "", "", ""]
    return Answer(owner=parts[0], question=parts[1], type=parts[2], value=parts[3], line=number)


def check(text: str, *, known: Mapping[str, Question], name: str, required: Iterable[str] = REQUIRED) -> None:
    """Raise ``CheckError`` with everything in *text* that the installer would stop or stumble at."""
    found = [f"{name}:{line}: {what}" if line else f"{name}: {what}" for line, what in problems(text, known, required)]
    if found:
        raise CheckError(
            f"{name} would not install unattended" + (f" ({len(found)} mistakes)" if len(found) > 1 else ""),
            where=name,
            why="\n".join(found[:30] + ([f"... and {len(found) - 30} more"] if len(found) > 30 else [])),  # noqa: PLR2004 - fits an error's screen
            next="correct the template in kickstart/preseed/, or the value it takes from config/",
        )


def problems(text: str, known: Mapping[str, Question], required: Iterable[str]) -> list[tuple[int, str]]:
    """Return every mistake as line and sentence, in the file's order; those of the whole file come last, as line 0."""
    answers = list(parse(text))
    found = list(_of_text(text))
    first: dict[str, Answer] = {}
    for answer in answers:
        found += [(answer.line, what) for what in _of_answer(answer, known)]
        if answer.question in first:
            found.append((answer.line, f"{answer.question} is answered in line {first[answer.question].line} already"))
        first.setdefault(answer.question, answer)
    missing = [
        (0, f"{question} has no answer; the installer would ask") for question in required if question not in first
    ]
    return [*sorted(found), *missing]


def _of_text(text: str) -> Iterator[tuple[int, str]]:
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if "\r" in line:
            yield number, "has a carriage return; lines end with a newline alone"
        if "\t" in line:
            yield number, "has a tab; words are separated by blanks"
        if not line.isascii():
            yield number, "has a character that is not ASCII; the installer's console and shell would garble it"
        # A crypted password may hold any letters.
        if not line.startswith("#") and "password" not in line and (placeholder := _PLACEHOLDER.search(line)):
            yield number, f"has the placeholder {placeholder[0]}, which was never replaced"
        if line.endswith("\\") and (number == len(lines) or not lines[number].strip()):
            yield number, "continues with \\, and no line follows"
        if re.search(r"\\\s+$", line):
            yield number, "has blanks after \\, so the next line is not joined"


def _of_answer(answer: Answer, known: Mapping[str, Question]) -> Iterator[str]:
    if not answer.type:
        yield "needs at least three words: owner, question, type"
        return
    if answer.owner not in OWNERS:
        yield f"the owner {answer.owner} is none of {', '.join(sorted(OWNERS))}"
    question = known.get(answer.question)
    if question is None:
        yield f"the installer knows no question {answer.question}{_meant(answer.question, known)}"
    elif answer.type not in {question.type, _LOOSE.get(question.type)}:
        yield f"{answer.question} is a {question.type}, not a {answer.type}"
    else:
        yield from _of_value(answer, question)


def _of_value(answer: Answer, question: Question) -> Iterator[str]:
    if question.type == "boolean" and answer.value not in {"true", "false"}:
        yield f"{answer.question} must be true or false, not '{answer.value}'"
    values = answer.value.split(", ") if question.type == "multiselect" else [answer.value]
    for value in values:
        if question.choices and value and value not in question.choices:
            yield f"{answer.question} has no choice '{value}'{_meant(value, question.choices)}"


def _meant(word: str, known: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f"; did you mean {close[0]}?" if close else ""
