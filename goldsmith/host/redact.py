"""The one filter through which everything printed or stored passes: secrets become a mask."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, NamedTuple, TextIO, cast
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = "********"
_SHORTEST = 4
"""A shorter secret is masked only where a value stands (``password=abc``): elsewhere it is part of ordinary words."""
_SHORTEST_LINE = 8
"""The same for one line of several, such as the end of a private key."""
_SHORTEST_BASE64 = 6
"""Fewer letters of base64 are found in anything that is encoded."""
_TOKEN = 12
"""A URL's user without a password is a secret when it is this long: a token. Shorter ones are people's names."""
_MIXED, _HALF_MIXED, _LONGER_THAN_NAMES = 8, 12, 20
"""From which length a secret is no ordinary word: of three kinds of characters, of two, and in a name's letters."""
_TELLING = re.compile(r"passw|secret|token|hash|credential|private|crypted", re.IGNORECASE)
_LOGIN = re.compile(r"""(?:(?<=//)(?<!///)(?<!ssh://)|(?<=/\\/)|(?<=ssh://)(?=[^\s/?#@]*:))[^\s/?#"'<>]+@""")
"""Of ssh, where the user is part of the way, only one with a password."""
# No scheme is longer; without a bound, time grows with the square of a text's length.
_URL = re.compile(r"""[A-Za-z][A-Za-z0-9+.-]{0,31}://([^\s/?#"'<>]+)@""")
_BARE_LOGIN = re.compile(r"([^\s/@:]+:\S+)@[A-Za-z0-9.:\[\]-]+/?")
_BOUNDARY = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]+-----")
_BEFORE_VALUE = r"""(?:\A|(?<=[=:>])|(?<=[=:] )|(?<=[=:]["'])|(?<=[=:] ["']))"""
_AFTER_VALUE = r"""(?=["'<,;&@\s]|\Z)"""
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_LETTERS = {"\t": "t", "\n": "n", "\r": "r", "\b": "b", "\f": "f"}
_OTHERWISE = {" ": r"\+", ",": r"%!\(PACKER_COMMA\)", "'": r"""'"'"'|'\\''""", "+": "-", "/": "_"}
"""What forms, Packer's machine-readable output, shells, and base64 in addresses write for a character."""


class _Known(NamedTuple):
    anchor: str
    """Letters that stand in every spelling: searching for them is quick, and mostly in vain."""
    pattern: re.Pattern[str]
    distinct: bool
    """It is too odd to stand anywhere by chance."""


class Redactor:
    """Replaces every secret that it knows; one per run, shared by logs, progress, errors and results."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: dict[str, _Known] = {}
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Learn a secret as it is, in base64, and as JSON, XML, URLs and shells write it; of several lines, each."""
        lines = [line for line in secret.splitlines() if line.strip()]
        shortest = _SHORTEST_LINE if len(lines) > 1 else _SHORTEST
        for line in {*lines, *(line.strip() for line in lines)} - self._known.keys():
            if not _BOUNDARY.fullmatch(line):
                distinct = _is_distinct(line)
                self._known[line] = _known(line, shortest, distinct=distinct)
                self._known |= {core: _known(core, _SHORTEST_BASE64, distinct=distinct) for core in _base64(line)}

    def add_logins(self, texts: Iterable[str]) -> None:
        """Learn the passwords and tokens of every URL in *texts*, and of ``user:password@host``."""
        for secret in (secret for text in texts for secret in logins(text)):
            self.add(secret)

    def __call__(self, text: str) -> str:
        """Return *text* with each known secret masked, and the login of every URL."""
        found = [span for known in self._known.values() if known.anchor in text for span in _spans(known.pattern, text)]
        return without_login(_masked(text, sorted(found)) if found else text)

    def reveals(self, text: str) -> bool:
        """Return whether a secret stands in *text* that stands nowhere by chance, or a URL with a password."""
        known = (one for one in self._known.values() if one.distinct and one.anchor in text)
        return any(one.pattern.search(text) for one in known) or any(":" in login for login in _URL.findall(text))


PROCESS = Redactor()
"""The filter of this process: what a run learns, the last line that it prints still knows."""


def looks_secret(name: str) -> bool:
    """Return whether a name suggests that its value is nobody's business."""
    return _TELLING.search(name) is not None


def without_login(text: str) -> str:
    """Return *text* with the user and password of any URL in it masked."""
    return _LOGIN.sub(f"{MASK}@", text) if "@" in text else text


