"""Unit tests neither start a process nor open a socket: this makes it so."""

from __future__ import annotations

import os
import resource
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# A busy machine is no failure: no test asserts how long something takes.
settings.register_profile(
    "goldsmith",
    deadline=None,
    max_examples=int(os.environ.get("GOLDSMITH_EXAMPLES", "100")),  # `nox -s hostile` takes many more
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("goldsmith")

FORBIDDEN = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
        "socket.__new__",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "subprocess.Popen",
    }
)


class _Guard:
    """A hook for the interpreter's own events, because patching modules misses who imported early."""

    def __init__(self) -> None:
        self.armed = False
        self.seen: list[str] = []

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.armed and event in FORBIDDEN:
            self.seen.append(f"{event} {arguments[:2]!r}")
            pytest.fail(f"a unit test may not do this: {self.seen[-1]}")


_guard = _Guard()
sys.addaudithook(_guard)


@pytest.fixture(autouse=True)
def no_process_no_socket() -> Iterator[None]:
    """Fail a unit test that starts a process or opens a socket, even where the code swallows the failure."""
    _guard.seen.clear()
    _guard.armed = True
    yield
    _guard.armed = False
    seen = list(_guard.seen)
    if seen:
        pytest.fail(f"a unit test may not do this: {seen}")


@pytest.fixture
def as_before() -> Iterator[None]:
    """Give this process its own handlers of signals, mask, limits and streams back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    limits = {number: resource.getrlimit(number) for number in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE)}
    streams = sys.stdout, sys.stderr
    mask = os.umask(0o022)
    yield
    os.umask(mask)
    sys.stdout, sys.stderr = streams
    for limit, value in limits.items():
        resource.setrlimit(limit, value)
    for number, handler in handlers.items():
        signal.signal(number, handler)
