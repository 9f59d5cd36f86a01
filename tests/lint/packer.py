"""Packer's files are formatted and valid, as the toolbox's own Packer sees them: ``python -m tests.lint.packer``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from goldsmith import config
from goldsmith.errors import GoldsmithError
from goldsmith.host.workspace import SECRET_MODE, write_if_changed
from goldsmith.installers import door as installers
from goldsmith.tools import packer, sshkey
from goldsmith.tools.spelling import Paths
from goldsmith.wiring import Session


def main() -> int:
    """Run ``packer fmt -check`` and ``packer validate``; return the exit status."""
    session = Session.here()
    try:
        door = session.toolbox()
        session.runner.run(door.command(("packer", "fmt", "-check", "-diff", packer.TEMPLATES)), on_line=_show)
        session.workspace.builds.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=session.workspace.builds) as folder:
            key, file = Path(folder) / "key", Path(folder) / "validate.pkrvars.json"
            write_if_changed(key, sshkey.generate("validate").private, mode=SECRET_MODE)
            values = _variables(session, key.relative_to(session.workspace.root).as_posix())
            file.write_text(packer.variable_file(values), encoding="utf-8")
            name = file.relative_to(session.workspace.root).as_posix()
            argv = ("packer", "validate", f"-var-file={name}", packer.TEMPLATES)
            session.runner.run(door.command(argv, secrets={packer.PASSWORD_VARIABLE: "unused"}), on_line=_show)
    except GoldsmithError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _show(line: str) -> None:
    sys.stdout.write(line + "\n")


def _variables(session: Session, key: str) -> dict[str, object]:
    effective = config.load("lab", None, workspace=session.workspace, environment={})
    finish = installers.of(effective.image).guest(effective.image).finish_script
    script = finish.relative_to(session.workspace.root).as_posix()
    shared: Any = {
        "name": "validate",
        "note": "none",
        "paths": Paths(
            datacenter="DC0",
            cluster="DC0_C0",
            pool="",
            folder="",
            network="/DC0/network/VM Network",
            datastore="/DC0/datastore/lab-ds",
            media_datastore="/DC0/datastore/lab-ds",
        ),
        "user": "nobody",
        "private_key": key,
    }
    install = packer.Install(**shared, iso_paths=("[lab-ds] goldsmith/validate.iso",), finish_script=script)
    clone = packer.Clone(
        **shared,
        source="/DC0/vm/base",
        linked=True,
        guestinfo={"userdata": "bm9uZQ=="},
        ansible_variables="LICENSE",
        results="build",
        data_disk_mib=1024,
    )
    image, site = effective.image, effective.site
    return packer.variables(image, site, install) | packer.clone_variables(image, site, clone)


if __name__ == "__main__":
    sys.exit(main())
