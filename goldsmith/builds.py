"""The folder of each build: what was asked, how far it came, and whether somebody still works on it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import statistics
from collections.abc import Mapping  # noqa: TC003 - a state that is read is checked against it
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from goldsmith import plan
from goldsmith.errors import ConfigurationError
from goldsmith.host.files import ours, read_object
from goldsmith.host.workspace import Workspace, holding, write_if_changed
from goldsmith.media.attachments import Attachment  # noqa: TC001 - as Mapping
from goldsmith.work import ID_PATTERN, Life, Work, life

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

_STATE = "build.json"
_TIMES = "times.json"
_REMEMBERED = 5
"""How many earlier builds count for what is usual: older ones ran on other days, of other sizes."""
_SECRET_FOLDERS = ("answers", "media", "keys")
"""What a whole build deletes at its end, however it ends."""


class Status(StrEnum):
    """How a build stands."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"


_NAME_LENGTH = 80
"""What vSphere allows."""


@dataclass(frozen=True)
class Build:
    """One run, kept in ``build/<id>/build.json``."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: str
    image: str
    site: str
    key: str
    inputs: str
    """The parts of the key in short form, see ``plan.Inputs.summary``."""
    parts: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """The same parts whole, for the record."""
    status: Status = Status.OPEN
    stages: tuple[str, ...] = ()
    """The stages that are finished."""
    attached: tuple[Attachment, ...] = ()
    """What the machine is installed with; the boot medium comes first."""
    template: str = ""
    phase: str = "base"
    label: str = ""
    """Branch and pipeline of the CI job that builds, as part of the name; see :func:`goldsmith.work.label`."""
    server: str = ""
    """The site's vCenter: two sites that come from the environment have one name."""
    place: str = ""
    """Its datacenter and the datastore of media, from which a build that is continued installs."""

    @property
    def name(self) -> str:
        """The name of the VM and, later, of the template; the build's id comes last, because ``clean`` looks there."""
        begin, end = f"{self.image}-{self.phase}", f"-{self.id}"
        label = f"-{self.label}"[: _NAME_LENGTH - len(begin) - len(end)].rstrip("-") if self.label else ""
        return begin + label + end

    @property
    def secret_media(self) -> tuple[Attachment, ...]:
        """The media with answers that lie on the site: they are deleted at the build's end."""
        return tuple(one for one in self.attached if one.secret and one.stored)

    def with_stage(self, stage: str) -> Build:
        """Return the build with *stage* finished."""
        return self if stage in self.stages else replace(self, stages=(*self.stages, stage))


@dataclass(frozen=True)
class Builds:
    """All builds of a workspace."""

    workspace: Workspace

    def folder(self, build: Build) -> Path:
        """Return the build's folder."""
        return self.workspace.build(build.id)

    def log(self, build: Build) -> Path:
        """Return the log of what the build's runs told people: the terminal they told it to may be gone."""
        return self.folder(build) / "logs/progress.log"

    def save(self, build: Build) -> Build:
        """Write the build's state and return it."""
        content = json.dumps(asdict(build), indent=1) + "\n"
        write_if_changed(self.folder(build) / _STATE, content)
        return build

    def reserve(self, key: str, now: datetime) -> str:
        """Return an id for a new build of *key*, and make its folder.

        Two builds of one key may begin in one second, on different vCenters: making the
        folder decides who has the id, and the other takes the next second's.
        """
        with ours(self.workspace.builds):
            # Whole, because it may be a link to another disk.
            Path(os.path.realpath(self.workspace.builds)).mkdir(exist_ok=True)
            while True:
                build_id = plan.build_id(key, now)
                try:
                    self.workspace.build(build_id).mkdir()
                except FileExistsError:
                    now += timedelta(seconds=1)
                else:
                    return build_id

    def find(self, build_id: str) -> Build | None:
        """Return the build of this id; nothing where this checkout has none that can be read."""
        return _parse(self.workspace.build(build_id) / _STATE) if ID_PATTERN.fullmatch(build_id) else None

    def load(self, build_id: str) -> Build:
        """Return the build of this id. Raises ``ConfigurationError`` when there is none."""
        if found := self.find(build_id):
            return found
        raise ConfigurationError(
            f"there is no build {build_id}",
            where=f"--build {build_id}",
            why="known builds: " + (", ".join(build.id for build in self.all()[-5:]) or "none"),
            next="name one of these, or leave --build out",
        )

    def all(self) -> tuple[Build, ...]:
        """Return all readable builds, oldest first."""
        found = (_parse(path) for path in sorted(self.workspace.builds.glob(f"*/{_STATE}")))
        return tuple(build for build in found if build)

    def newest_open(self, **wanted: str) -> Build | None:
        """Return the newest unfinished build that nobody works on and that has these values."""
        for build in reversed(self.all()):
            same = all(getattr(build, name) == value for name, value in wanted.items())
            if same and self.can_go_on(build) and not self.alive(build.id):
                return build
        return None

    def can_go_on(self, build: Build) -> bool:
        """Tell whether a build is unfinished and still has its answers, key and media.

        One that ended while the disk was full could delete those, and could not write that it ended.
        """
        return build.status is Status.OPEN and (not build.stages or bool(self.secrets_left(build)))

    @contextlib.contextmanager
    def working_on(self, build: Build) -> Iterator[None]:
        """Mark the build as alive within the block, for ``clean`` and for other runs."""
        with self.holding(Work(build.id)):
            try:
                yield
            finally:
                # Removed while still held: who opens the old file later holds a lock nobody looks at.
                with contextlib.suppress(OSError):
                    Work(build.id).lock(self.folder(build)).unlink()

    def holding(self, work: Work) -> AbstractContextManager[None]:
        """Keep everybody else on this machine off a build, or a run, within the block.

        Raises ``RefusedError`` when somebody works on it.
        """
        return holding(work.lock(self.workspace.build(work.build)), what=str(work), wait=False)

    def life(self, work: Work) -> Life:
        """Return whether a process on this machine works on a build, or a run, at this moment."""
        folder = self.workspace.build(work.build)
        return life(work, folder, known=not work.run and self.find(work.build) is not None)

    def alive(self, build_id: str) -> bool:
        """Return whether a process on this machine works on the build at this moment."""
        return self.life(Work(build_id)) is Life.ALIVE

    def forget_run(self, work: Work) -> None:
        """Forget a run of which nothing is left."""
        work.lock(self.workspace.build(work.build)).unlink(missing_ok=True)

    def forget_runs(self, build: Build) -> None:
        """Forget the runs of a build that somebody killed, once nothing is left of them."""
        for path in Work(build.id, "*").lock(self.folder(build)).parent.glob("*.lock"):
            run = Work(build.id, path.stem)
            if self.life(run) is not Life.ALIVE:
                self.forget_run(run)

    def forget_secrets(self, build: Build, *, keep: tuple[str, ...] = ()) -> None:
        """Delete what the build's folder holds of secrets - answers, key, answer medium - except *keep*."""
        for name in set(_SECRET_FOLDERS) - set(keep):
            shutil.rmtree(self.folder(build) / name, ignore_errors=True)

    def forget_lock(self, build: Build) -> None:
        """Delete the lock's file that a killed run left; it holds nobody off, but is no use either."""
        if not self.alive(build.id):
            Work(build.id).lock(self.folder(build)).unlink(missing_ok=True)

    def secrets_left(self, build: Build) -> tuple[Path, ...]:
        """Return the folders with secrets that the build still has."""
        return tuple(path for name in _SECRET_FOLDERS if (path := self.folder(build) / name).is_dir())


