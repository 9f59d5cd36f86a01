"""Where goldsmith keeps its files: the repository, the cache, and a folder for each build."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError, RefusedError
from goldsmith.host.files import ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SECRET_MODE = 0o600
PUBLIC_MODE = 0o644


@dataclass(frozen=True)
class Workspace:
    """The folders of one checkout. Paths are properties; only methods touch the disk."""

    root: Path
    """The repository: the folder that holds ``inv``."""
    cache: Path
    """Content-addressed downloads and locks, shared by every checkout of this user."""

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ) -> Workspace:
        """Return the checkout this package lies in, with the cache the environment names."""
        root = Path(__file__).resolve().parents[2]
        return cls(root=root, cache=_cache_home(environment))

    @property
    def builds(self) -> Path:
        """The folder with one folder per build."""
        return self.root / "build"

    def build(self, build_id: str) -> Path:
        """Return the folder of one build."""
        return self.builds / build_id

    @property
    def downloads(self) -> Path:
        """The content-addressed store: a file's name is its sha256."""
        return self.cache / "sha256"

    @property
    def locks(self) -> Path:
        """The folder of lock files."""
        return self.cache / "locks"

    @contextlib.contextmanager
    def locked(self, name: str, *, wait: bool = True, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the machine-wide lock *name* within the block; the kernel frees it even after kill -9.

        *on_wait* is called once when somebody else holds it and this call is going to wait.
        Raises ``RefusedError`` when another process holds it and *wait* is off.
        """
        with holding(self.locks / f"{name}.lock", what=name, wait=wait, on_wait=on_wait):
            yield


@contextlib.contextmanager
def holding(path: Path, *, what: str, wait: bool = True, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock file *path*, which stands for *what*, within the block; see :meth:`Workspace.locked`."""
    held = False
    while not held:
        descriptor = _lock_file(path)
        try:
            with ours(path):  # some file systems have no locks
                _lock(descriptor, _held(path, what), wait=wait, on_wait=on_wait)
            # Who held it before may have removed the file: then nobody else would see this lock.
            if held := _is_there(path, descriptor):
                yield
        finally:
            os.close(descriptor)


def _lock_file(path: Path) -> int:
    """Open a lock file, made if it is not there; what it holds stays, and a link is not followed."""
    with ours(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(path, flags | os.O_RDWR, PUBLIC_MODE)
        except PermissionError:  # another user's: to see whether it is held, reading it is enough
            return os.open(path, flags | os.O_RDONLY, PUBLIC_MODE)


def _lock(descriptor: int, held: RefusedError, *, wait: bool, on_wait: Callable[[], None] | None) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not wait:
            raise held from None
        if on_wait is not None:
            on_wait()
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _held(path: Path, what: str) -> RefusedError:
    return RefusedError(
        f"another run holds the lock {what}",
        where=str(path),
        why="two runs of one image and site on one machine would disturb each other",
        next="wait for the other run, or leave out --no-wait and this one waits for it",
    )


def _cache_home(environment: Mapping[str, str]) -> Path:
    named, base = environment.get("GOLDSMITH_CACHE_DIR"), Path(environment.get("XDG_CACHE_HOME", ""))
    try:
        if named:
            return Path(named).expanduser().resolve()
        # The XDG Base Directory Specification: a relative path is to be ignored.
        return (base if base.is_absolute() else Path("~/.cache").expanduser()) / "goldsmith"
    except RuntimeError as error:  # a user who does not exist, or links in a circle
        raise ConfigurationError(
            "there is no folder for the cache",
            where=f"GOLDSMITH_CACHE_DIR={named}" if named else "HOME",
            why=str(error),
            next="name a folder that this user may write to: GOLDSMITH_CACHE_DIR=/var/tmp/goldsmith",
        ) from None


def write_if_changed(path: Path, content: str | bytes, *, mode: int = PUBLIC_MODE) -> bool:
    """Write *content* to *path* unless it is there already; return whether anything was written.

    The file appears whole or not at all, and never with wider permissions than *mode*.
    """
    data = content.encode() if isinstance(content, str) else content
    with ours(path):
        return _written(path, data, mode)


def _written(path: Path, data: bytes, mode: int) -> bool:
    if path.is_file() and path.stat().st_mode & 0o777 == mode and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True
