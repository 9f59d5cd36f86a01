"""Verification: two clones of a candidate are booted, looked at, compared, and destroyed."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError, GoldsmithError, MissingObjectError, ToolError
from goldsmith.tools import junit, sshkey, testinfra
from goldsmith.vcenter import clones, templates
from goldsmith.vcenter.inventory import Places, Tree, resolve
from goldsmith.workspace import SECRET_MODE, write_if_changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from goldsmith.progress import Progress
    from goldsmith.runner import Runner
    from goldsmith.spec import Image, Placement
    from goldsmith.tools.door import Door
    from goldsmith.tools.junit import Check
    from goldsmith.vcenter.door import VCenter
    from goldsmith.vcenter.inventory import Machine
    from goldsmith.vcenter.templates import Template

FOLDER = "verify"
LOG = "logs/verify.log"
ALIASES = ("clone-1", "clone-2")
CHECKS = {
    "base": ("verify/test_guest.py", "verify/test_hygiene.py", "verify/test_clones.py"),
    "docker": ("verify/test_guest.py", "verify/test_docker.py", "verify/test_hygiene.py", "verify/test_clones.py"),
}
KEY = testinfra.KEY
_FAILED_CHECKS = 1
"""pytest's status when it ran and something failed; any higher one means that it could not run."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a clone is compared with, besides what the checks know by themselves."""

    packages: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    """Version by package, as the build recorded them."""
    held: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    """Accounts whose password the suite made, and locked."""
    timezone: str = ""
    account: str = ""
    variables: str = ""
    """The playbooks' variables of this build: a file, relative to the repository; empty where there was none."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One candidate to verify. Paths lie below *root*, because the toolbox sees nothing else."""

    template: Template
    image: Image
    placement: Placement
    expected: Expected
    root: Path
    """The repository."""
    folder: Path
    """The build's folder."""
    host: str = ""
    """This machine's name, for the note of the clones."""
    own_checks: tuple[Path, ...] = ()
    """Further testinfra modules, of the operator."""
    seconds: float = 600.0
    """How long the clones may take to get an address."""
    keep_failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Doors:
    """The ways out of the suite that this stage uses."""

    connect: Callable[[], AbstractContextManager[VCenter]]
    toolbox: Door
    runner: Runner
    progress: Progress
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    hide: Callable[[str], None] = lambda _: None
    """Told every secret that is made, so that none is printed."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found."""

    template: Template
    checks: tuple[Check, ...]
    seconds: Mapping[str, float]
    """How long booting, checking and destroying took."""
    folder: Path
    """Where the JUnit report and what was seen of each clone are kept."""

    def of(self, outcome: junit.Outcome) -> list[Check]:
        """Return the checks that ended so."""
        return [check for check in self.checks if check.outcome is outcome]

    @property
    def passed(self) -> bool:
        """Whether the candidate may be offered."""
        return not self.of(junit.Outcome.FAILED) and bool(self.of(junit.Outcome.PASSED))


def verify(request: Request, doors: Doors) -> Verdict:
    """Clone, boot, check and destroy; mark the candidate as verified or failed, and return what was found.

    The clones are gone afterwards, however this ends, unless it fails and
    *keep_failed* is set. An interruption, an unreachable site or a tool that
    fails leave the candidate's mark as it was: nothing was found out.

    Raises ``CheckError`` when a clone does not come up or a check fails,
    ``ToolError`` when the checks cannot run.
    """
    folder = request.folder / FOLDER
    timing = _Timing(doors.clock)
    try:
        with _clones(request, doors, timing) as addresses:
            with doors.progress.step("check the clones", "by testinfra in the toolbox, over SSH"), timing("check"):
                checks = _check(request, doors, addresses)
            verdict = Verdict(template=request.template, checks=checks, seconds=timing.seconds, folder=folder)
            _judge(verdict)
    except FailedError as failed:
        _mark(request, doors, templates.FAILED, _reasons(failed.verdict))
        raise
    except CheckError as error:
        _mark(request, doors, templates.FAILED, [f"{error.what}: {error.why.splitlines()[0]}"])
        raise
    finally:
        (folder / KEY).unlink(missing_ok=True)
    _mark(request, doors, templates.VERIFIED, [])
    return verdict


