"""Runs Invoke for ./inv: the same verbs, but a command line that cannot be understood ends as other errors do."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import sys
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

# Invoke takes unittest.mock for a class that serves tests of tasks alone; with it comes asyncio, and both are a third
# of the time that listing the verbs takes. Whoever imports unittest.mock later gets the real one.
_MOCK = "unittest.mock"
_light = ModuleType(_MOCK)
vars(_light)["Mock"] = object
sys.modules.setdefault(_MOCK, _light)

from invoke import __version__  # noqa: E402 - after what makes it light
from invoke.exceptions import Exit, ParseError  # noqa: E402 - after what makes it light
from invoke.program import Program  # noqa: E402 - after what makes it light

if sys.modules[_MOCK] is _light:
    del sys.modules[_MOCK]

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USAGE = 2
"""Exit code for what the operator wrote; Invoke's own is 1, which here means a bug."""


_LAUNCHERS = 3
"""Words that nobody typed: the program's name, --search-root, and the repository."""


class Verbs(Program):
    """Invoke's command line, with our exit code and our four parts for usage errors."""

    def parse_core(self, argv: Sequence[str] | None) -> None:
        """Read what stands before the first verb."""
        with self._understood():
            super().parse_core(argv)

    def parse_tasks(self) -> None:
        """Read the verbs and their flags."""
        with self._understood():
            super().parse_tasks()

    @contextlib.contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except ParseError as error:
            self._refuse(str(error), error.context)
        except ValueError as error:
            self._refuse(f"a flag takes a number: {error}", None)

    def _refuse(self, said: str, context: object) -> NoReturn:
        from difflib import get_close_matches

        flags = list(getattr(context, "flags", ()))
        verbs = [name.replace("_", "-") for name in self.collection.task_names] if self.collection else []
        said = re.sub(r"^Flag <Argument: ([^ >]+).*> needed value.*", r"--\1 needs a value", said)
        word = re.search(r"'(.+)'", said)
        known = flags if word and word[1].startswith("-") else verbs
        close = get_close_matches(word[1], known, n=1) if word else []
        lines = (
            "\nwhat:  the command line cannot be understood",
            f"where: ./inv {shlex.join(self.argv[_LAUNCHERS:])}",
            f"why:   {said}" + (f" Did you mean {close[0]}?" if close else ""),
            "next:  ./inv --list shows the verbs, ./inv VERB --help the flags of one",
        )
        raise Exit("\n".join(lines), code=USAGE) from None


def main() -> int:
    """Run what was asked for; return the exit status."""
    program = Verbs(name="Invoke", binary="inv", binary_names=["inv"], version=__version__)
    try:
        try:
            program.run(["inv", *sys.argv[1:]])
        finally:
            # Invoke ends by SystemExit, and what Python flushes after that nobody can catch.
            if sys.stdout is not None:  # as it is when the caller closed it
                sys.stdout.flush()
    except BrokenPipeError:
        # The list of verbs, as with `| head`: whoever read it has seen enough. Verbs see to themselves.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return 0


if __name__ == "__main__":
    sys.exit(main())
