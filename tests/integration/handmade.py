"""Makes the origin's hand-made ISO - Debian's netboot installer with ks=floppy - and uploads it to a lab."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from goldsmith import config
from goldsmith.stages import upload
from goldsmith.tools import govc
from goldsmith.wiring import Session
from tests.composing import Composer

if TYPE_CHECKING:
    from collections.abc import Mapping

OPTIONS = ("ks=floppy", "priority=critical", "auto=true")


def put(environment: Mapping[str, str], *, name: str, content: bytes | None = None) -> None:
    """Put an ISO (or *content* instead) at ``iso/<name>`` on the lab's datastore."""
    session = Session.here()
    effective = config.load("lab", None, workspace=session.workspace, environment=environment)
    credentials = effective.credentials()
    lab = environment["GOLDSMITH_LAB"]
    session = Session(session.workspace, dict(environment), session.redact, session.progress, session.runner)
    session.workspace.builds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="handmade-") as folder:
        file = Path(folder) / name
        if content is None:
            Composer(session, Path(folder))({}, kernel_options=OPTIONS, name=name)
        else:
            file.write_bytes(content)
        access = govc.Access(
            server=effective.site.server,
            user=credentials.user,
            password=credentials.password.get_secret_value(),
            datacenter=effective.site.placement.datacenter,
            datastore=effective.site.placement.media_datastore,
        )
        store = upload.Store(
            access=access,
            folder=PurePosixPath("iso"),
            root=session.workspace.root,
            runner=session.runner,
            door=session.toolbox(effective.site),
            progress=session.progress,
        )
        assert session.lab_name == lab
        command = govc.store(
            store.door,
            access,
            file=file.relative_to(session.workspace.root).as_posix(),
            folder="iso",
            part=f"iso/{name}.part",
            name=f"iso/{name}",
            replace=True,
        )
        session.runner.run(command)
