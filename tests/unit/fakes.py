"""Stand-ins for the doors to the outside; strict, so that a test says everything that may happen."""

from __future__ import annotations

import contextlib
import resource
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goldsmith.errors import ToolError
from goldsmith.host.children import refuse_visible
from goldsmith.host.redact import Redactor
from goldsmith.host.runner import TAIL_LINES, Command, Completed
from goldsmith.tools.door import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    Answer = str | int | Completed | Exception | Callable[[Command], Completed]
    """stdout, an exit status, a whole result, an exception to raise, or what makes the result from the command."""


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow within the block; not beyond it, where pytest writes to one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class UnscriptedCommandError(AssertionError):
    """The code under test ran a program that the test does not allow."""


class FakeRunner:
    """Answers commands from a script and refuses all others.

    A key is the beginning of a command line, in whole words (``"docker info"``
    answers ``docker info --format x``); the longest that fits answers. A list of
    answers is used up one by one, and asking once more is refused.

        runner = FakeRunner({"docker version": "26.1.5", "docker info": [1, "ok"]})
    """

    def __init__(self, script: Mapping[str, Answer | list[Answer]] | None = None) -> None:
        self._script = {
            tuple(shlex.split(line)): list(answer) if isinstance(answer, list) else answer
            for line, answer in (script or {}).items()
        }
        self._used: set[tuple[str, ...]] = set()
        self.asked: list[Command] = []

    @property
    def lines(self) -> list[str]:
        """What was run, as shell lines without the environment."""
        return [shlex.join(command.argv) for command in self.asked]

    @property
    def unused(self) -> list[str]:
        """The keys that no command matched, and those with answers left over."""
        return [
            shlex.join(key)
            for key, answer in self._script.items()
            if key not in self._used or (isinstance(answer, list) and answer)
        ]

    def run(
        self,
        command: Command,
        *,
        check: bool = True,
        log: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        """Answer like :class:`goldsmith.host.runner.ProcessRunner`: same results, same errors."""
        self.asked.append(command)
        if command.ready:
            command.ready.wait()
        completed = _completed(self._answer(command), command)
        if log is not None or on_line is not None:
            completed = _streamed(completed, log, on_line)
        if check and completed.returncode != 0:
            raise ToolError(
                f"{command.argv[0]} ended with status {completed.returncode}",
                where=command.replay(),
                why=completed.stderr or completed.stdout,
            )
        return completed

    def _answer(self, command: Command) -> Answer:
        fitting = [key for key in self._script if command.argv[: len(key)] == key]
        if not fitting:
            raise UnscriptedCommandError(f"not in the script: {shlex.join(command.argv)}")
        key = max(fitting, key=len)
        self._used.add(key)
        answer = self._script[key]
        if not isinstance(answer, list):
            return answer
        if not answer:
            raise UnscriptedCommandError(f"asked once too often: {shlex.join(command.argv)}")
        return answer.pop(0)


def _completed(answer: Answer, command: Command) -> Completed:
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, str):
        return Completed(returncode=0, stdout=answer)
    if isinstance(answer, int):
        return Completed(returncode=answer, stdout="")
    return answer if isinstance(answer, Completed) else answer(command)


def _streamed(completed: Completed, log: Path | None, on_line: Callable[[str], None] | None) -> Completed:
    lines = (completed.stdout + completed.stderr).splitlines()
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as sink:
            sink.writelines(f"{line}\n" for line in lines)
    for line in lines if on_line else ():
        assert on_line is not None
        on_line(line)
    return Completed(returncode=completed.returncode, stdout="\n".join(lines[-TAIL_LINES:]))


@dataclass
class FakeProgress:
    """Keeps what was announced: steps with their reason, notes, and brief states."""

    steps: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def step(self, name: str, reason: str = "") -> Iterator[None]:
        """Keep the step's name and reason."""
        self.steps.append((name, reason))
        yield

    def note(self, text: str) -> None:
        """Keep a line."""
        self.notes.append(text)

    def status(self, text: str) -> None:
        """Keep a brief state."""
        self.states.append(text)

    def kept(self, path: Path) -> AbstractContextManager[None]:
        """Keep nothing in files."""
        del path
        return contextlib.nullcontext()


@dataclass
class FakeDoor:
    """The toolbox without a container: the argv as it is, and the secrets where no argv shows them."""

    given: list[Mapping[str, str]] = field(default_factory=list)
    """The secrets of each command, in order."""

    def command(
        self, argv: tuple[str, ...], *, env: Mapping[str, str] = NOTHING, secrets: Mapping[str, str] = NOTHING
    ) -> Command:
        """Return a command that the fake runner answers by the tool's own argv; no secret may stand in it as well."""
        refuse_visible(argv, env, Redactor(secrets.values()))
        self.given.append(secrets)
        return Command(argv=argv, env=env)
