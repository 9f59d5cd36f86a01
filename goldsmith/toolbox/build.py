"""Builds the images out of the lock, once for each state of what shapes them."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldsmith.errors import CheckError, ToolError, UnreachableError
from goldsmith.host.files import ours
from goldsmith.host.runner import Command
from goldsmith.host.workspace import write_if_changed
from goldsmith.toolbox import fetch, gotool, images
from goldsmith.toolbox import lock as locks
from goldsmith.toolbox.containers import PLATFORM, PROXIES, every
from goldsmith.toolbox.context import Context
from goldsmith.toolbox.mirrors import Mirrors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from goldsmith.host.progress import Progress
    from goldsmith.host.runner import Runner
    from goldsmith.host.workspace import Workspace
    from goldsmith.toolbox.engine import Engine
    from goldsmith.toolbox.images import Image

_GONE = re.compile(
    r"cannot connect to the docker daemon|error during connect|connection (refused|reset)|code = Unavailable",
    re.IGNORECASE,
)
_CLASSIC = frozenset({"overlay2", "vfs", "fuse-overlayfs"})
_STEP = re.compile(r"^#\d+ \[(?!internal\])(?P<step>[^\]]+)\] ")


@dataclass(frozen=True, kw_only=True)
class Builder:
    """What building an image takes."""

    workspace: Workspace
    engine: Engine
    runner: Runner
    progress: Progress
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    mirrors: Callable[[], Mirrors] = Mirrors.here

    def ensure(self, name: str) -> str:
        """Return the reference of the image *name*, building it if this state of it was never built here.

        Raises ``CheckError`` when the result is not the image that the lock records.
        """
        job = self._job(name)
        self._ready(job)
        return job.reference

    def identified(self, name: str) -> str:
        """Return the id of the image *name*, which is the one that the lock records; see :meth:`ensure`.

        Who runs it by this id gets that image, whatever became of its name meanwhile.
        """
        return self._ready(self._job(name))

    def built(self, name: str) -> str | None:
        """Return the reference of the image *name* if this state of it is there; builds nothing."""
        job = self._job(name)
        return job.reference if self._known(job) else None

    def record(self, name: str) -> locks.Identity:
        """Build the image *name* as this machine does, and write what came out into the lock."""
        job = self._job(name)
        with self._alone(name):
            identity, _ = self._build(job, None)
        known = {**job.lock.identities, name: identity}
        text = locks.dump(job.lock.model_copy(update={"identities": known}))
        write_if_changed(self._lock_file, text)
        return identity

    def check(self, name: str) -> Path:
        """Run the build target *name*, which only checks code; return the path of its log."""
        job = self._job(name)
        with self._alone(name), self.progress.step(name), self._context(job) as context:
            self._run(job, context, "--output", "type=cacheonly")
        return job.log

    def _alone(self, name: str) -> AbstractContextManager[None]:
        return self.workspace.locked(
            f"build-{name}", on_wait=lambda: self.progress.note(f"another run builds {name}: waiting for it")
        )

    @property
    def _lock_file(self) -> Path:
        return self.workspace.root / "docker" / "lock.json"

    def _job(self, name: str) -> _Job:
        image, lock = images.image(name), locks.load(self._lock_file)
        digest = images.digest(image, lock, self.workspace.root)
        log = self.workspace.cache / "logs" / f"{name}-{digest[:12]}.log"
        return _Job(image=image, lock=lock, digest=digest, log=log)

    def _ready(self, job: _Job) -> str:
        if known := self._known(job):
            return known
        # Two runs would build the same: the second waits, and finds it.
        with self._alone(job.image.name):
            return self._known(job) or self._build(job, job.expected)[1]

    def _known(self, job: _Job) -> str | None:
        """Return the id of what has the image's name, unless the lock records another image."""
        found, expected = self._inspect(job.reference), job.expected
        if found is None:
            return None
        # In Docker's classic store an image's id is its config's digest; in containerd's it is its manifest's.
        named = found["Id"] if self.engine.storage in _CLASSIC else expected and expected.config_digest
        layers = tuple(found.get("RootFS", {}).get("Layers", ()))
        if expected and (expected.config_digest, expected.diff_ids) != (named, layers):
            self.progress.note(f"what is called {job.reference} is not the image that the lock records")
            return None
        return str(found["Id"])

    def _build(self, job: _Job, expected: locks.Identity | None) -> tuple[locks.Identity, str]:
        with self.progress.step(f"image {job.reference}", "this state of it was never built here"):
            # Under a name of its own until it is known to be right: nobody may find a wrong one.
            built = f"{job.reference}-unchecked"
            with self._context(job) as context:
                written = context.folder.with_suffix(".iid")
                self._run(job, context, "--load", "--tag", built, "--iidfile", str(written))
                config = written.read_text().strip()
                written.unlink()
            found = self._inspect(built) or {}
            identity = locks.Identity(
                of=job.digest, config_digest=config, diff_ids=tuple(found.get("RootFS", {}).get("Layers", ()))
            )
            self._compare(job, identity, expected)
            self._docker("image", "tag", built, job.reference)
            self._docker("image", "rm", "--no-prune", built)
            return identity, str(found.get("Id", ""))

    def _compare(self, job: _Job, found: locks.Identity, expected: locks.Identity | None) -> None:
        if expected is None or expected == found:
            return
        raise CheckError(
            f"the image {job.image.name} came out differently than the lock says",
            where=f"{job.reference}-unchecked (kept for comparison)\nlog: {job.log}",
            why=f"locked {expected.config_digest} {' '.join(expected.diff_ids)}\n"
            f"built  {found.config_digest} {' '.join(found.diff_ids)}",
            next="send the maintainers both lines and the output of 'docker version'; where you trust your build,\n"
            "'invoke lock --identity' records it as yours",
        )

    @contextmanager
    def _context(self, job: _Job) -> Iterator[Context]:
        self._fetch(job)
        prefix = f"context-{job.image.name}-"
        for left in self.workspace.cache.glob(f"{prefix}*"):
            _remove(left)  # of a run that was killed: the lock says nobody uses it any more
        with ours(self.workspace.cache):
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=self.workspace.cache))
            try:
                self.progress.status("laying out the build context")
                context = Context(folder=folder, workspace=self.workspace, epoch=job.lock.source_date_epoch)
                job.image.fill(context, job.lock)
                context.copy(self.workspace.root / job.image.dockerfile, "Dockerfile")
                context.freeze()
                yield context
            finally:
                _remove(folder)

    def _fetch(self, job: _Job) -> None:
        get: Callable[..., None] = fetch.fetch
        mirrors = replace(self.mirrors(), moment=job.lock.snapshot)
        common = {"workspace": self.workspace, "progress": self.progress, "runner": self.runner}
        rows = list(job.image.rows(job.lock))
        if any(isinstance(row, locks.GoRow) for row in rows):
            # The toolchain first: its settings name the default module proxy.
            toolchain = job.lock.sections.toolbox.toolchain
            get([toolchain], mirrors=mirrors, **common)
            proxies = gotool.proxies(fetch.path(self.workspace, toolchain), self.environment)
            mirrors = replace(mirrors, go=tuple(proxies))
        get(rows, mirrors=mirrors, **common)

    def _run(self, job: _Job, context: Context, *output: str) -> None:
        job.log.unlink(missing_ok=True)
        # The CLI would add those of the user's configuration; a build has no network.
        without_proxies = tuple(word for name in every(PROXIES) for word in ("--build-arg", f"{name}="))
        command = Command(
            argv=self.engine.argv(
                "buildx", "build",
                "--progress", "plain",
                "--provenance", "false",  # differs from run to run by definition
                *PLATFORM,
                *without_proxies,
                "--target", job.image.name,
                "--build-arg", f"SOURCE_DATE_EPOCH={job.lock.source_date_epoch}",
                "--build-arg", f"GOLDSMITH_HASH={job.digest}",
                "--build-arg", f"GOVC_VERSION={images.govc_version(self.workspace.root)}",
                *output,
                str(context.folder),
            ),
        )  # fmt: skip
        try:
            self.runner.run(command, log=job.log, on_line=_teller(self.progress))
        except ToolError as error:
            raise _explained(error, job, self.engine.endpoint) from None

    def _docker(self, *arguments: str) -> None:
        self.runner.run(Command(argv=self.engine.argv(*arguments)))

    def _inspect(self, reference: str) -> dict[str, Any] | None:
        done = self.runner.run(Command(argv=self.engine.argv("image", "inspect", reference)), check=False)
        if done.returncode == 0:
            found: dict[str, Any] = json.loads(done.stdout)[0]
            return found
        if "no such image" in done.stderr.lower():
            return None
        raise _silent(self.engine.endpoint, done.stderr.strip())


