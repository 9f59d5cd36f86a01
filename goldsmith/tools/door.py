"""The door to the toolbox as tools and stages see it: it turns an argv into a command that runs in there."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.runner import Command

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
