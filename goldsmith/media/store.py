"""The folder for media on a site's datastore, and how to get there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

    from goldsmith.host.progress import Progress
    from goldsmith.host.runner import Runner
    from goldsmith.tools import govc
    from goldsmith.tools.door import Door


@dataclass(frozen=True, kw_only=True)
class Store:
    """The folder for boot media on one site, and how to get there."""

    access: govc.Access
    folder: PurePosixPath
    """Relative to the datastore."""
    root: Path
    """The repository; media lie in it, because the toolbox sees nothing else."""
    runner: Runner
    door: Door
    progress: Progress
    log: Path | None = None

    def path(self, name: str) -> str:
        """Return *name* in the folder, relative to the datastore."""
        return (self.folder / name).as_posix()

    def iso_path(self, name: str) -> str:
        """Return *name* as Packer and vSphere write it: ``[datastore] folder/name``."""
        return self.access.stored(self.path(name))
