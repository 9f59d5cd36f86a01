"""Packer's files are formatted and valid, as the toolbox's own Packer sees them: ``python -m tests.lint.packer``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from goldsmith import config
from goldsmith.errors import GoldsmithError
from goldsmith.stages.answers import CLONE_READY
from goldsmith.tools import packer, sshkey
from goldsmith.wiring import Session
from goldsmith.workspace import SECRET_MODE, write_if_changed


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
    run = packer.Run(
        name="validate",
        note="none",
        network="/DC0/network/VM Network",
        user="nobody",
        iso_path="goldsmith/validate.iso",
        private_key=key,
        finish_script=CLONE_READY.relative_to(session.workspace.root).as_posix(),
    )
    return packer.variables(effective.image, effective.site, run)


if __name__ == "__main__":
    sys.exit(main())
