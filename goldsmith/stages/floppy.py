"""Makes the answer medium of a build that is installed from a floppy; kickseed itself reads the answers first."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith import delivery
from goldsmith.errors import ConfigurationError
from goldsmith.toolbox import deb
from goldsmith.tools import kickseed, mtools
from goldsmith.workspace import SECRET_MODE, write_if_changed

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.runner import Runner
    from goldsmith.tools.door import Door
    from goldsmith.tools.kickseed import Verdict


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the floppy is made of, and where it goes; all of it lies in the repository."""

    answers: Path
    """Folder of the rendered answers."""
    root: Path
    output: Path
    epoch: int
    """The lock's date, in seconds since 1970: the date of everything on the floppy."""
    log: Path | None = None


def compose(request: Request, *, runner: Runner, door: Door) -> int:
    """Make the floppy image, readable for its owner only; return how many bytes its files take.

    Raises ``ConfigurationError`` when there are no answers, or more than fit.
    """
    found = [path for path in sorted(request.answers.rglob("*")) if path.is_file()]
    sizes = {path.relative_to(request.answers).as_posix(): path.stat().st_size for path in found}
    if kickseed.ANSWER_FILE not in sizes:
        raise ConfigurationError(
            "there are no answers to put on the floppy",
            where=str(request.answers / kickseed.ANSWER_FILE),
            why="the file does not exist: an installer without answers would wait for a person",
            next="run 'invoke render' first, or 'invoke packer-base', which runs every stage",
        )
    delivery.check_floppy_space(sizes)
    request.output.parent.mkdir(parents=True, exist_ok=True)
    part = request.output.with_suffix(".part")
    command = mtools.floppy(
        door,
        folder=request.answers.relative_to(request.root).as_posix(),
        files=sizes,
        image=part.relative_to(request.root).as_posix(),
        epoch=request.epoch,
    )
    runner.run(command, log=request.log)
    part.chmod(SECRET_MODE)
    part.replace(request.output)
    return delivery.floppy_space(sizes)


@dataclass(frozen=True, kw_only=True)
class Parser:
    """Where kickseed and the shell it runs in come from."""

    initrd: Path
    """The installer's, compressed."""
    udeb: Path
    """The package kickseed-common."""


def read(text: str, parser: Parser, *, folder: Path, root: Path, runner: Runner, door: Door) -> Verdict:
    """Return what the real kickseed makes of a ``ks.cfg``, in the installer's own shell; *folder* is used for it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        initrd = gzip.decompress(parser.initrd.read_bytes())
        write_if_changed(folder / "busybox", kickseed.from_initrd(initrd, kickseed.BUSYBOX), mode=0o700)
        for entry, data in deb.members(parser.udeb):
            if entry.isreg() and entry.name.startswith(kickseed.LIBRARY):
                write_if_changed(folder / entry.name.removeprefix(kickseed.LIBRARY), data)
        write_if_changed(folder / kickseed.ANSWER_FILE, text, mode=SECRET_MODE)
        done = runner.run(kickseed.parse(door, folder.relative_to(root).as_posix()))
        return kickseed.verdict(done.stdout)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