def _parse(path: Path) -> Build | None:
    """Return the build that a state's file tells of; nothing for a file that no run has written there as it is."""
    try:
        build = _adapter().validate_python(_current(read_object(path)))
    except ValidationError:
        return None
    return build if _is_own(build, path.parent) else None


@cache
def _adapter() -> TypeAdapter[Build]:
    return TypeAdapter(Build)


def _is_own(build: Build, folder: Path) -> bool:
    """Tell whether a state names only what its build may have: folders are emptied, and media deleted, by what it says.

    A folder that is a link was put there by nobody's build.
    """
    files = [PurePosixPath(one.file) for one in build.attached]
    media = re.compile(rf"\[[^\]]+\] (?:.+/)?goldsmith-{re.escape(build.id)}\.[a-z]+")
    return (
        build.id == folder.name
        and ID_PATTERN.fullmatch(build.id) is not None
        and "/" not in build.name
        and not folder.is_symlink()
        and not any(file.is_absolute() or ".." in file.parts for file in files)
        and all(media.fullmatch(one.stored) for one in build.secret_media)
    )


def _current(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a build's state as this version writes it; before November 2026 it named one medium and one boot ISO."""
    medium, boot, sha256 = (raw.pop(name, "") for name in ("medium", "boot", "boot_sha256"))
    if "attached" not in raw:
        floppy = str(medium).endswith(".flp")
        answers = {"slot": "floppy" if floppy else "cdrom", "stored": medium, "secret": True}
        iso = {"slot": "cdrom", "stored": boot, "sha256": sha256}
        raw["attached"] = [one for one in (iso, answers) if one["stored"]]
    return raw


# -- how long the stages took ------------------------------------------------------------------


def note_seconds(folder: Path, stage: str, seconds: float) -> None:
    """Keep that *stage* of the build in *folder* took so many seconds; a repeated stage counts by its last time."""
    known = {name: value for name, value in seconds_of(folder).items() if name != stage}
    write_if_changed(folder / _TIMES, json.dumps({**known, stage: round(seconds, 3)}, indent=1) + "\n")


def seconds_of(folder: Path) -> Mapping[str, float]:
    """Return the seconds of each stage, in the order they ran; nothing where none were kept."""
    try:
        return {name: float(value) for name, value in read_object(folder / _TIMES).items()}
    except (ValueError, TypeError, OverflowError):
        return {}


def usual_seconds(folders: Iterable[Path], stage: str) -> float | None:
    """Return how many seconds *stage* usually takes, by the newest of *folders* (the oldest first) that knew it."""
    known = [seconds for folder in folders if (seconds := seconds_of(folder).get(stage)) is not None]
    return statistics.median(known[-_REMEMBERED:]) if known else None