def logins(text: str) -> Iterator[str]:
    """Yield the passwords and tokens of every URL in *text*, as written and decoded."""
    bare = _BARE_LOGIN.fullmatch(text.strip())
    for info in (*_URL.findall(text), *([bare[1]] if bare and "://" not in text else ())):
        user, colon, password = info.partition(":")
        if secret := password if colon else user if len(user) >= _TOKEN else "":
            yield from dict.fromkeys((secret, unquote(secret)))


def filtered(stream: TextIO, redact: Redactor) -> TextIO:
    """Return *stream* with the filter before it, for whatever writes there without asking: results, tracebacks."""
    return cast("TextIO", _Filtered(stream, redact))


class _Filtered:
    def __init__(self, stream: TextIO, redact: Redactor) -> None:
        self._stream = stream
        self._redact = redact

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._stream.write(self._redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield where *pattern* is found, also within itself: of ``aaaa`` in ``aaaaa`` no letter may be left."""
    match = pattern.search(text)
    while match:
        yield match.span()
        match = pattern.search(text, match.start() + 1)


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    """Put one mask in place of each stretch that *spans* cover, in order; they may overlap."""
    pieces, shown = [], 0
    begin, end = spans[0]
    for start, stop in [*spans[1:], (len(text) + 1, 0)]:
        if start > end:
            pieces += [text[shown:begin], MASK]
            begin, shown = start, end
        end = max(end, stop)
    return "".join([*pieces, text[shown:]])


def _known(secret: str, shortest: int, *, distinct: bool) -> _Known:
    anchor = max(re.findall(r"[A-Za-z0-9]+", secret), key=len, default="")
    body = "".join(_spellings(run) for run in re.findall(r"\\+|[^\\]", secret, re.DOTALL))
    pattern = body if len(secret) >= shortest else _BEFORE_VALUE + body + _AFTER_VALUE
    return _Known(anchor, re.compile(pattern), distinct)


def _is_distinct(secret: str) -> bool:
    """Tell passwords from words, which may stand in any command: they mix capitals, digits and marks, or are long."""
    if re.fullmatch(r"[a-z0-9._/-]+", secret):
        return len(secret) >= _LONGER_THAN_NAMES
    kinds = sum(bool(re.search(kind, secret)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9]"))
    return len(secret) >= (_MIXED if kinds > 2 else _HALF_MIXED if kinds > 1 else _LONGER_THAN_NAMES)  # noqa: PLR2004


def _spellings(run: str) -> str:
    """Return a pattern for a character, or several backslashes, in any encoding that goes character by character."""
    if run.isascii() and run.isalnum():
        return run  # nothing encodes them
    if run[0] == "\\":
        others = "".join(f"(?i:%(?:25)*5c|{_numbered(92)})" for _ in run)
        return rf"(?:\\{{{len(run)},{8 * len(run)}}}|{others})"
    units = run.encode("utf-16-be", "surrogatepass")
    octets = run.encode("utf-8", "surrogatepass")
    ways = [
        rf"\\{{0,8}}{re.escape(run)}",
        "".join(f"%(?:25)*{octet:02x}" for octet in octets),
        "".join(rf"\\{{1,8}}u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)),
        "".join(rf"\\{{1,8}}(?:x{octet:02x}|{octet:03o})" for octet in octets),
        rf"\\{{1,8}}(?:x{ord(run):02x}|U{ord(run):08x})",
        _numbered(ord(run)),
    ]
    ways += [rf"\\{{1,8}}{_LETTERS[run]}"] if run in _LETTERS else []
    ways += [_OTHERWISE[run]] if run in _OTHERWISE else []
    ways += [f"&(?:amp;)*{_NAMED[run][1:]}"] if run in _NAMED else []
    # The longest first: a shell's quote is more than a quotation mark.
    return f"(?i:{'|'.join(reversed(ways))})"


def _numbered(code: int) -> str:
    return f"&(?:amp;)*#(?:0*{code}|x0*{code:x});"


def _base64(secret: str) -> Iterator[str]:
    """Yield what of *secret* is the same in base64 whatever stands around it, for each of its three alignments."""
    data = secret.encode("utf-8", "surrogatepass")
    for before in range(3):
        text = base64.b64encode(bytes(before) + data).decode()
        core = text[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        if len(core) >= _SHORTEST_BASE64:
            yield core
