"""Fetches locked files into the content-addressed cache; nothing enters it whose sha256 is not the locked one."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

from goldsmith.errors import CheckError, UnreachableError
from goldsmith.host.files import ours
from goldsmith.host.runner import ProcessRunner
from goldsmith.toolbox import wheels
from goldsmith.toolbox.http import BrokenError, GoneError, Http, Source
from goldsmith.toolbox.lock import DebRow, GoRow, Row, WheelRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from goldsmith.host.progress import Progress
    from goldsmith.host.runner import Runner
    from goldsmith.host.workspace import Workspace
    from goldsmith.toolbox.mirrors import Mirrors

CONNECTIONS = 8
ATTEMPTS = 5
_PARTIAL = ".partial-"
_STATUS_STEPS = 10


def path(workspace: Workspace, row: Row) -> Path:
    """Return where the file of *row* lies once it is fetched."""
    return workspace.downloads / row.sha256


def file_digest(file: Path) -> str:
    """Return the sha256 of a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def present(workspace: Workspace, row: Row) -> bool:
    """Tell whether the cache has the file of *row*, whole and unchanged."""
    file = path(workspace, row)
    try:
        return file.stat().st_size == row.size and file_digest(file) == row.sha256
    except FileNotFoundError:
        return False


def adopt(workspace: Workspace, row: Row, file: Path) -> None:
    """Move *file* into the cache as the file of *row*.

    Raises ``CheckError`` when its content is another.
    """
    if (found := file_digest(file)) != row.sha256:
        raise _differs(row, str(file), found)
    workspace.downloads.mkdir(parents=True, exist_ok=True)
    file.chmod(0o644)
    shutil.move(file, path(workspace, row))


