"""Forges a template, of either phase: looks at the site, runs Packer, marks the result, or cleans up after it.

A stage says what is special about its phase: what has to be there before, and
the variables Packer is given.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from goldsmith.errors import Exit, GoldsmithError, ToolError
from goldsmith.host.runner import TAIL_LINES
from goldsmith.host.signals import PROCESS, Stop
from goldsmith.host.workspace import write_if_changed
from goldsmith.tools import diagnosis, packer, packer_output
from goldsmith.tools.listener import Listener
from goldsmith.vcenter import belonging, marks, notes, ours
from goldsmith.vcenter.inventory import Power
from goldsmith.vcenter.watch import Watch
from goldsmith.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from goldsmith.builds import Build
    from goldsmith.host.progress import Progress
    from goldsmith.host.runner import Runner
    from goldsmith.model import Image, Site
    from goldsmith.signing import Signer
    from goldsmith.tools.door import Door
    from goldsmith.vcenter.api import VCenter
    from goldsmith.vcenter.inventory import Machine
    from goldsmith.vcenter.marks import Template
    from goldsmith.vcenter.places import Places

SCREENSHOT = "console.png"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One build's run of Packer. Paths lie below *root*, because the toolbox sees nothing else."""

    build: Build
    image: Image
    site: Site
    user: str
    """Who logs in to the vCenter."""
    password: str = field(repr=False)
    root: Path
    """The repository."""
    folder: Path
    """The build's folder."""
    private_key: Path
    """Private half of the build's own key."""
    timeouts: packer.Timeouts = field(default_factory=packer.Timeouts)
    commit: str = ""
    """The git commit of the repository, as the template will carry it."""
    host: str = ""
    """This machine's name, for the note of a machine under way."""
    keep_failed: bool = False
    signer: Signer | None = field(default=None, repr=False)
    """Who signs what the template says; nobody where the site has no keys."""

    @property
    def log(self) -> Path:
        """Everything Packer prints."""
        return self.folder / f"logs/{self.build.phase}.log"

    @property
    def variable_file(self) -> Path:
        """Packer's variables; no secret is among them."""
        return self.folder / f"packer/{self.build.phase}.pkrvars.json"

    def inside(self, path: Path) -> str:
        """Return *path* as the toolbox sees it."""
        return path.relative_to(self.root).as_posix()

    def note(self, began: str) -> str:
        """Return the note of the machine under way."""
        return notes.under_way(Work(self.build.id), name=self.build.name, host=self.host, began=began)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is special about a phase."""

    check: Callable[[VCenter], Places]
    """Finds the site's places and everything else the phase begins with; raises when the site is not ready."""
    variables: Callable[[str], str]
    """Returns the text of Packer's variable file, given when the build began; asked after *check*."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables of the run besides Packer's password."""
    parent: Callable[[], str] = str
    """Returns the name of the template that is cloned, empty for none; asked at the end."""


@contextlib.contextmanager
def _unseen(_name: str, _gave_up: Callable[[], object]) -> Iterator[Callable[[], str]]:
    """Stand for a real vCenter, where the installer speaks to the console alone."""
    yield str


@dataclass(frozen=True, kw_only=True)
class Effects:
    """The ways out of the suite that forging and verifying use."""

    connect: Callable[[], AbstractContextManager[VCenter]]
    """Logs in to the site's vCenter; asked anew before and after Packer, since idle sessions end."""
    toolbox: Door
    runner: Runner
    progress: Progress
    now: Callable[[], datetime]
    """The time, in UTC."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, for how long something took."""
    hide: Callable[[str], None] = lambda _: None
    """Takes every secret that is made, so that none is printed."""
    redact: Callable[[str], str] = str
    """Masks the secrets in what a guest said, before it is kept."""
    installing: Callable[[str, Callable[[], object]], AbstractContextManager[Callable[[], str]]] = _unseen
    """Follows the installation of the machine of this name where the site lets one look behind it: calls
    the function as soon as the installer gives up, and then tells what it said."""


def forge(job: Job, recipe: Recipe, effects: Effects) -> Template:
    """Make the template and return it, finished and marked.

    However this ends, no half-made machine stays behind (unless *keep_failed*):
    neither after a failure nor after Ctrl-C or SIGTERM.

    Raises ``ConfigurationError`` when the site is not ready, ``ToolError`` when
    Packer or the guest fails, ``UnreachableError`` when the vCenter cannot be
    asked.
    """
    with effects.progress.step("preflight", f"looks at {job.site.server}"), effects.connect() as vcenter:
        places = recipe.check(vcenter)
        # Defined here and not at the end: whoever may not, learns it before the installation.
        marks.define(vcenter)
        if made := _left_by_an_earlier_run(vcenter, places, job, effects):
            return made
    began = f"{effects.now():%Y-%m-%d %H:%M} UTC"
    write_if_changed(job.variable_file, recipe.variables(began))
    try:
        _run_packer(job, recipe, effects, places)
        with effects.progress.step("mark the template"), effects.connect() as vcenter:
            return _finish(vcenter, places, job, effects, recipe)
    except BaseException as error:
        with PROCESS.held_off():
            _clean_up(job, effects, places, error)
        raise


def _left_by_an_earlier_run(vcenter: VCenter, places: Places, job: Job, effects: Effects) -> Template | None:
    """Return the template when this build made it already; remove a machine that it did not finish."""
    build, holdings = job.build, belonging.look(vcenter, job.site.placement, job.site.keys)
    made = holdings.templates(image=build.image, phase=build.phase, failed=True)
    if template := next((one for one in made if one.attributes.build == build.id), None):
        return template  # under whatever name it has by now
    if machine := _unfinished(vcenter, places, job):
        with effects.progress.step(f"remove {machine.name}", "an earlier run of this build did not finish it"):
            vcenter.destroy(machine)
    return None


