"""What phase 2, verification, the seal and the record ask of an installed system."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Version = tuple[int, int]


class Family(StrEnum):
    """How a guest's packages are managed. Each has one place in ``guests/``, ``ansible/`` and ``verify/families/``."""

    APT = "apt"


class WayIn(StrEnum):
    """How a build and an operator log in to a clone."""

    CLOUD_INIT = "cloud-init"
    """A key that the clone is given through guestinfo."""
    OPERATORS_KEY = "operators-key"
    """A key of the operator's that is in the template: clones read no guestinfo."""


@dataclass(frozen=True, kw_only=True)
class Guest:
    """The system that an installer leaves."""

    family: Family
    always: tuple[str, ...]
    """Packages that every image of this installer has, besides those it lists."""
    way_in: WayIn
    finish_script: Path
    """The script that runs last on a base, as root over SSH: it makes the machine ready to be cloned."""
    python: Version
    """Of the system's own Python 3, in which Ansible's modules run."""
