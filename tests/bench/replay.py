"""How long replaying an ISO takes beside copying it: both until the last byte is on the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from goldsmith.media import replayed
from goldsmith.wiring import Session
from tests import vendor
from tests.bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PIECE = 1 << 23
_SPARE = 4.5
"""How many times the ISO's size is needed: what it is made of or a copy, itself, and a new one, with room."""


def measured(gigabytes: int, pairs: int) -> Iterator[Figure]:
    """Compare *pairs* of copies and replays of an ISO full of random bytes, in the order copy, replay, replay, copy."""
    session = Session.here()
    folder = session.workspace.builds / "bench-replay"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        if shutil.disk_usage(folder).free < gigabytes * _SPARE * 1e9:
            sys.exit(f"replaying needs {gigabytes * _SPARE:.0f} GB of space; --replay 0 leaves this out")
        iso = vendor.make(session, folder, large=_random(folder / "large", gigabytes * 10**9))
        yield from _compared(session, iso, pairs)
    finally:
        shutil.rmtree(folder)


def _compared(session: Session, iso: Path, pairs: int) -> Iterator[Figure]:
    root, output = session.workspace.root, iso.with_name("new.iso")
    request = replayed.Replay(
        source=iso,
        words=("ks=floppy",),
        root=root,
        output=output,
        epoch=session.lock.source_date_epoch,
    )
    copied = iso.with_name("copy.iso")
    part = output.with_suffix(".part")
    ways: tuple[tuple[Callable[[], object], Path], ...] = (
        (lambda: subprocess.run(("cp", str(iso), str(copied)), check=True), copied),
        (lambda: replayed.replayed(request, runner=session.runner, door=session.toolbox()), part),
    )
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(pairs):
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            seconds[which].append(_until_on_disk(*ways[which]))
    began = time.perf_counter()
    replayed.make(request, runner=session.runner, door=session.toolbox())
    whole = time.perf_counter() - began
    copies, replays = (tuple(values) for values in seconds)
    size = iso.stat().st_size / 1e9
    # Of the least of each: a pair of which only the copy was disturbed would flatter.
    ratio = min(replays) / min(copies)
    yield Figure(name=f"replay / cp of an ISO of {size:.0f} GB", unit="", goal=1.2, values=(ratio,))
    yield Figure(name="cp", unit="s", values=copies)
    yield Figure(name="replay", unit="s", values=replays)
    yield Figure(name="replay, compared, and its sha256", unit="s", values=(whole,))


def _until_on_disk(way: Callable[[], object], written: Path) -> float:
    """Return how long it takes to write a file this way; what others left to be written is waited for first."""
    os.sync()
    began = time.perf_counter()
    way()
    with written.open("rb") as file:
        os.fsync(file.fileno())
    seconds = time.perf_counter() - began
    written.unlink()
    return seconds


def _random(file: Path, size: int) -> Path:
    with file.open("wb") as stream:
        for _ in range(size // _PIECE):
            stream.write(os.urandom(_PIECE))
    return file