# -- running ----------------------------------------------------------------------------------


def _run_packer(job: Job, recipe: Recipe, effects: Effects, places: Places) -> None:
    stop = Stop()
    command = replace(
        effects.toolbox.command(
            packer.build_argv(job.inside(job.variable_file), phase=job.build.phase),
            env=packer.ENVIRONMENT,
            secrets={packer.PASSWORD_VARIABLE: job.password, **recipe.secrets},
        ),
        stop=stop,
    )
    log = job.log
    with Listener(effects.progress, phase=job.build.phase) as listener:
        watch = Watch(
            connect=effects.connect,
            folder=places.folder,
            name=job.build.name,
            watching=lambda: listener.step in diagnosis.BEFORE_SHUTDOWN,
            powered_off=stop.ask,
            tell=effects.progress.status,
        )
        with watch, effects.installing(job.build.name, stop.ask) as installer_said:
            done = effects.runner.run(command, check=False, log=log, on_line=listener.line)
            evidence = replace(listener.evidence(), installer=installer_said())
        if done.returncode != 0:
            raise PackerFailedError(evidence, log=log, replay=command.replay())


class PackerFailedError(ToolError):
    """Packer ended with an error; :func:`_clean_up` adds what can be seen of the machine."""

    def __init__(self, evidence: diagnosis.Evidence, *, log: Path, replay: str) -> None:
        super().__init__(f"Packer failed at: {evidence.step}")
        self.evidence = evidence
        self.where = f"log: {log}\n{replay}"
        self.explain()

    def explain(self, *seen: str) -> None:
        """Say again what happened, with everything that is known by now."""
        found = diagnosis.diagnose(self.evidence)
        causes = [f"- {cause}" for cause in found.causes]
        self.what = f"{found.what} (step: {packer_output.called(self.evidence.step, phase=self.evidence.phase)})"
        self.why = "\n".join([*(["likely causes:", *causes] if causes else []), *seen, *self._said()])
        self.next = found.look or "the log has everything that was said"
        self.exit_code = Exit.UNREACHABLE if found.unreachable else Exit.TOOL

    def _said(self) -> list[str]:
        """Return the words of who knows best: the installer's own, else Packer's last ones."""
        if self.evidence.installer:
            return ["on the machine's console:", *self.evidence.installer.splitlines()]
        said = [*self.evidence.output, *self.evidence.errors][-TAIL_LINES:]
        return ["last lines:", *said] if said else ["Packer printed nothing"]


# -- ending -----------------------------------------------------------------------------------


def _finish(vcenter: VCenter, places: Places, job: Job, effects: Effects, recipe: Recipe) -> Template:
    machine = _unfinished(vcenter, places, job)
    if machine is None or not machine.is_template or not machine.has_snapshot:
        raise ToolError(
            "Packer ended well, but what it should have made is not there",
            where=f"{job.build.name} in {places.folder.name}",
            why="no template with a snapshot has this name and this build's mark",
            next=f"see whether somebody removed or changed it; then build again (log: {job.log})",
        )
    build = job.build
    attributes = marks.Attributes(
        image=build.image, phase=build.phase, key=build.key, build=build.id, inputs=build.inputs,
        commit=job.commit, parent=recipe.parent(),
    )  # fmt: skip
    built = f"{effects.now():%Y-%m-%d %H:%M} UTC"
    marks.mark(vcenter, machine, attributes, built=built, tell=effects.progress.note, signer=job.signer)
    return marks.Template(machine=machine, attributes=attributes)


def _unfinished(vcenter: VCenter, places: Places, job: Job) -> Machine | None:
    """Return the machine that this build is making, as it is at this moment."""
    machine = vcenter.child(places.folder, job.build.name)
    return machine if machine and ours.unfinished(machine, places.folder) == Work(job.build.id) else None


def _clean_up(job: Job, effects: Effects, places: Places, error: BaseException) -> None:
    """Look at the machine, put what is seen into *error*, and remove the machine unless it is to be kept."""
    try:
        with effects.connect() as vcenter:
            if isinstance(error, PackerFailedError):
                _look(vcenter, _unfinished(vcenter, places, job), job, error)
            machine = _unfinished(vcenter, places, job)  # looking takes a while
            if machine is None:
                return
            if job.keep_failed:
                effects.progress.note(f"kept: {machine.name}; './inv clean' removes it")
                return
            with effects.progress.step(f"remove {machine.name}", "it is not finished"):
                vcenter.destroy(machine)
    except GoldsmithError as trouble:
        # The first error is the one to tell; this one says only what stays behind.
        effects.progress.note(f"{trouble.what}: {job.build.name} may be left; './inv clean' removes it")


def _look(vcenter: VCenter, machine: Machine | None, job: Job, error: PackerFailedError) -> None:
    if machine is None:
        return
    seen: list[str] = []
    with contextlib.suppress(GoldsmithError):
        vitals = vcenter.vitals(machine)
        running = vitals.power is Power.ON
        seen.append(f"the machine is powered {vitals.power}, its tools: {vitals.tools}")
        error.evidence = replace(
            error.evidence,
            powered_on=running,
            tools_running=vitals.tools == "guestToolsRunning",
            address=error.evidence.address or vitals.address,
        )
        if running:
            path = job.folder / SCREENSHOT
            write_if_changed(path, vcenter.screenshot(machine))
            seen.append(f"its console: {path}")
    error.explain(*seen, *_happened(vcenter, machine))


def _happened(vcenter: VCenter, machine: Machine) -> Iterator[str]:
    with contextlib.suppress(GoldsmithError):
        for text in vcenter.events(machine, limit=3):
            yield f"vCenter: {text}"
