"""The one door through which goldsmith starts processes."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from goldsmith.errors import ToolError
from goldsmith.host import children, pipes
from goldsmith.host.logs import Log
from goldsmith.host.redact import Redactor
from goldsmith.host.signals import PROCESS, Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

TIMED_OUT = 124
"""The status of a command that outlived its timeout, as with coreutils' timeout."""
TAIL_LINES = 20
"""How many last lines of a failed program an error shows."""
GRACE_SECONDS = 60.0
"""How long an interrupted program may clean up (Packer destroys its VM) before it is killed."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A program to run: built by pure functions, run by a :class:`Runner`, printable at any time.

    ``stdin`` never appears in a representation, because secrets travel there.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of the suite; non-secret values only reach logs through *replay*."""
    fetches: bool = False
    """It goes to mirrors or indexes itself: proxies and such reach it even with a login in them."""
    without: tuple[str, ...] = ()
    """Beginnings of names: variables of the suite's environment that would lead the program astray."""
    cwd: Path | None = None
    stdin: bytes | None = field(default=None, repr=False)
    timeout: float | None = None
    """Seconds after which it is killed with its children; the status is then ``TIMED_OUT``."""
    ready: threading.Event | None = field(default=None, repr=False, compare=False)
    """Set by another thread when stdin may be given and ended: a program that reads it first waits until then."""
    stop: Stop | None = field(default=None, repr=False, compare=False)
    """How another thread may interrupt it."""
    ending: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """Run after it was interrupted or killed: ends what signals may not have reached, such as a container."""

    def replay(self) -> str:
        """Return a line that can be pasted into a shell."""
        assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in self.env.items())
        return f"{assignments} {shlex.join(self.argv)}".strip()


@dataclass(frozen=True, kw_only=True)
class Completed:
    """How a program ended: its exit status and what it printed (stdout only, unless merged)."""

    returncode: int
    stdout: str
    stderr: str = ""


