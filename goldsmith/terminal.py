"""Text of others, made fit for a terminal and a CI log: what controls either is shown instead of carried out.

A virtual machine's name, an event, a guest's console, a tool's output: whoever may write one of them must not be
able to move the cursor, colour or hide what goldsmith says, add lines of its own, or give orders to the CI system.
"""

from __future__ import annotations

import re
import unicodedata
from json import dumps

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of what has an effect and no shape: C0 and C1, writing directions, halves, line ends."""
_BYTE = 0x100
_ORDER = re.compile(r"^(?P<before>\s*)::|##(?=(?:vso)?\[)")
"""What GitHub and Azure obey in a log: ``::error::`` at a line's beginning, ``##[error]`` anywhere in it."""


def line(text: str) -> str:
    r"""Return *text* as one line that does nothing: control characters become ``\xNN`` or ``\uNNNN``."""
    shown = text if text.isprintable() else "".join(map(_shown, text))
    return _ORDER.sub(_disarmed, shown)


def lines(text: str) -> str:
    """Return *text* of several lines, such as a tool's output, with each line as :func:`line` shows it."""
    return "\n".join(line(one.removesuffix("\r").expandtabs()) for one in text.split("\n"))


def json(text: str) -> str:
    """Return JSON that says the same, and holds nothing but what can be seen, and line ends between its parts."""
    return text if text.isprintable() else "".join(map(_written, text))


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    if code < _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - Python's own notation


def _written(character: str) -> str:
    if character == "\n" or unicodedata.category(character) not in _UNSEEN:
        return character
    return dumps(character)[1:-1]


def _disarmed(order: re.Match[str]) -> str:
    # GitLab's marks need no rule of their own: each has an ESC and a carriage return.
    return f"{order['before']}\\x3a:" if order["before"] is not None else "\\x23#"
