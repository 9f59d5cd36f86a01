"""The order of a build: plan it, carry out what the plan names, and leave nothing secret or half-done behind."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from goldsmith import builds, plan
from goldsmith.builds import Build, Status
from goldsmith.errors import ConfigurationError, GoldsmithError
from goldsmith.flow import inputs
from goldsmith.flow.order import PHASES, timeouts
from goldsmith.host.files import FileError
from goldsmith.host.signals import PROCESS
from goldsmith.plan import Stage
from goldsmith.work import label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from goldsmith.flow.order import Order
    from goldsmith.flow.steps import Steps
    from goldsmith.plan import Existing, Inputs, Plan
    from goldsmith.wiring import OnSite, Session


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One image on one site."""

    on: OnSite

    @property
    def session(self) -> Session:
        """The run."""
        return self.on.session

    @property
    def image(self) -> str:
        """The image's name."""
        return self.on.image.name

    @property
    def site(self) -> str:
        """The site's name."""
        return self.on.site.name

    def inputs(self, until: Stage = Stage.BASE, *, full: bool = False) -> dict[str, Inputs]:
        """Return what decides each phase up to a stage, as things are now; *full* is for a host without a linked disk.

        Raises ``ConfigurationError`` for an image that cannot go so far.
        """
        lock, root = self.session.lock, self.session.workspace.root
        found = {"base": inputs.base(self.on.effective, lock=lock, root=root)}
        if until is Stage.DOCKER:
            found["docker"] = inputs.docker(self.on.effective, lock=lock, root=root, parent=found["base"], full=full)
        return found

    def plan(self, order: Order, *, empty: bool = False, mend: bool = False) -> Plan:
        """Return what would run; *empty* says that the site is known to have nothing (a lab that is down).

        With *mend*, what a killed run left half-said on the site is put right, and a clock that is wrong refused.
        """
        decided = self.inputs(order.until, full=order.full)
        there: dict[str, list[Existing]] = {"base": [], "docker": []}
        there, now = (there, self.session.now()) if empty else self._existing(mend=mend)
        facts = plan.Facts(
            image=self.image,
            site=self.site,
            toolbox=self.session.toolbox_built,
            rebuild=order.rebuild,
            max_age=order.max_age,
            now=now,
        )
        if order.until is Stage.DOCKER:
            return plan.plan_docker(decided["base"], there["base"], decided["docker"], there["docker"], facts)
        return plan.plan_base(decided["base"], there["base"], facts)

    def _existing(self, *, mend: bool) -> tuple[dict[str, list[Existing]], datetime]:
        """Return, by phase, the templates of the image that the site has and that can be cloned, and the time there."""
        from goldsmith.vcenter import belonging, marks

        progress, on = self.session.progress, self.on
        with on.connect() as vcenter:
            holdings = on.finder.holdings(vcenter)
            if mend:
                belonging.put_right(
                    vcenter, holdings, now=self.session.now(), server=on.site.server, tell=progress.note
                )
        for other in holdings.others(image=self.image):
            progress.note(f"{other.machine.name} does not count: {other.why}")
        found = {phase: marks.existing(holdings.templates(image=self.image, phase=phase)) for phase in PHASES}
        return found, holdings.scope.now

    @contextlib.contextmanager
    def alone(self, order: Order) -> Iterator[None]:
        """Hold the lock of this image and site within the block."""
        # The server as well: every lab is called "lab", and any vCenter may be the environment's.
        name = f"{self.site}-{self.image}-{self.on.site.server.replace(':', '_')}"

        def tell() -> None:
            self.session.progress.note(
                f"another build of {self.image} on {self.site} runs on this machine; waiting for it"
            )

        with self.session.workspace.locked(name, wait=order.wait, on_wait=tell):
            yield

    def forge(self, order: Order, tell: Callable[[Plan], None]) -> Build | None:
        """Carry out what the plan names, after telling it; return the finished build, or nothing if none was needed."""
        _ = self.on.credentials
        timeouts(self.session.environment, lab=self.on.lab is not None)
        _ = self.on.effective.signer
        self.session.network(self.on.site)  # refused before anything is done
        with self.alone(order):
            if order.build:
                self.session.builds.load(order.build)  # one that is not here is an error, even where nothing would run
            planned = self.plan(order, mend=True)
            tell(planned)
            if not planned.runs:
                return None
            self._preflight()
            self._toolbox(planned)
            finished: Build | None = None
            for phase, stages in PHASES.items():
                if any(step.run and step.stage is stages[-1] for step in planned.steps):
                    finished = self._phase(phase, planned, order)
            return finished

    def _phase(self, phase: str, planned: Plan, order: Order) -> Build:
        """Carry out the stages of one phase and return its finished build."""
        reason = {step.stage: step.reason for step in planned.steps if step.run}
        build = self._build(order, planned.inputs[phase], phase)
        with self._at_work(build), self._ended(build, order, planned.inputs) as steps:
            for stage in PHASES[phase]:
                if stage.value not in steps.build.stages:
                    with self.session.progress.step(stage.value, reason[stage] + self._usual(phase, stage)):
                        steps.run(stage)
        return steps.build

    def _preflight(self) -> None:
        """Look whether the site has what a build needs, before minutes are spent on one that cannot end well."""
        from goldsmith.vcenter import preflight

        with self.on.connect() as vcenter:
            preflight.check(vcenter, self.on.finder.placement, self.on.image.hardware)

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
        seconds = builds.usual_seconds(earlier, stage.value)
        return "" if seconds is None else f"; usually {seconds:.0f} s"

    def piece(self, order: Order) -> Build:
        """Run the stages up to and including ``order.until``; the build stays open."""
        with self.alone(order):
            decided = self.inputs()
            build = self._build(order, decided["base"], "base")
            with self._at_work(build), self._undone(build, order, decided) as steps:
                for stage in (Stage.ANSWERS, Stage.MEDIA, Stage.UPLOAD):
                    if stage.value not in steps.build.stages:
                        with self.session.progress.step(stage.value, f"build {build.id}"):
                            steps.run(stage)
                    if stage is order.until:
                        break
                return steps.build

    def _build(self, order: Order, now: Inputs, phase: str) -> Build:
        """Return the build to work on: the one that was named, the newest unfinished one, or a new one."""
        known = self.session.builds
        if order.build:
            named = known.load(order.build)
            # The other phase may be the one that is meant, if it is wanted at all.
            if named.phase == phase or order.until is not Stage.DOCKER:
                return self._named(named, now, order)
        image, site, server, place = self.image, self.site, self.on.site.server, self._place
        found = known.newest_open(image=image, site=site, server=server, place=place, key=now.key, phase=phase)
        if found:
            self.session.progress.note(f"continuing the unfinished build {found.id}")
            return found
        return known.save(Build(
            id=known.reserve(now.key, self.session.now()), image=image, site=site, server=server, place=place,
            phase=phase, key=now.key, inputs=now.summary(), parts=dict(now.parts),
            label=label(self.session.environment) if phase == "docker" else "",
        ))  # fmt: skip

    @property
    def _place(self) -> str:
        return f"{self.on.site.placement.datacenter} [{self.on.site.placement.media_datastore}]"

    def _named(self, build: Build, now: Inputs, order: Order) -> Build:
        problem = ""
        here = (self.image, self.site, self.on.site.server)
        if (build.image, build.site, build.server) != here:
            problem = "it is a build of {} on {} ({}), not of {} on {} ({})".format(
                build.image, build.site, build.server, *here
            )
        elif build.place not in ("", self._place):
            problem = f"its media lie in {build.place}, and the site's in {self._place}"
        elif not self.session.builds.can_go_on(build):
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

    def _steps(self, build: Build, order: Order, decided: Mapping[str, Inputs]) -> Steps:
        # With them come the stages and their tools: a plan that runs nothing does without.
        from goldsmith.flow.steps import Steps

        return Steps(on=self.on, build=build, inputs=decided, keep_failed=order.keep_failed, full=order.full)

    @contextlib.contextmanager
    def _ended(self, build: Build, order: Order, decided: Mapping[str, Inputs]) -> Iterator[Steps]:
        """Delete the build's secrets and medium at the block's end, however it ends."""
        steps = self._steps(build, order, decided)
        status = Status.FAILED
        try:
            yield steps
            status = Status.DONE
        finally:
            self._end(steps, status, kept=order.keep_failed and status is Status.FAILED)

    @contextlib.contextmanager
    def _undone(self, build: Build, order: Order, decided: Mapping[str, Inputs]) -> Iterator[Steps]:
        """Leave the build as it was when the block fails: gone if it was new, else with what it had."""
        steps = self._steps(build, order, decided)
        try:
            yield steps
        except BaseException:
            if not build.stages:
                self._end(steps, Status.FAILED, kept=False)
            elif Stage.UPLOAD.value not in steps.build.stages:
                with PROCESS.held_off():
                    self._remove_media(steps)
            raise

    @contextlib.contextmanager
    def _at_work(self, build: Build) -> Iterator[None]:
        """Mark the build as alive, after ending what an earlier run of it may have left behind."""
        with self.session.builds.working_on(build):
            if build.stages:
                for container, _ in self.session.runs(build.id):
                    self.session.end_run(container)
            with self.session.progress.kept(self.session.builds.log(build)):
                yield

    def _end(self, steps: Steps, status: Status, *, kept: bool) -> None:
        """Delete medium and secrets, whatever goes wrong with either; a signal waits until that is done."""
        with PROCESS.held_off(), contextlib.ExitStack() as last:
            last.callback(self._forget, steps, kept=kept)
            last.callback(self._remember, steps, status)
            self._remove_media(steps)

    def _remember(self, steps: Steps, status: Status) -> None:
        """Save how the build ended; where that cannot be done, what it made and how it ended still count."""
        if status is not Status.DONE and steps.template:
            self.session.progress.note(f"finished on {self.site} before this, and stays: {steps.template.name}")
        try:
            self.session.builds.save(replace(steps.build, status=status))
        except FileError as trouble:
            self.session.progress.note(f"build {steps.build.id} is {status}, which could not be saved: {trouble.why}")

    def _remove_media(self, steps: Steps) -> None:
        try:
            steps.remove_media()
        except GoldsmithError as trouble:
            # The build's own outcome is the one to tell; this says only what stays behind.
            if left := ", ".join(medium.stored for medium in steps.build.secret_media):
                self.session.progress.note(f"{trouble.what}: {left} may be left; './inv clean' removes it")

    def _forget(self, steps: Steps, *, kept: bool) -> None:
        if kept:
            keys = steps.folder / "keys"
            self.session.progress.note(f"kept for the machine you asked to keep: the login key in {keys}")
            self.session.builds.forget_secrets(steps.build, keep=("keys",))
        else:
            self.session.builds.forget_secrets(steps.build)
