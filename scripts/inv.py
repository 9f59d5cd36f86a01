"""Runs Invoke for ./inv: the same verbs, but a command line that cannot be understood ends as other errors do."""

from __future__ import annotations

import contextlib
import re
import shlex
import sys
from pathlib import Path
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

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from goldsmith.errors import Exit as Code  # noqa: E402 - needs the path above: Python was told to look nowhere else
from goldsmith.errors import ToolError  # noqa: E402 - as above
from goldsmith.host import start, streams  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
        raise Exit("\n".join(lines), code=Code.CONFIGURATION) from None


def main() -> int:
    """Run what was asked for; return the exit status."""
    start.settle()
    program = Verbs(name="Invoke", binary="inv", binary_names=["inv"], version=__version__)
    try:
        program.run(["inv", *sys.argv[1:]])
    except SystemExit as ended:
        if ended.code:
            raise
        return _listed()
    return Code.DONE  # a verb's; it has seen to its output itself


def _listed() -> int:
    """Return the exit code of a list or a help, which Invoke prints: ``| head`` may have seen enough of it."""
    try:
        return Code.UNREAD if streams.is_unread(sys.stdout) else Code.DONE
    except ToolError as error:
        sys.stderr.write(f"\n{error.render()}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