def _judge(verdict: Verdict) -> None:
    if not verdict.passed:
        raise FailedError(verdict)


class FailedError(CheckError):
    """The candidate was looked at, and is not what it must be."""

    def __init__(self, verdict: Verdict) -> None:
        failed = verdict.of(junit.Outcome.FAILED)
        super().__init__(
            f"{verdict.template.name} failed {len(failed)} of {len(verdict.checks)} checks",
            where=f"report: {verdict.folder / 'junit.xml'}",
            why="\n".join(
                line for check in failed for line in (f"- {check.name}: {check.says}", _indent(check.reason))
            ),
            next="the template is marked as failed and is not offered; '--keep-failed' keeps the clones to look at",
        )
        self.verdict = verdict


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[:3])


def _reasons(verdict: Verdict) -> list[str]:
    return [
        f"{check.name}: {(check.reason or check.says).splitlines()[0]}" for check in verdict.of(junit.Outcome.FAILED)
    ]


class _Timing:
    """Remembers how long the parts took."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        began = self._clock()
        try:
            yield
        finally:
            self.seconds[name] = round(self._clock() - began, 3)


# -- clones -----------------------------------------------------------------------------------


def names(template: Template) -> dict[str, str]:
    """Return the clones' names by their alias; they end with the build's id, by which ``clean`` finds them."""
    attributes = template.attributes
    return {alias: f"{attributes.image}-{attributes.phase}-{alias}-{attributes.build}" for alias in ALIASES}


@contextlib.contextmanager
def _clones(request: Request, doors: Doors, timing: _Timing) -> Iterator[dict[str, str]]:
    """Make and boot the clones, yield their addresses by alias, and destroy them at the end."""
    wanted = names(request.template)
    _remove(request, doors, why="an earlier run left it")
    keep = False
    try:
        with timing("boot"), doors.progress.step("boot two clones", f"of {request.template.name}"):
            found = _boot(request, doors, wanted)
        yield {alias: found[name] for alias, name in wanted.items()}
    except GoldsmithError:
        keep = request.keep_failed
        raise
    finally:
        if keep:
            kept = ", ".join(wanted.values())
            doors.progress.note(f"kept: {kept}; './inv clean' removes them")
        else:
            with timing("destroy"):
                _destroy(request, doors)


def _boot(request: Request, doors: Doors, wanted: Mapping[str, str]) -> Mapping[str, str]:
    template = request.template
    pair = sshkey.generate(f"goldsmith-verify-{template.attributes.build}")
    doors.hide(pair.private)
    folder = request.folder / FOLDER
    write_if_changed(folder / KEY, pair.private, mode=SECRET_MODE)
    began = f"{doors.now():%Y-%m-%d %H:%M} UTC"
    with doors.connect() as vcenter:
        places = _places(vcenter, request.placement)
        orders = [
            clones.Order(
                source=template.machine,
                name=name,
                note=templates.note_under_way(template.attributes.build, host=request.host, began=began),
                folder=places.folder.ref,
                pool=places.pool.ref,
                datastore=places.datastore.ref,
                guestinfo=clones.guestinfo(name=_hostname(alias, template), public_key=pair.public),
            )
            for alias, name in wanted.items()
        ]
        machines = vcenter.clone(orders)
        return vcenter.addresses(machines, seconds=request.seconds, tell=doors.progress.status)


def _hostname(alias: str, template: Template) -> str:
    """Return a host name, of which a kernel takes 64 characters at most."""
    return f"{alias}-{template.attributes.build}"


def _places(vcenter: VCenter, placement: Placement) -> Places:
    found = resolve(Tree(vcenter.nodes()), placement)
    if not isinstance(found, Places):
        raise MissingObjectError(
            "the site names what the vCenter does not have",
            why="\n".join(f"- {problem}" for problem in found),
            next="correct the site's file; names count exactly, upper and lower case too",
        )
    return found


def _destroy(request: Request, doors: Doors) -> None:
    """Destroy the clones; trouble with it is told, and must not hide what happened before."""
    try:
        _remove(request, doors, why="it was only to be looked at")
    except GoldsmithError as trouble:
        doors.progress.note(f"{trouble.what}: clones may be left; './inv clean' removes them")


def _remove(request: Request, doors: Doors, *, why: str) -> None:
    with doors.connect() as vcenter:
        places = _places(vcenter, request.placement)
        for name in names(request.template).values():
            machine = vcenter.child(places.folder, name)
            if machine and _is_clone(machine, request.template):
                with doors.progress.step(f"remove {name}", why):
                    vcenter.destroy(machine)


def _is_clone(machine: Machine, template: Template) -> bool:
    """Return whether *machine* is a clone made here: never something that only has its name."""
    ours = templates.build_under_way(machine.note) == template.attributes.build
    return ours and not machine.is_template and machine.instance_uuid != template.machine.instance_uuid


# -- checks -----------------------------------------------------------------------------------


def _check(request: Request, doors: Doors, addresses: Mapping[str, str]) -> tuple[Check, ...]:
    folder = request.folder / FOLDER
    report = folder / "junit.xml"
    report.unlink(missing_ok=True)
    (folder / "known_hosts").unlink(missing_ok=True)
    where = folder.relative_to(request.root).as_posix()
    write_if_changed(
        folder / "ssh_config", testinfra.ssh_config(addresses, folder=where, user=request.expected.account)
    )
    write_if_changed(folder / "expected.json", json.dumps(expectation(request, addresses), indent=1) + "\n")
    command = doors.toolbox.command(
        testinfra.argv(ALIASES, folder=where, checks=_modules(request)),
        env=testinfra.environment(where),
    )
    done = doors.runner.run(command, check=False, log=request.folder / LOG)
    if done.returncode > _FAILED_CHECKS or not report.is_file():
        raise ToolError(
            "the checks could not run",
            where=f"log: {request.folder / LOG}\n{command.replay()}",
            why=done.stdout,
            next="the line under 'where' repeats it while the clones are kept (--keep-failed)",
        )
    return tuple(junit.parse(report.read_text(encoding="utf-8")))


def _modules(request: Request) -> tuple[str, ...]:
    """Return the phase's checks and the operator's, relative to the repository."""
    own = (path.relative_to(request.root).as_posix() for path in request.own_checks)
    return (*CHECKS[request.template.attributes.phase], *own)


def expectation(request: Request, addresses: Mapping[str, str]) -> dict[str, object]:
    """Return what the checks read."""
    folder = (request.folder / FOLDER).relative_to(request.root).as_posix()
    want = request.expected
    return {
        "phase": request.template.attributes.phase,
        "folder": folder,
        "ssh_config": f"{folder}/ssh_config",
        "clones": {
            alias: {"address": address, "hostname": _hostname(alias, request.template)}
            for alias, address in addresses.items()
        },
        "packages": list(want.packages),
        "versions": dict(want.versions),
        "held": list(want.held),
        "locked": list(want.locked),
        "timezone": want.timezone,
        "account": want.account,
        "variables": want.variables,
    }


def _mark(request: Request, doors: Doors, status: str, reasons: Sequence[str]) -> None:
    try:
        with doors.progress.step(f"mark the template as {status}"), doors.connect() as vcenter:
            templates.judge(vcenter, request.template, status=status, reasons=reasons)
    except GoldsmithError as trouble:
        if status == templates.VERIFIED:
            raise
        # What was found is what to tell; a candidate without a mark is not offered either.
        doors.progress.note(f"{trouble.what}: {request.template.name} could not be marked as {status}")
