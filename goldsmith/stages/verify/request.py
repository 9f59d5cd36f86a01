"""What verification is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from goldsmith.guests.guest import Family, WayIn
    from goldsmith.model import Image, Placement
    from goldsmith.signing import Signer
    from goldsmith.vcenter.marks import Template
    from goldsmith.work import Work

FOLDER = "verify"
LOG = "logs/verify.log"
KEY = "keys/verify"
"""The private half of the clones' key, among the secrets of a build: ``clean`` removes what a killed run left."""
ALIASES = ("clone-1", "clone-2")


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a clone is compared with, besides what the checks know by themselves."""

    packages: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    """Version by package, as the build recorded them."""
    held: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    """Accounts whose password the suite made, and locked."""
    timezone: str = ""
    account: str = ""
    family: Family
    variables: str = ""
    """The playbooks' variables of this build: a file, relative to the repository; empty where there was none."""


@dataclass(frozen=True, kw_only=True)
class Verification:
    """One candidate to verify. Paths lie below *root*, because the toolbox sees nothing else."""

    template: Template
    work: Work
    """This run: its clones carry its id, so that two runs at once do not touch each other's."""
    image: Image
    placement: Placement
    expected: Expected
    way_in: WayIn
    operators_key: str = field(default="", repr=False)
    """The private key to log in to clones with, where they take no key of this run."""
    root: Path
    """The repository."""
    folder: Path
    """The build's folder."""
    host: str = ""
    """This machine's name, for the note of the clones."""
    own_checks: tuple[Path, ...] = ()
    """Further testinfra modules, of the operator."""
    seconds: float = 600.0
    """How long the clones may take to get an address."""
    keep_failed: bool = False
    signer: Signer | None = field(default=None, repr=False)
    """Who signs what is found; nobody where the site has no keys."""
    record: Callable[[], str] = str
    """Returns the digest of the record that was kept meanwhile; empty for none."""
    gone: Callable[[], object] = lambda: None
    """Called when no clone of this run is left."""
