"""Listens to Packer: its steps become live ones, and what an error needs is remembered."""

from __future__ import annotations

import contextlib
import re
from collections import deque
from typing import TYPE_CHECKING, Self

from goldsmith.host.runner import TAIL_LINES
from goldsmith.tools import diagnosis, packer_output

if TYPE_CHECKING:
    from types import TracebackType

    from goldsmith.host.progress import Progress

_TASK = re.compile(r"^TASK \[(.+)\]", re.MULTILINE)
"""How Ansible announces a task."""


class Listener:
    """Follows Packer's output: turns its steps into live ones, and remembers what an error needs."""

    def __init__(self, progress: Progress, *, phase: str = "base") -> None:
        self._progress = progress
        self._phase = phase
        self._task = ""
        self._open = contextlib.ExitStack()
        self.step = packer_output.Step.PREPARE
        self.address = ""
        self.errors: list[str] = []
        self.output: deque[str] = deque(maxlen=TAIL_LINES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, traceback)  # the step in which it happened shows the failure

    def line(self, text: str) -> None:
        """Take one line of output."""
        match packer_output.understand(text):
            case packer_output.Began(step) if step is not self.step:
                self._open.close()
                self.step = step
                self._open.enter_context(self._progress.step(packer_output.called(step, phase=self._phase)))
            case packer_output.Address(address):
                self.address = address
                self._progress.note(f"the guest has the address {address}")
            case packer_output.Output(said):
                self.output.extend(said.splitlines())
                if task := _TASK.search(said):
                    self._task = task[1]
                self._progress.status(said)
            case packer_output.Failed(said) if said not in self.errors:
                self.errors.append(said)
            case _:
                pass

    def evidence(self) -> diagnosis.Evidence:
        """Return what was heard."""
        return diagnosis.Evidence(
            step=self.step,
            errors=tuple(self.errors),
            output=tuple(self.output),
            address=self.address,
            phase=self._phase,
            task=self._task,
        )
