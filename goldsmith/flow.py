"""The order of a build: plan it, carry out what the plan names, and leave nothing secret or half-done behind."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from goldsmith import builds, inputs, plan, times
from goldsmith.builds import Build, Status
from goldsmith.errors import ConfigurationError, GoldsmithError
from goldsmith.plan import Stage
from goldsmith.signals import PROCESS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import timedelta

    from goldsmith.config import Effective
    from goldsmith.plan import Existing, Inputs, Plan
    from goldsmith.spec import Credentials
    from goldsmith.steps import Steps
    from goldsmith.vcenter.door import VCenter
    from goldsmith.wiring import Session


PHASES: dict[str, tuple[Stage, ...]] = {
    "base": (Stage.ANSWERS, Stage.MEDIA, Stage.UPLOAD, Stage.BASE),
    "docker": (Stage.DOCKER,),
}
"""The stages of each phase; each phase is a build of its own, with an id, a key and a folder."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the operator wants of a build."""

    until: Stage = Stage.BASE
    """The last stage to run; a piece that ends earlier leaves its build open."""
    build: str = ""
    rebuild: bool = False
    max_age: timedelta | None = None
    keep_failed: bool = False
    wait: bool = True
    full: bool = False
    """Whether phase 2 makes a full clone."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One image on one site."""

    session: Session
    effective: Effective

    @property
    def image(self) -> str:
        """The image's name."""
        return self.effective.image.name

    @property
    def site(self) -> str:
        """The site's name."""
        return self.effective.site.name

    def inputs(self, phase: str = "base", *, full: bool = False) -> Inputs:
        """Return what decides a phase, as things are now; *full* is for a host that shares no disk with its base."""
        lock, root = self.session.lock, self.session.workspace.root
        base = inputs.base(self.effective, lock=lock, root=root)
        if phase == "base":
            return base
        return inputs.docker(self.effective, lock=lock, root=root, parent=base, full=full)

    def plan(self, order: Order, credentials: Credentials | None) -> Plan:
        """Return what would run; without *credentials* the site is known to be empty (a lab that is down)."""
        there: dict[str, list[Existing]] = {"base": [], "docker": []}
        if credentials is not None:
            with self.session.connect(self.effective.site, credentials) as vcenter:
                there = self.existing(vcenter)
        facts = plan.Facts(
            image=self.image,
            site=self.site,
            toolbox=self.session.toolbox_built,
            rebuild=order.rebuild,
            max_age=order.max_age,
            now=self.session.now(),
        )
        if order.until is Stage.DOCKER:
            host = self.inputs("docker", full=order.full)
            return plan.plan_docker(self.inputs(), there["base"], host, there["docker"], facts)
        return plan.plan_base(self.inputs(), there["base"], facts)

    def existing(self, vcenter: VCenter) -> dict[str, list[Existing]]:
        """Return, by phase, the finished templates of the image that the site has and that can be cloned."""
        from goldsmith.vcenter import templates

        machines = vcenter.machines()
        return {
            phase: templates.existing(
                template
                for template in templates.find(machines, image=self.image, phase=phase)
                if template.machine.has_snapshot
            )
            for phase in PHASES
        }

    @contextlib.contextmanager
    def alone(self, order: Order) -> Iterator[None]:
        """Hold the lock of this image and site within the block."""
        # The server as well: every lab is called "lab", and any vCenter may be the environment's.
        name = f"{self.site}-{self.image}-{self.effective.site.server.replace(':', '_')}"

        def tell() -> None:
            self.session.progress.note(
                f"another build of {self.image} on {self.site} runs on this machine; waiting for it"
            )

        with self.session.workspace.locked(name, wait=order.wait, on_wait=tell):
            yield

    def forge(self, order: Order, tell: Callable[[Plan], None]) -> Build | None:
        """Carry out what the plan names, after telling it; return the finished build, or nothing if none was needed."""
        credentials = self.session.credentials(self.effective)
        self.session.network(self.effective.site)  # refused before anything is done
        with self.alone(order):
            planned = self.plan(order, credentials)
            tell(planned)
            if not planned.runs:
                return None
            reason = {step.stage: step.reason for step in planned.steps if step.run}
            self._preflight(credentials)
            self._toolbox(planned)
            finished: Build | None = None
            for phase, stages in PHASES.items():
                if stages[-1] in reason:
                    finished = self._phase(phase, reason, order)
            return finished

    def _phase(self, phase: str, reason: Mapping[Stage, str], order: Order) -> Build:
        """Carry out the stages of one phase and return its finished build."""
        build = self._build(order, phase)
        with self._at_work(build), self._ended(build, order) as steps:
            for stage in PHASES[phase]:
                if stage.value not in steps.build.stages:
                    with self.session.progress.step(stage.value, reason[stage] + self._usual(phase, stage)):
                        steps.run(stage)
        return steps.build

    def _preflight(self, credentials: Credentials) -> None:
        """Look whether the site has what a build needs, before minutes are spent on one that cannot end well."""
        from goldsmith.vcenter import preflight

        with self.session.connect(self.effective.site, credentials) as vcenter:
            preflight.check(vcenter, self.effective.site.placement, self.effective.image.hardware)

    def _toolbox(self, planned: Plan) -> None:
        """Build the toolbox, if that is to be done, before the build itself begins: it takes minutes."""
        for step in planned.steps:
            if step.stage is Stage.TOOLBOX and step.run:
                with self.session.progress.step(step.stage.value, step.reason):
                    self.session.builder.ensure("toolbox")

    def _usual(self, phase: str, stage: Stage) -> str:
        """Return how long the stage usually takes, by earlier builds of the image on this machine; else nothing."""
        known = self.session.builds
        earlier = [
            known.folder(build)
            for build in known.all()
            if (build.image, build.site, build.phase) == (self.image, self.site, phase)
        ]
        seconds = times.usual(earlier, stage.value)
        return "" if seconds is None else f"; usually {seconds:.0f} s"

    def piece(self, order: Order) -> Build:
        """Run the stages up to and including ``order.until``; the build stays open."""
        with self.alone(order):
            build = self._build(order)
            with self._at_work(build), self._undone(build, order) as steps:
                for stage in (Stage.ANSWERS, Stage.MEDIA, Stage.UPLOAD):
                    if stage.value not in steps.build.stages:
                        with self.session.progress.step(stage.value, f"build {build.id}"):
                            steps.run(stage)
                    if stage is order.until:
                        break
                return steps.build

    def _build(self, order: Order, phase: str = "base") -> Build:
        """Return the build to work on: the one that was named, the newest unfinished one, or a new one."""
        now, known = self.inputs(phase, full=order.full), self.session.builds
        if order.build:
            named = known.load(order.build)
            # The other phase may be the one that is meant, if it is wanted at all.
            if named.phase == phase or order.until is not Stage.DOCKER:
                return self._named(named, now, order)
        server = self.effective.site.server
        found = known.newest_open(image=self.image, site=self.site, key=now.key, server=server, phase=phase)
        if found:
            self.session.progress.note(f"continuing the unfinished build {found.id}")
            return found
        return known.save(
            Build(
                id=known.reserve(now.key, self.session.now()),
                image=self.image,
                site=self.site,
                key=now.key,
                inputs=now.summary(),
                parts=dict(now.parts),
                phase=phase,
                label=builds.label(self.session.environment) if phase == "docker" else "",
                server=server,
            )
        )

    def _named(self, build: Build, now: Inputs, order: Order) -> Build:
        problem = ""
        here = (self.image, self.site, self.effective.site.server)
        if (build.image, build.site, build.server) != here:
            problem = "it is a build of {} on {} ({}), not of {} on {} ({})".format(
                build.image, build.site, build.server, *here
            )
        elif build.status is not Status.OPEN:
            problem = f"it is {build.status}, and its answers and keys are deleted"
        elif build.phase == "docker" and order.until is not Stage.DOCKER:
            problem = "it is a build of the Docker host, not of the base"
        elif build.key != now.key:
            problem = "changed since it began: " + (", ".join(now.changed_since(build.inputs)) or "its inputs")
        if problem:
            raise ConfigurationError(
                f"build {build.id} cannot be continued",
                where=f"--build {build.id}",
                why=problem,
                next="leave --build out to start a new build",
            )
        return build

    def _steps(self, build: Build, order: Order) -> Steps:
        # With them come the stages and their tools: a plan that runs nothing does without.
        from goldsmith.steps import Steps

        return Steps(
            session=self.session, effective=self.effective, build=build, keep_failed=order.keep_failed, full=order.full
        )

    @contextlib.contextmanager
    def _ended(self, build: Build, order: Order) -> Iterator[Steps]:
        """Delete the build's secrets and medium at the block's end, however it ends."""
        steps = self._steps(build, order)
        status = Status.FAILED
        try:
            yield steps
            status = Status.DONE
        finally:
            self._end(steps, status, kept=order.keep_failed and status is Status.FAILED)

    @contextlib.contextmanager
    def _undone(self, build: Build, order: Order) -> Iterator[Steps]:
        """Leave the build as it was when the block fails: gone if it was new, else with what it had."""
        steps = self._steps(build, order)
        try:
            yield steps
        except BaseException:
            if not build.stages:
                self._end(steps, Status.FAILED, kept=False)
            elif Stage.UPLOAD.value not in steps.build.stages:
                with PROCESS.held_off():
                    self._remove_medium(steps)
            raise

    @contextlib.contextmanager
    def _at_work(self, build: Build) -> Iterator[None]:
        """Mark the build as alive, after ending what an earlier run of it may have left behind."""
        with self.session.builds.working_on(build):
            if build.stages:
                for container, _ in self.session.runs(build.id):
                    self.session.end_run(container)
            yield

    def _end(self, steps: Steps, status: Status, *, kept: bool) -> None:
        """Delete medium and secrets, whatever goes wrong with either; a signal waits until that is done."""
        with PROCESS.held_off(), contextlib.ExitStack() as last:
            last.callback(self._forget, steps, kept=kept)
            last.callback(lambda: self.session.builds.save(replace(steps.build, status=status)))
            self._remove_medium(steps)

    def _remove_medium(self, steps: Steps) -> None:
        try:
            steps.remove_medium()
        except GoldsmithError as trouble:
            # The build's own outcome is the one to tell; this says only what stays behind.
            self.session.progress.note(f"{trouble.what}: {steps.build.medium} may be left; './inv clean' removes it")

    def _forget(self, steps: Steps, *, kept: bool) -> None:
        if kept:
            keys = steps.folder / "keys"
            self.session.progress.note(f"kept for the machine you asked to keep: the login key in {keys}")
            self.session.builds.forget_secrets(steps.build, keep=("keys",))
        else:
            self.session.builds.forget_secrets(steps.build)
