"""The one filter through which everything printed or stored passes: secrets become a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "********"
_SHORTEST = 4
"""Shorter values are not masked: they would blank out ordinary words, and no secret is that short."""


class Redactor:
    """Replaces every secret it has been told of; one per run, shared by logs, progress and errors."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Learn a secret; of one that has several lines, each line counts as well."""
        self._secrets |= {part for part in (secret, *secret.splitlines()) if len(part) >= _SHORTEST}

    def __call__(self, text: str) -> str:
        """Return *text* with each known secret masked, longest first so that none shows its tail."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text
