"""The installed system as the later stages see it: what they ask instead of which distribution it is."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from goldsmith.guests.guest import Family


class Packages(Protocol):
    """What a module of this folder, named for its family, says of its packages."""

    PURL_TYPE: str
    """Their type in a package URL: https://github.com/package-url/purl-spec."""

    @staticmethod
    def gone(status: str) -> bool:
        """Return whether a package of this state, as the inventory has it, is not installed."""
        ...

    @staticmethod
    def order(version: str) -> Any:
        """Return what sorts versions: an older one before a newer one."""
        ...


def of(family: Family) -> Packages:
    """Return what is known of a family's packages."""
    return cast("Packages", import_module(f"goldsmith.guests.{family}"))
