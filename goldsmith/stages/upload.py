"""Puts boot media onto the site's datastore: whole under their final name, or not at all."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError, GoldsmithError
from goldsmith.tools import govc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from goldsmith.host.progress import Progress
    from goldsmith.host.runner import Completed
    from goldsmith.media.store import Store

DIGEST_SHORT = 12
"""How much of a reusable medium's sha256 stands in its name."""
_STEP_PER_CENT = 10
"""Progress is told this often: a log shows every line."""


def build_path(store: Store, *, build_id: str, suffix: str = ".iso") -> str:
    """Return where the medium of a build lies, or will lie, as vSphere writes it."""
    return store.iso_path(_build_name(build_id, suffix))


def _build_name(build_id: str, suffix: str) -> str:
    return f"goldsmith-{build_id}{suffix}"


def build_medium(store: Store, medium: Path, *, build_id: str) -> str:
    """Upload the medium of one build, to be removed at its end; return its path as vSphere writes it.

    The name carries the build's id, by which ``clean`` finds what a killed build left.
    A medium uploaded for this build before is replaced: it may hold other answers.
    """
    name = _build_name(build_id, medium.suffix)
    completed = _store(store, medium, name=name, build_id=build_id, replace=True)
    if completed.returncode != 0:
        raise _failure(store, completed, name)
    return store.iso_path(name)


def reusable_medium(store: Store, medium: Path, *, stem: str, sha256: str, build_id: str) -> str:
    """Upload a medium that many builds use, unless it is there already; return its path as vSphere writes it.

    Its name carries the content's hash, so present with the right size means done,
    and when two builds upload it at once, the one that comes second uses the other's.

    Raises ``CheckError`` when a file of that name has another size.
    """
    name = f"{stem}-{sha256[:DIGEST_SHORT]}.iso"
    if _present(store, medium, name):
        store.progress.note(f"{store.iso_path(name)} is there already")
        return store.iso_path(name)
    completed = _store(store, medium, name=name, build_id=build_id, replace=False)
    if completed.returncode != 0:
        if not (govc.already_exists(completed.stdout) and _present(store, medium, name)):
            raise _failure(store, completed, name)
        store.progress.note(f"{store.iso_path(name)} was put there by another build in the meantime")
    return store.iso_path(name)


def companion(store: Store, file: Path, *, name: str, build_id: str) -> str:
    """Upload what is kept beside a template; return its path as vSphere writes it. What had its name is replaced."""
    completed = _store(store, file, name=name, build_id=build_id, replace=True)
    if completed.returncode != 0:
        raise _failure(store, completed, name)
    return store.iso_path(name)


def remove(store: Store, iso_path: str) -> None:
    """Remove a build's medium; it may be gone already."""
    path = iso_path.rpartition("] ")[2]
    completed = store.runner.run(govc.remove(store.door, store.access, path), check=False)
    if completed.returncode != 0:
        raise _located(govc.explain(completed.stdout + completed.stderr), store, path)


def _store(store: Store, medium: Path, *, name: str, build_id: str, replace: bool) -> Completed:
    # Distinct for each try: nobody renames or removes what somebody else is still writing.
    part = f"goldsmith-{build_id}-{secrets.token_hex(3)}.part"
    command = govc.store(
        store.door,
        store.access,
        file=medium.relative_to(store.root).as_posix(),
        folder=store.folder.as_posix(),
        part=store.path(part),
        name=store.path(name),
        replace=replace,
    )
    return store.runner.run(command, check=False, log=store.log, on_line=_reporter(store.progress))


def _present(store: Store, medium: Path, name: str) -> bool:
    path = store.path(name)
    try:
        found = govc.parse_size(store.runner.run(govc.size(store.door, store.access, path), check=False))
    except GoldsmithError as error:
        raise _located(error, store, path) from None
    expected = medium.stat().st_size
    if found not in (None, expected):
        raise CheckError(
            "a boot medium on the datastore has the right name and the wrong size",
            where=store.iso_path(name),
            why=f"it has {found} bytes, the medium to upload {expected}",
            next="nothing of this suite leaves such a file behind: look at it, and remove it if nobody uses it",
        )
    return found is not None


def _failure(store: Store, completed: Completed, name: str) -> GoldsmithError:
    return _located(govc.explain(completed.stdout + completed.stderr), store, store.path(name))


def _located(error: GoldsmithError, store: Store, path: str) -> GoldsmithError:
    place = f"{store.access.server}, datacenter {store.access.datacenter}, {store.access.stored(path)}"
    log = f"\nlog: {store.log}" if store.log else ""
    return type(error)(error.what, where=place + log, why=error.why, next=error.next)


def _reporter(progress: Progress) -> Callable[[str], None]:
    told = 0

    def report(line: str) -> None:
        nonlocal told
        found = govc.parse_progress(line)
        if found and found[0] >= told + _STEP_PER_CENT:
            told = found[0] - found[0] % _STEP_PER_CENT
            progress.status(f"uploaded {found[0]} %" + (f", {found[1]}" if found[1] else ""))

    return report
