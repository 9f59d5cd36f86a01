"""What media are made with: the pinned files, the toolbox, and the build's folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from goldsmith.host.progress import Progress
    from goldsmith.host.runner import Runner
    from goldsmith.host.workspace import Workspace
    from goldsmith.media.store import Store
    from goldsmith.model import Image, Site
    from goldsmith.toolbox.lock import Lock, Row
    from goldsmith.tools.door import Door


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """One build's: everything that making media and proving answers takes."""

    image: Image
    site: Site
    folder: Path
    """The build's folder; it lies in the repository, because the toolbox sees nothing else."""
    workspace: Workspace
    lock: Lock
    fetch: Callable[[Sequence[Row]], object]
    """Makes sure that the store of downloads holds the locked files of some rows."""
    runner: Runner
    progress: Progress
    door: Door
    seeing: Callable[[Path, str], Door]
    """Returns the door through which a folder of this machine is seen under another path as well."""
    store: Callable[[], Store]
    """Returns the site's folder for media: asked only by what looks at a medium there."""

    @property
    def root(self) -> Path:
        """The repository."""
        return self.workspace.root

    @property
    def log(self) -> Path:
        """Where the tools' output goes."""
        return self.folder / "logs/media.log"
