"""The door to the toolbox as tools and stages see it: it turns an argv into a command that runs in there."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from goldsmith.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.host.runner import Command

NOTHING: Mapping[str, str] = MappingProxyType({})


class Door(Protocol):
    """Builds commands that run in the toolbox, with the repository as working folder.

    Paths in an argv are therefore relative to the repository.
    """

    def command(
        self, argv: tuple[str, ...], *, env: Mapping[str, str] = NOTHING, secrets: Mapping[str, str] = NOTHING
    ) -> Command:
        """Return the command that runs *argv* with *env*; *secrets* reach its environment, but no argv and no file."""
        ...


def engine_gone(said: str) -> UnreachableError | None:
    """Return the error for what a run printed when the Docker engine, or its image, was not there (any more)."""
    lines = [line.strip() for line in said.splitlines()]
    why = [line for line in lines if re.search(r"Cannot connect to the Docker daemon|error during connect", line)]
    if gone := [line for line in lines if re.search(r"No such image: sha256:", line)]:
        return UnreachableError(
            "the toolbox's image was removed meanwhile",
            why="\n".join(dict.fromkeys(gone)),
            next="run the command again: it builds the image, and finished stages are not repeated",
        )
    if not why:
        return None
    return UnreachableError(
        "the Docker engine does not answer",
        why="\n".join(dict.fromkeys(why)),
        next="start it, then run the command again: finished stages are not repeated",
    )
