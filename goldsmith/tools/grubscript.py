"""Takes a GRUB configuration apart into its commands, which are neither lines nor words.

A backslash at a line's end continues a command, semicolons and braces end one, quotes and comments hide both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

END_OF_BLOCK = "}"
_BLANKS = " \t\r"
_ENDS = "\n;"


@dataclass(frozen=True)
class Command:
    """One command, and where in the text it stands."""

    start: int
    end: int
    text: str
    """Without the backslashes and line breaks that continue it."""


def commands(text: str) -> Iterator[Command]:
    """Yield the commands of *text*, in their order; the end of a block is one that is ``}``."""
    at = 0
    while at < len(text):
        if text[at] in _BLANKS or text[at] in _ENDS:
            at += 1
        elif text[at] == "#":
            at = _until(text, at, "\n")
        elif _is_brace(text, at):
            if text[at] == END_OF_BLOCK:
                yield Command(at, at + 1, END_OF_BLOCK)
            at += 1
        else:
            end = _end(text, at)
            yield Command(at, end, text[at:end].replace("\\\n", ""))
            at = end


def _end(text: str, at: int) -> int:
    """Return where the command that begins at *at* ends."""
    while at < len(text) and text[at] not in _ENDS:
        word = text[at - 1] in _BLANKS
        if word and (_is_brace(text, at) or text[at] == "#"):
            return at
        at = _after(text, at)
    return min(at, len(text))


def _after(text: str, at: int) -> int:
    """Return where what stands at *at* is over: a character, an escaped one, or a quotation that is closed."""
    character = text[at]
    if character == "\\":
        return at + 2
    if character == "'" and (closed := text.find("'", at + 1)) > 0:
        return closed + 1
    if character == '"':
        found = at + 1
        while found < len(text) and text[found] != '"':
            found += 2 if text[found] == "\\" else 1
        if found < len(text):
            return found + 1
    return at + 1


def _is_brace(text: str, at: int) -> bool:
    """Return whether a brace at *at* stands alone, as those of blocks do and those of variables do not."""
    return text[at] in "{}" and (at + 1 == len(text) or text[at + 1] in f"{_BLANKS}{_ENDS}")


def _until(text: str, at: int, what: str) -> int:
    found = text.find(what, at)
    return len(text) if found < 0 else found