class Runner(Protocol):
    """Runs commands; the real one is :class:`ProcessRunner`, tests use a strict fake."""

    def run(
        self,
        command: Command,
        *,
        check: bool = True,
        log: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        """Run *command* to its end.

        With *log* or *on_line*, stdout and stderr are merged, written (redacted)
        to *log* and handed over line by line as they appear; the result then
        carries only the last lines. Without, both are captured whole.

        Raises ``ToolError`` when the program is missing, or when *check* is set
        and it ends with another status than 0, and ``VisibleSecretError`` when
        its arguments or variables show a secret.
        """
        ...


class ProcessRunner:
    """Runs programs as children in their own process group and ends them when the suite is interrupted."""

    def __init__(
        self,
        redact: Redactor | None = None,
        environment: Mapping[str, str] = os.environ,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.redact = redact or Redactor()
        self._environment = environment
        self._tell = tell
        """Takes what people should know although nothing failed: that a log is incomplete."""

    def run(
        self,
        command: Command,
        *,
        check: bool = True,
        log: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        """Run *command*; see :class:`Runner`."""
        children.refuse_visible(command.argv, command.env, self.redact)
        streamed = log is not None or on_line is not None
        with (
            self._started(command, merged=streamed) as process,
            command.stop.reaching(process) if command.stop else contextlib.nullcontext(),
            _deadline(process, command.timeout) as outlived,
        ):
            completed = self._stream(process, command, log, on_line) if streamed else _capture(process, command)
        if outlived.is_set():
            self.finish_off(command)
            completed = replace(completed, returncode=TIMED_OUT)
        if check and completed.returncode != 0:
            raise self._failure(command, completed, log)
        return completed

    @contextlib.contextmanager
    def _started(self, command: Command, *, merged: bool) -> Iterator[subprocess.Popen[bytes]]:
        try:
            process = subprocess.Popen(
                command.argv,
                env=_variables(command, self._environment, self.redact),
                cwd=command.cwd,
                stdin=subprocess.DEVNULL if command.stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if merged else subprocess.PIPE,
                # Its own group: Ctrl-C reaches the suite alone, which then passes it on
                # once, so that no tool is hit twice and skips its clean-up.
                start_new_session=True,
            )
        except OSError as error:  # it is missing, no program, or for another machine; or there is no room for one more
            raise ToolError(
                f"the program {command.argv[0]} cannot be started",
                where=self.redact(command.replay()),
                why=str(error),
                next=f"install {command.argv[0]}, or put it on PATH",
            ) from None
        try:
            yield process
        except BaseException:
            with PROCESS.held_off():
                _end(process)
                self.finish_off(command)
            raise
        finally:
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()

    def _stream(
        self,
        process: subprocess.Popen[bytes],
        command: Command,
        log: Path | None,
        on_line: Callable[[str], None] | None,
    ) -> Completed:
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        with contextlib.nullcontext() if log is None else Log(log) as sink:
            pipes.feed(process.stdin, command.stdin, command.ready)
            for raw in pipes.lines(process.stdout):
                line = self.redact(raw)
                tail.append(line)
                if sink is not None:
                    sink.line(line)
                if on_line is not None:
                    on_line(line)
        if sink is not None and sink.trouble:
            self._tell(f"the log {log} is incomplete: {sink.trouble.strerror}")
        return Completed(returncode=process.wait(), stdout="\n".join(tail))

    def finish_off(self, command: Command) -> None:
        """End what is left of an ended command elsewhere; that nothing is left is the usual case."""
        if command.ending:
            env = _variables(command, self._environment, self.redact)
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    command.ending, env=env, capture_output=True, check=False, start_new_session=True, timeout=30
                )

    def _failure(self, command: Command, completed: Completed, log: Path | None) -> ToolError:
        tail = (completed.stderr.strip() or completed.stdout.strip()).splitlines()[-TAIL_LINES:]
        return ToolError(
            f"{command.argv[0]} ended with status {completed.returncode}",
            where=self.redact(command.replay()) + (f"\nlog: {log}" if log else ""),
            why=self.redact("\n".join(tail)) or "it printed nothing",
            next="the line under 'where' repeats it by hand",
        )


@contextlib.contextmanager
def _deadline(process: subprocess.Popen[bytes], seconds: float | None) -> Iterator[threading.Event]:
    """Kill the child's whole group after *seconds*; the event tells that this happened."""
    outlived = threading.Event()
    if seconds is None:
        yield outlived
        return

    def end() -> None:
        outlived.set()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield outlived
    finally:
        timer.cancel()


def _variables(command: Command, environment: Mapping[str, str], redact: Redactor) -> dict[str, str]:
    kept = children.inherited(environment, redact, fetches=command.fetches, without=command.without)
    return {**kept, **command.env}


def interact(command: Command, redact: Redactor, environment: Mapping[str, str] = os.environ) -> int:
    """Run *command* with this process's own terminal, and return its exit status.

    It stays in the foreground process group, so Ctrl-C is its own affair.
    """
    children.refuse_visible(command.argv, command.env, redact)
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        env = _variables(command, environment, redact)
        return subprocess.run(command.argv, env=env, cwd=command.cwd, check=False).returncode
    except BaseException:
        # The terminal was closed: what ran in it is not ended by that, if it is a container.
        with PROCESS.held_off():
            ProcessRunner(redact, environment).finish_off(command)
        raise
    finally:
        signal.signal(signal.SIGINT, previous)


def _capture(process: subprocess.Popen[bytes], command: Command) -> Completed:
    out, err = process.communicate(command.stdin)
    return Completed(
        returncode=process.returncode,
        stdout=out.decode(errors="replace"),
        stderr=err.decode(errors="replace"),
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt the child's whole group, and kill it when it does not end in time."""
    for number, patience in ((signal.SIGINT, GRACE_SECONDS), (signal.SIGTERM, 5.0), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
