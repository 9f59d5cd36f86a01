"""Debian and what descends from it, as far as the suite itself has to know."""

from __future__ import annotations

import re
from typing import Any

PURL_TYPE = "deb"
"""The type in a package URL: https://github.com/package-url/purl-spec."""
_GONE = re.compile("[a-z][nc]")
"""dpkg's states of a package that is not installed, whatever it left behind."""


def gone(status: str) -> bool:
    """Return whether a package of this state is not installed."""
    return _GONE.match(status) is not None


def order(version: str) -> tuple[Any, ...]:
    """Return what sorts versions as dpkg does: epoch, upstream's, revision, each in turns of text and number."""
    epoch, _, rest = version.partition(":") if ":" in version else ("0", "", version)
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return tuple(
        tuple((_letters(text), _number(digits)) for text, digits in re.findall(r"([^0-9]*)([0-9]*)", part))
        for part in (epoch, upstream, revision)
    )


def _letters(text: str) -> tuple[int, ...]:
    """Return what sorts a text between numbers: ``~`` before its end, that before letters, these before all else."""
    ranks = (-1 if one == "~" else ord(one) if one.isascii() and one.isalpha() else ord(one) + 256 for one in text)
    return (*ranks, 0)


def _number(digits: str) -> tuple[int, str]:
    # A guest may send a number that is too long for int().
    plain = digits.lstrip("0")
    return len(plain), plain
