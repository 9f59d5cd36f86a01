"""The checks of two clones: what they are told, and what they said."""

from __future__ import annotations

import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from goldsmith.errors import ToolError
from goldsmith.host.files import read_object
from goldsmith.host.signals import Stop
from goldsmith.host.workspace import write_if_changed
from goldsmith.stages.verify.pair import hostname
from goldsmith.stages.verify.request import ALIASES, FOLDER, KEY, LOG
from goldsmith.tools import junit, testinfra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from goldsmith.forging import Effects
    from goldsmith.host.runner import Completed
    from goldsmith.stages.verify.request import Verification
    from goldsmith.tools.junit import Check

CHECKS = {
    "base": ("verify/test_guest.py", "verify/test_hygiene.py", "verify/test_clones.py"),
    "docker": ("verify/test_guest.py", "verify/test_docker.py", "verify/test_hygiene.py", "verify/test_clones.py"),
}
_FAILED_CHECKS = 1
"""pytest's status when it ran and something failed; any higher one means that it could not run."""


@dataclass(frozen=True)
class Looked:
    """What came of looking at the clones."""

    checks: tuple[Check, ...]
    booting: float
    """Seconds until the slower clone had ended its first boot: an address is told before."""


@contextlib.contextmanager
def waiting(request: Verification, effects: Effects) -> Iterator[Callable[[Mapping[str, str]], Looked]]:
    """Start the checks, which wait, and yield what lets them look at the clones at some addresses, by alias.

    Starting a container takes half a second, in which clones boot. What is yielded returns what was found, and
    raises ``ToolError`` when the checks cannot run. The container is gone at the block's end.
    """
    folder = request.folder / FOLDER
    where = folder.relative_to(request.root).as_posix()
    argv, environment = testinfra.argv(ALIASES, folder=where, checks=_modules(request)), testinfra.environment(where)
    ready, stop = threading.Event(), Stop()
    # Nothing secret: the toolbox's entry point reads stdin to its end before it runs anything.
    held = effects.toolbox.command(argv, env=environment, secrets={"GOLDSMITH_CHECKS": "may begin"})
    with ThreadPoolExecutor(1) as pool:
        order = replace(held, ready=ready, stop=stop)
        run = pool.submit(effects.runner.run, order, check=False, log=request.folder / LOG)

        def look(addresses: Mapping[str, str]) -> Looked:
            began = effects.now().timestamp()
            _prepare(request, addresses)
            ready.set()
            repeat = effects.toolbox.command(argv, env=environment).replay()
            done = run.result()
            _mask(folder, effects.redact)
            return _looked(request, done, began, repeat)

        try:
            yield look
        finally:
            if not run.done():
                stop.ask()
            ready.set()


def _prepare(request: Verification, addresses: Mapping[str, str]) -> None:
    """Write what the checks read, and remove what an earlier run of them wrote."""
    folder = request.folder / FOLDER
    for stale in ("junit.xml", "known_hosts"):
        (folder / stale).unlink(missing_ok=True)
    where, key = (path.relative_to(request.root).as_posix() for path in (folder, request.folder / KEY))
    config = testinfra.ssh_config(addresses, folder=where, key=key, user=request.expected.account)
    write_if_changed(folder / "ssh_config", config)
    write_if_changed(folder / "expected.json", json.dumps(expectation(request, addresses), indent=1) + "\n")


def _mask(folder: Path, redact: Callable[[str], str]) -> None:
    """Mask secrets in what the checks wrote: they show what they compared, which may be a line of a guest's files."""
    for file in (folder / "junit.xml", *(folder / f"{alias}.json" for alias in ALIASES)):
        if file.is_file():
            write_if_changed(file, redact(file.read_text(encoding="utf-8", errors="replace")))


def _looked(request: Verification, done: Completed, began: float, repeat: str) -> Looked:
    folder = request.folder / FOLDER
    report = folder / "junit.xml"
    if done.returncode > _FAILED_CHECKS or not report.is_file():
        raise ToolError(
            "the checks could not run",
            where=f"log: {request.folder / LOG}\n{repeat}",
            why=done.stdout,
            next="the line under 'where' repeats it while the clones are kept (--keep-failed)",
        )
    checks = tuple(junit.parse(report.read_text(encoding="utf-8")))
    booted = max(_booted_at(folder / f"{alias}.json") for alias in ALIASES)
    return Looked(checks, max(0.0, booted - began))


def _booted_at(file: Path) -> float:
    """Return when a clone had ended its first boot, in seconds since 1970; 0 where nobody says."""
    try:
        return float(read_object(file)["booted_at"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return 0.0


def _modules(request: Verification) -> tuple[str, ...]:
    """Return the phase's checks and the operator's, relative to the repository."""
    own = (path.relative_to(request.root).as_posix() for path in request.own_checks)
    return (*CHECKS[request.template.attributes.phase], *own)


def expectation(request: Verification, addresses: Mapping[str, str]) -> dict[str, object]:
    """Return what the checks read."""
    folder = (request.folder / FOLDER).relative_to(request.root).as_posix()
    want = request.expected
    return {
        "family": want.family,
        "way_in": request.way_in,
        "phase": request.template.attributes.phase,
        "folder": folder,
        "ssh_config": f"{folder}/ssh_config",
        "clones": {
            alias: {"address": address, "hostname": hostname(alias, request)} for alias, address in addresses.items()
        },
        "packages": list(want.packages),
        "versions": dict(want.versions),
        "held": list(want.held),
        "locked": list(want.locked),
        "timezone": want.timezone,
        "account": want.account,
        "variables": want.variables,
    }
