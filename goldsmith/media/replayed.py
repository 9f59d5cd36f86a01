"""Makes a reusable boot medium: the vendor's ISO, whose boot loaders start the installer with our words."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from goldsmith.errors import CheckError, ToolError
from goldsmith.tools import bootconfig, netboot, replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from goldsmith.host.runner import Runner
    from goldsmith.tools.door import Door

_PIECE = 8 << 20
"""Bytes that are copied at once: an interruption waits for them."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What is replayed, and where it goes."""

    source: Path
    """The vendor's ISO."""
    words: Sequence[str]
    """Added to the kernel's command line."""
    root: Path
    output: Path
    """Lies in the repository."""
    epoch: int
    seen_as: str = ""
    """The vendor's ISO as the toolbox sees it; left out, it lies in the repository as well."""
    log: Path | None = None

    @property
    def iso(self) -> str:
        """The vendor's ISO, as the toolbox sees it."""
        return self.seen_as or self.source.relative_to(self.root).as_posix()


def make(order: Replay, *, runner: Runner, door: Door) -> str:
    """Write the medium, whole or not at all; return its sha256.

    Raises ``CheckError`` when no boot loader starts an installer, or the result would
    boot in another way than the vendor's.
    """
    part = order.output.with_suffix(".part")
    try:
        replayed(order, runner=runner, door=door)
        _compare(order.iso, part.relative_to(order.root).as_posix(), runner=runner, door=door)
        part.replace(order.output)
    finally:
        part.unlink(missing_ok=True)
    return netboot.sha256(order.output)


def replayed(order: Replay, *, runner: Runner, door: Door) -> None:
    """Write the medium as ``.part`` beside its place; nothing of it is looked at yet."""
    folder, part = order.output.with_suffix(".files"), order.output.with_suffix(".part")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    inside, target = (path.relative_to(order.root).as_posix() for path in (folder, part))
    try:
        # Copying takes long, and reading a few files does not: beside each other.
        with _copying(order.source, part) as copied:
            runner.run(replay.extract(door, order.iso, inside), log=order.log)
            changed = _changed(folder, order.words)
            copied()
        command = replay.change(door, order.iso, copy=target, folder=inside, files=changed, epoch=order.epoch)
        runner.run(command, log=order.log)
    except OSError as error:
        raise ToolError(
            "the boot medium cannot be written",
            where=str(part),
            why=str(error),
            next="it takes as much space there as the vendor's ISO; free that much, and run the same command again",
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _copying(source: Path, target: Path) -> Iterator[Callable[[], None]]:
    """Copy a file during the block, and yield what waits for the copy; leaving the block before ends it."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        copy = pool.submit(_copy, source, target, stop)
        try:
            yield copy.result
        finally:
            stop.set()


def _copy(source: Path, target: Path, stop: threading.Event) -> None:
    with source.open("rb") as reader, target.open("wb") as writer:
        one_disk = os.fstat(reader.fileno()).st_dev == os.fstat(writer.fileno()).st_dev
        # Linux does it without this process, and where the file system can, without the disk.
        send = _in_kernel if one_disk and hasattr(os, "copy_file_range") else _through_memory
        while not stop.is_set() and send(reader, writer):
            pass


def _in_kernel(reader: BinaryIO, writer: BinaryIO) -> int:
    return os.copy_file_range(reader.fileno(), writer.fileno(), _PIECE)


def _through_memory(reader: BinaryIO, writer: BinaryIO) -> int:
    return writer.write(reader.read(_PIECE))


def _changed(folder: Path, words: Sequence[str]) -> list[str]:
    """Edit the extracted files in place; return the paths of those that differ now."""
    texts = {
        path.relative_to(folder).as_posix(): path.read_bytes().decode("utf-8", "surrogateescape")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    sums = texts.pop(bootconfig.SUMS, None)
    made = bootconfig.edited(texts, words)
    data = {path: text.encode("utf-8", "surrogateescape") for path, text in made.items()}
    if sums is not None:
        # Not a seal against anybody: it is what the medium's own check compares with.
        new = {path: hashlib.md5(content, usedforsecurity=False).hexdigest() for path, content in data.items()}
        if (updated := bootconfig.updated_sums(sums, new)) != sums:
            data[bootconfig.SUMS] = updated.encode("utf-8", "surrogateescape")
    for path, content in data.items():
        (folder / path).write_bytes(content)
    return sorted(data)


def _compare(before: str, after: str, *, runner: Runner, door: Door) -> None:
    was, is_now = (replay.structure(runner.run(replay.report(door, iso)).stdout) for iso in (before, after))
    if was != is_now:
        raise CheckError(
            "the new boot medium would boot in another way than the vendor's",
            where=before,
            why="\n".join([*(f"- {line}" for line in was), *(f"+ {line}" for line in is_now)]),
            next="xorriso cannot change this ISO; make the medium by hand and name it: ISO_PATH",
        )
