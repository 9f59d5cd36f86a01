"""Composes media as the verbs do: from the lock's files, in the toolbox."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from goldsmith.media import composed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from goldsmith.tools import cpio
    from goldsmith.wiring import Session


@dataclass(frozen=True)
class Composer:
    """Composes into *folder*, which lies in the repository, because the toolbox sees nothing else."""

    session: Session
    folder: Path

    @cached_property
    def vendor(self) -> Path:
        """The folder of the vendor's files."""
        session = self.session
        return composed.vendor(session.lock, release="13", workspace=session.workspace, fetch=session.fetch)

    @property
    def kernel(self) -> str:
        """The release of the installer's kernel."""
        return composed.kernel(self.vendor)

    def __call__(
        self,
        answers: Mapping[str, cpio.File],
        *,
        kernel_options: tuple[str, ...] = composed.KERNEL_OPTIONS,
        name: str = "boot.iso",
    ) -> composed.Medium:
        """Compose a medium with *answers*."""
        request = composed.Contents(
            vendor=self.vendor,
            answers=answers,
            root=self.session.workspace.root,
            output=self.folder / name,
            epoch=self.session.lock.source_date_epoch,
            kernel_options=kernel_options,
        )
        return composed.compose(request, runner=self.session.runner, door=self.session.toolbox())
