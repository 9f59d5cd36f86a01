"""The questions a Debian installer knows: from its packages' debconf templates to one small file, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ASKED = frozenset({"boolean", "multiselect", "note", "password", "select", "string", "text"})
"""Types that can be preseeded; titles and error messages cannot."""


@dataclass(frozen=True)
class Question:
    """One debconf question."""

    name: str
    type: str
    choices: tuple[str, ...] = ()
    """Of a select or multiselect, where the template lists them itself; empty means any."""


def from_templates(texts: Iterable[str]) -> tuple[Question, ...]:
    """Return the questions of debconf ``templates`` files (RFC 822-like stanzas), sorted by name."""
    found: dict[str, Question] = {}
    for text in texts:
        for stanza in re.split(r"\n\s*\n", text):
            fields = dict(re.findall(r"^(Template|Type|Default|Choices|Choices-C):[ ]*(.*)$", stanza, re.MULTILINE))
            name, kind = fields.get("Template", "").strip(), fields.get("Type", "").strip()
            # A text is mostly a line the installer shows; with a default it is a setting (hw-detect/firmware-lookup).
            if name and kind in ASKED and (kind != "text" or "Default" in fields):
                # Choices-C are the values where Choices are translated descriptions of them.
                choices = fields.get("Choices-C") or fields.get("Choices", "")
                found.setdefault(name, Question(name, kind, _split(choices) if "select" in kind else ()))
    return tuple(found[name] for name in sorted(found))


def registered(scripts: Iterable[str], questions: Iterable[Question]) -> tuple[Question, ...]:
    """Return the questions that scripts make of others' templates (``db_register TEMPLATE QUESTION``), sorted."""
    known = {question.name: question for question in questions}
    found = {}
    for template, name in re.findall(
        r"^\s*db_register ([a-z0-9/_-]+) ([a-z0-9/_-]+)", "\n".join(scripts), re.MULTILINE
    ):
        if template in known and name not in known:
            found[name] = Question(name, known[template].type, known[template].choices)
    return tuple(found[name] for name in sorted(found))


def _split(choices: str) -> tuple[str, ...]:
    if "${" in choices:  # filled in while the installer runs
        return ()
    parts = re.split(r"(?<!\\),\s*", choices.strip())
    return tuple(part.replace("\\,", ",") for part in parts if part)


def write(questions: Iterable[Question]) -> str:
    """Return the file's lines: name, type, and choices, separated by tabs, choices by `` | ``."""
    lines = ("\t".join((item.name, item.type, " | ".join(item.choices))).rstrip() for item in questions)
    return "".join(f"{line}\n" for line in lines)


def read(text: str) -> Mapping[str, Question]:
    """Return the questions of a file that :func:`write` made, by name; ``#`` begins a comment line."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, kind, *rest = line.split("\t")
            found[name] = Question(name, kind, tuple(rest[0].split(" | ")) if rest else ())
    return found
