"""Everything that is wrong with a configuration, gathered, then told in one error."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goldsmith.errors import MAX_LINES, ConfigurationError
from goldsmith.host.redact import MASK, Redactor, logins, looks_secret

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 60
"""How much of a wrong value an error shows."""
_MOST = MAX_LINES - 10
"""How many problems one error lists; the rest is counted."""


@dataclass
class Problems:
    """Collects problems; raises them all at once."""

    found: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def add(self, where: str, text: str, *, hint: str = "") -> None:
        """Note one problem: *where* it is, what is wrong and what is allowed, and what helps."""
        self.found.append(f"{where}: {text}")
        if hint and hint not in self.hints:
            self.hints.append(hint)

    def raise_if_any(self, *, where: str) -> None:
        """Raise ``ConfigurationError`` with every problem noted so far."""
        if not self.found:
            return
        count = len(self.found)
        listed = self.found[:_MOST] + ([f"... and {count - _MOST} more"] if count > _MOST else [])
        next_step = (
            "\n".join(self.hints[:4]) or "every key and variable is described in docs/reference/configuration.md"
        )
        raise ConfigurationError(
            f"the configuration has {'an error' if count == 1 else f'{count} errors'}",
            where=where,
            why="\n".join(listed),
            next=next_step,
        )


def meant(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` when one of *known* is close to *word*, else nothing."""
    candidates = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), candidates, n=1, cutoff=0.6)
    return f"; did you mean '{candidates[close[0]]}'?" if close else ""


def shown(key: str, value: object) -> str:
    """Return *value* as an error may print it: short, on one line, and masked where it may be a secret."""
    try:
        text, plain = repr(value), str(value)
    except (ValueError, RecursionError):
        return "(a value that is too long or too deep to be shown)"
    if looks_secret(key) or "PRIVATE KEY" in text:
        return MASK
    text = Redactor(logins(plain))(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
