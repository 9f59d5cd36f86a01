"""Uploads a sparse file as a reusable medium, and removes it: a process of its own, so that its memory can be seen."""

from __future__ import annotations

import sys
from pathlib import Path

from goldsmith.builds import Build
from goldsmith.flow.steps import Steps
from goldsmith.stages import upload
from goldsmith.wiring import Session

_BUILD = Build(id="20000101-000000-00000000", image="bench", site="lab", key="", inputs="")
_SHA256 = "0" * 64
"""Only a name here: nobody reads a file of 10 GB twice."""


def main(file: str) -> int:
    """Upload *file* to the lab's datastore."""
    session = Session.here()
    effective = session.effective(site="lab", image="")
    store = Steps(on=session.on(effective), build=_BUILD, inputs={})._store()
    stored = upload.reusable_medium(store, Path(file), stem="bench", sha256=_SHA256, build_id=_BUILD.id)
    upload.remove(store, stored)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
