"""Runs a command as an operator would, and says what it cost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
_EVERY_SECONDS = 0.02
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_ENDED = re.compile(r"^\s*✓ (?P<name>\S+) \((?P<seconds>[\d.]+)s\)$", re.MULTILINE)
_PACKER = re.compile(r"^\s*Build '[^']+' finished after (?P<spans>.+)\.$", re.MULTILINE)
_SPAN = re.compile(r"(\d+) (minute|second|millisecond)s?")
_SECONDS = {"minute": 60.0, "second": 1.0, "millisecond": 0.001}


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of processor time, its child processes included."""
    peak: float
    """Most memory of the process itself, in MB (VmHWM)."""
    out: str
    err: str

    def stage(self, name: str) -> float:
        """Return the seconds that the run says a stage took."""
        return next(float(found["seconds"]) for found in _ENDED.finditer(self.err) if found["name"] == name)

    @property
    def packer(self) -> float:
        """The seconds that Packer itself says its last build took."""
        *_, last = _PACKER.finditer(f"{self.out}\n{self.err}")
        return sum(int(count) * _SECONDS[unit] for count, unit in _SPAN.findall(last["spans"]))


def run(*argv: str, environment: Mapping[str, str], stdin: bytes = b"") -> Cost:
    """Run *argv* in the repository to its end; what fails ends the bench with its own words."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        before, began = os.times(), time.perf_counter()
        process = subprocess.Popen(argv, env=dict(environment), cwd=ROOT, stdin=subprocess.PIPE, stdout=out, stderr=err)
        peaks: list[int] = [0]
        watcher = threading.Thread(target=_watch, args=(process, peaks), daemon=True)
        watcher.start()
        process.communicate(stdin)
        wall, after = time.perf_counter() - began, os.times()
        watcher.join()
        texts = [_content(file) for file in (out, err)]
    if process.returncode != 0:
        sys.exit(f"{' '.join(argv[:3])} ended with status {process.returncode}:\n{texts[0]}\n{texts[1]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall, cpu, max(peaks) / 1000, *texts)


def _watch(process: subprocess.Popen[bytes], peaks: list[int]) -> None:
    """Read the kernel's high-water mark until the process is gone: it only grows, so the last one seen is the peak."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            found = _PEAK.search(status.read_text())
        except OSError:
            return
        if found:
            peaks.append(int(found[1]))
        time.sleep(_EVERY_SECONDS)  # the mark has no event


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