def fetch(
    rows: Iterable[Row],
    *,
    workspace: Workspace,
    mirrors: Mirrors,
    progress: Progress,
    runner: Runner | None = None,
    source: Source | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Make sure the cache has the file of each of *rows*: what is there is hashed, what is not is fetched.

    Go rows need ``mirrors.go``. Raises ``CheckError`` when a source has other bytes than
    the locked ones, ``UnreachableError`` when no source has a file or none answers,
    ``FileError`` when there is no space left.
    """
    unique = list({row.sha256: row for row in rows}.values())
    waits = partial(progress.note, "another run fetches packages: waiting for it")
    with workspace.locked("fetch", on_wait=waits), ThreadPoolExecutor(CONNECTIONS) as pool:
        workspace.downloads.mkdir(parents=True, exist_ok=True)
        for left in workspace.downloads.glob(f"{_PARTIAL}*"):
            left.unlink()  # of a run that was killed: the lock says nobody writes it any more
        there = list(pool.map(lambda row: present(workspace, row), unique))
        missing = [row for row, known in zip(unique, there, strict=True) if not known]
        if not missing:
            return
        getter = _Getter(
            workspace=workspace,
            mirrors=mirrors,
            source=source or Http(),
            sleep=sleep,
            counter=_Counter(missing, progress),
        )
        with ours(workspace.downloads):
            getter.all(missing, pool, runner or ProcessRunner())


class _Counter:
    """Says how far fetching is, about ten times in all."""

    def __init__(self, rows: Sequence[Row], progress: Progress) -> None:
        self._total = sum(row.size for row in rows)
        self._files = len(rows)
        self._progress = progress
        self._done = self._said = self._bytes = 0
        self._guard = threading.Lock()

    def add(self, row: Row) -> None:
        with self._guard:
            self._done += 1
            self._bytes += row.size
            reached = self._bytes * _STATUS_STEPS // self._total
            if reached > self._said:
                self._said = reached
                size = f"{self._bytes / 1e6:.0f} of {self._total / 1e6:.0f} MB"
                self._progress.status(f"fetched {self._done} of {self._files} files, {size}")


@dataclass(frozen=True, kw_only=True)
class _Getter:
    workspace: Workspace
    mirrors: Mirrors
    source: Source
    sleep: Callable[[float], object]
    counter: _Counter
    stop: threading.Event = field(default_factory=threading.Event)

    def all(self, rows: Sequence[Row], pool: ThreadPoolExecutor, runner: Runner) -> None:
        self._wheels([row for row in rows if isinstance(row, WheelRow)], runner)
        # The largest first: the last connection is then not busy alone for long.
        others = sorted((row for row in rows if not isinstance(row, WheelRow)), key=lambda row: -row.size)
        try:
            for _ in pool.map(self._get, others):
                pass
        finally:
            self.stop.set()

    def _wheels(self, rows: list[WheelRow], runner: Runner) -> None:
        if not rows:
            return
        with tempfile.TemporaryDirectory(dir=self.workspace.cache, prefix="wheels-") as name:
            wheels.fetch(rows, folder=Path(name), runner=runner)
            for row in rows:
                adopt(self.workspace, row, Path(name) / row.file)
                self.counter.add(row)

    def _get(self, row: DebRow | GoRow) -> None:
        tried: list[str] = []
        for url in urls(row, self.mirrors):
            if self.stop.is_set():
                return
            try:
                self._from(url, row)
            except (GoneError, BrokenError) as error:
                tried.append(f"{url}: {error}")
            else:
                self.counter.add(row)
                return
        self.stop.set()
        raise _nowhere(row, tried)

    def _from(self, url: str, row: Row) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(url, row)
            except BrokenError:
                if attempt == ATTEMPTS or self.stop.is_set():
                    raise
            self.sleep(0.25 * 2**attempt)
        return None

    def _once(self, url: str, row: Row) -> None:
        with tempfile.NamedTemporaryFile(dir=self.workspace.downloads, prefix=_PARTIAL, delete=False) as file:
            unfinished = Path(file.name)
            try:
                size, found = _copied(self.source.read(url), file, most=row.size)
                file.flush()
                self._judge(row, url, size, found)
                unfinished.chmod(0o644)
                unfinished.replace(path(self.workspace, row))
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise

    def _judge(self, row: Row, url: str, size: int, found: str) -> None:
        if size < row.size:
            raise BrokenError(f"it ended after {size} of {row.size} bytes")
        if size > row.size or found != row.sha256:
            self.stop.set()
            raise _differs(row, url, found if size == row.size else f"of more than the locked {row.size} bytes")


def _copied(pieces: Iterator[bytes], file: IO[bytes], *, most: int) -> tuple[int, str]:
    """Write *pieces* to *file*; return their size and sha256. What has more than *most* bytes may never end."""
    total, size = hashlib.sha256(), 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            break
        total.update(piece)
        file.write(piece)
    return size, total.hexdigest()


def urls(row: DebRow | GoRow, mirrors: Mirrors) -> Iterator[str]:
    """Yield the addresses a file can be fetched from, in the order to try."""
    place = quote(row.path, safe="/!@+~:")
    if isinstance(row, GoRow):
        yield from (f"{proxy}/{place}" for proxy in mirrors.go)
        return
    yield f"{mirrors.root(row.repo)}/{place}"
    if mirrors.snapshot:
        yield f"{mirrors.snapshot}/{row.repo}/{mirrors.moment}/{place}"


def _differs(row: Row, where: str, found: str) -> CheckError:
    return CheckError(
        f"{row.file_name} is not the locked file",
        where=where,
        why=f"locked sha256 {row.sha256}\nfound  sha256 {found}",
        next="a proxy or the mirror may have changed it: try another mirror; 'invoke lock' accepts what is there now",
    )


def _nowhere(row: Row, tried: list[str]) -> UnreachableError:
    gone = all("HTTP 4" in line or "No such file" in line for line in tried)
    relock = (
        "superseded packages leave the mirrors: run 'invoke lock',\n"
        "or name a snapshot archive in GOLDSMITH_DEBIAN_SNAPSHOT"
    )
    network = "check the network and proxy settings, or name a mirror in GOLDSMITH_DEBIAN_MIRROR (Go modules: GOPROXY)"
    return UnreachableError(
        f"{row.file_name} cannot be fetched",
        where=f"locked as {getattr(row, 'path', row.file_name)}",
        why="\n".join(tried) or "no source is known for it",
        next=relock if gone and tried else network,
    )
