"""What a program that is started may show and may know: no secret in its arguments, none in its environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from goldsmith.host.redact import Redactor

_OURS = re.compile(r"(VSPHERE|AUTOMATION_USER|GUEST|GOVC|PKR_VAR)_|GOLDSMITH_.*(PASSW|SECRET|TOKEN|KEY)")
"""What the suite itself reads, or gives to a tool in the toolbox in its own way: no child needs these."""
_NETWORK = re.compile(r"([a-z]+_)?proxy|PIP_.*|GO[A-Z]*PROXY", re.IGNORECASE)
"""Who fetches takes the way from these, with its login."""


class VisibleSecretError(AssertionError):
    """A secret would stand where others can read it: a bug of this suite, and no trouble of the operator's."""


def refuse_visible(argv: Iterable[str], env: Mapping[str, str], redact: Redactor) -> None:
    """Raise ``VisibleSecretError`` for a secret in an argument or a variable; standard input is the way for those.

    Process lists show arguments to everybody, and ``docker inspect`` those of a container with its variables.
    """
    argv = tuple(argv)
    for place, text in (*(("argument", word) for word in argv), *env.items()):
        if redact.reveals(text):
            raise VisibleSecretError(f"{argv[0]} would show a secret: {place} {redact(text)}")


def inherited(
    environment: Mapping[str, str], redact: Redactor, *, fetches: bool = False, without: tuple[str, ...] = ()
) -> dict[str, str]:
    """Return what a child gets of *environment*: no secrets, and nothing whose name begins with one of *without*.

    One that *fetches* gets the ways to the network all the same.
    """
    return {
        name: value
        for name, value in environment.items()
        if not _OURS.match(name)
        and not name.startswith(without)
        and ((fetches and _NETWORK.fullmatch(name)) or not redact.reveals(value))
    }
