"""How a verb ends: its errors and signals become words and an exit code, and so does output that nobody took."""

from __future__ import annotations

import sys
from importlib import import_module
from signal import SIGHUP
from typing import TYPE_CHECKING, Any

from goldsmith.errors import Exit, GoldsmithError
from goldsmith.host import files, redact, start, streams
from goldsmith.host.signals import PROCESS, Terminated

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENDED = "everything this run started was stopped and removed, except what is listed above"


def carry_out(room: str, name: str, given: Mapping[str, Any], *, looks: bool) -> int:
    """Carry out the verb *name* of ``goldsmith/verbs/<room>.py`` with the flags *given*; return the exit code.

    A reader of stdout that goes away changes nothing: it is reported, by the code alone, at the end of a
    verb whose output is all that was wanted of it. Tracebacks are for bugs.
    """
    start.settle()
    for stream in ("stdout", "stderr"):
        # Results, errors, and a bug's traceback pass the filter, whoever writes them.
        setattr(sys, stream, redact.filtered(getattr(sys, stream), redact.PROCESS))
    try:
        try:
            PROCESS.install()
            from goldsmith.verbs.flags import Request

            request = Request(**given)
            getattr(import_module(f"goldsmith.verbs.{room}"), name)(request)
        finally:
            PROCESS.restore()  # nothing is left to be cleaned up
        unread = streams.is_unread(sys.stdout) and (looks or request.dry_run or request.json)
    except GoldsmithError as error:
        return _say(error.render(), error.exit_code)
    except KeyboardInterrupt:
        return _say(f"interrupted: {_ENDED}", Exit.INTERRUPTED)
    except Terminated as signal:
        how, code = ("hung up", Exit.HUNG_UP) if signal.number == SIGHUP else ("terminated", Exit.TERMINATED)
        return _say(f"{how}: {_ENDED}", code)
    except OSError as error:
        if found := files.explained(error):
            return _say(found.render(), found.exit_code)
        raise
    return Exit.UNREAD if unread else Exit.DONE


def _say(text: str, code: Exit) -> Exit:
    sys.stderr.write(f"\n{text}\n")
    return code
