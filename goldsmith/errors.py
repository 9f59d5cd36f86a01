"""What can go wrong, in four parts, and the exit code each family ends with."""

from __future__ import annotations

from enum import IntEnum

from goldsmith import terminal

MAX_LINES = 40
"""An error fills at most one screen."""


class Exit(IntEnum):
    """Exit codes of every verb; documented in docs/reference/exit-codes.md."""

    DONE = 0
    BUG = 1
    CONFIGURATION = 2
    TOOL = 4
    UNREACHABLE = 5
    CHECK = 6
    REFUSED = 7
    HUNG_UP = 129
    INTERRUPTED = 130
    UNREAD = 141
    TERMINATED = 143


class GoldsmithError(Exception):
    """An expected failure: what happened, where, why, and what to do next.

    Each part is plain text and may have several lines; empty parts are not
    printed. Subclasses fix the exit code, so raising is all a caller does.
    """

    exit_code: Exit = Exit.BUG

    def __init__(self, what: str, *, where: str = "", why: str = "", next: str = "") -> None:  # noqa: A002 - the part's name, as printed
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.next = next

    def render(self, *, max_lines: int = MAX_LINES) -> str:
        """Return the labelled text, with the longest part cut in its middle when it would exceed *max_lines*.

        Much of it was written by others: it is shown as :mod:`goldsmith.terminal` shows that.
        """
        parts = (("what", self.what), ("where", self.where), ("why", self.why), ("next", self.next))
        blocks = {label: terminal.lines(text.strip()).split("\n") for label, text in parts if text.strip()}
        while (excess := sum(map(len, blocks.values())) - max_lines) > 0:
            longest = max(blocks, key=lambda label: len(blocks[label]))
            blocks[longest] = _shorten(blocks[longest], by=excess)
        return "\n".join(
            f"{label + ':' if index == 0 else '':<7}{line}"
            for label, lines in blocks.items()
            for index, line in enumerate(lines)
        )

    def __str__(self) -> str:
        """Return the labelled text."""
        return self.render()


_SHORTEST = 4
"""A shortened part keeps its first line, its last two, and the mark between them."""


def _shorten(lines: list[str], *, by: int) -> list[str]:
    """Drop the middle of *lines*, keeping the beginning (the cause) and the end (the newest)."""
    keep = max(len(lines) - by, _SHORTEST) - 1
    head = keep // 2
    left_out = len(lines) - keep
    return [*lines[:head], f"... ({left_out} lines left out)", *lines[len(lines) - (keep - head) :]]


class ConfigurationError(GoldsmithError):
    """A value, a flag, or a name the operator gave cannot be used."""

    exit_code = Exit.CONFIGURATION


class MissingObjectError(ConfigurationError):
    """Something the configuration names does not exist on the site."""


class ToolError(GoldsmithError):
    """A program that goldsmith runs failed."""

    exit_code = Exit.TOOL


class UnreachableError(GoldsmithError):
    """A vCenter, a Docker engine, or a mirror does not answer, or refuses the login or its TLS."""

    exit_code = Exit.UNREACHABLE


class CheckError(GoldsmithError):
    """Something was compared with what it must be, and differs: a hash, an identity, a verification."""

    exit_code = Exit.CHECK


class RefusedError(GoldsmithError):
    """The request is understood, and not carried out: it would harm, or somebody else is busy with it."""

    exit_code = Exit.REFUSED