@dataclass(frozen=True, kw_only=True)
class _Job:
    image: Image
    lock: locks.Lock
    digest: str
    log: Path

    @property
    def reference(self) -> str:
        return images.reference(self.image.name, self.digest)

    @property
    def expected(self) -> locks.Identity | None:
        """What the lock says must come out; nothing while what shapes the image is being changed."""
        recorded = self.lock.identities.get(self.image.name)
        return recorded if recorded and recorded.of == self.digest else None


def _teller(progress: Progress) -> Callable[[str], None]:
    """Return what tells the steps of a build as they begin; BuildKit names a step again whenever it goes on."""
    told: set[str] = set()

    def tell(line: str) -> None:
        if (found := _STEP.match(line)) and found["step"] not in told:
            told.add(found["step"])
            progress.status(found["step"])

    return tell


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _silent(endpoint: str, why: str) -> UnreachableError:
    return UnreachableError(
        "the Docker engine does not answer", where=endpoint, why=why, next="'docker version' shows whether it runs"
    )


def _explained(error: ToolError, job: _Job, endpoint: str) -> ToolError | UnreachableError:
    """Tell an engine that went away, and a full disk, from a build that failed."""
    if _GONE.search(error.why):
        return _silent(endpoint, error.why)
    full = "no space left on device" in error.why.lower()
    return ToolError(
        f"the image {job.image.name} cannot be built",
        where=f"log: {job.log}",
        why=error.why,
        next="free some space where the Docker engine keeps its data ('docker system df' shows what it holds)"
        if full
        else "the log has every step; running the same command again continues with the steps that worked",
    )
