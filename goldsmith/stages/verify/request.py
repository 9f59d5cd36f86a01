"""What verification is asked, and its ways out of the suite."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from goldsmith.progress import Progress
    from goldsmith.runner import Runner
    from goldsmith.spec import Image, Placement
    from goldsmith.tools.door import Door
    from goldsmith.vcenter.door import VCenter
    from goldsmith.vcenter.templates import Template

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
    variables: str = ""
    """The playbooks' variables of this build: a file, relative to the repository; empty where there was none."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One candidate to verify. Paths lie below *root*, because the toolbox sees nothing else."""

    template: Template
    image: Image
    placement: Placement
    expected: Expected
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


@dataclass(frozen=True, kw_only=True)
class Doors:
    """The ways out of the suite that this stage uses."""

    connect: Callable[[], AbstractContextManager[VCenter]]
    toolbox: Door
    runner: Runner
    progress: Progress
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    hide: Callable[[str], None] = lambda _: None
    """Told every secret that is made, so that none is printed."""
