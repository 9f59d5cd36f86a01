"""Makes a small CD-ROM with the answers of one build, which an installer recognises by its volume label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.host.workspace import SECRET_MODE
from goldsmith.tools import xorriso

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.media.workbench import Workbench


def compose(folder: Path, output: Path, *, label: str, work: Workbench) -> None:
    """Write *output*, readable for its owner only, with the files of *folder*; the same files give the same bytes.

    Raises ``ToolError`` when xorriso fails.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_suffix(".part")
    inside, target = (path.relative_to(work.root).as_posix() for path in (folder, part))
    command = xorriso.data_disc(work.door, folder=inside, output=target, label=label, epoch=work.lock.source_date_epoch)
    try:
        work.runner.run(command, log=work.log)
        part.chmod(SECRET_MODE)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
