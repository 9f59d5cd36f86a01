"""Makes the origin's hand-made ISO on the spot - a netboot installer, replayed with ks=floppy - and uploads it."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from goldsmith import config
from goldsmith.media import replayed
from goldsmith.tools import govc, netboot
from goldsmith.wiring import Session
from tests.composing import Composer

if TYPE_CHECKING:
    from collections.abc import Mapping

VENDORS = ("auto=true",)
"""The words of an installer as its vendor ships it."""
WORDS = ("ks=floppy", "priority=critical")


def vendors(session: Session, folder: Path) -> Path:
    """Compose an installer's ISO that knows nothing of answers, in *folder* below the repository."""
    return Composer(session, folder)({}, kernel_options=VENDORS, name="vendor.iso").path


def put(environment: Mapping[str, str], *, name: str, content: bytes | None = None, first: int = 0) -> str:
    """Put an ISO (or *content*, or only its *first* bytes) at ``iso/<name>`` on the datastore the environment names.

    Returns its sha256.
    """
    here = Session.here()
    session = Session(here.workspace, dict(environment), here.redact, here.progress, here.runner)
    root = session.workspace.root
    session.workspace.builds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="handmade-") as temporary:
        folder = Path(temporary)
        file = folder / name
        if content is None:
            iso = vendors(session, folder)
            request = replayed.Replay(
                source=iso,
                words=WORDS,
                root=root,
                output=file,
                epoch=session.lock.source_date_epoch,
            )
            replayed.make(request, runner=session.runner, door=session.toolbox())
        else:
            file.write_bytes(content)
        if first:
            with file.open("r+b") as stream:
                stream.truncate(first)
        _upload(session, environment, file)
        return netboot.sha256(file)


def _upload(session: Session, environment: Mapping[str, str], file: Path) -> None:
    on = session.on(config.load(None, None, workspace=session.workspace, environment=environment))
    placement = on.site.placement
    store = on.store(PurePosixPath("iso"), placement.media_datastore, door=session.toolbox(on.site))
    command = govc.store(
        store.door,
        store.access,
        file=file.relative_to(session.workspace.root).as_posix(),
        folder="iso",
        part=f"iso/{file.name}.part",
        name=f"iso/{file.name}",
        replace=True,
    )
    session.runner.run(command)
