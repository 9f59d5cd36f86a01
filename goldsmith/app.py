"""One function a verb: what an operator asks for, carried out and told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from goldsmith import fixed_name, lab_verbs, tell
from goldsmith.errors import ConfigurationError
from goldsmith.plan import Stage
from goldsmith.request import Request
from goldsmith.runner import interact
from goldsmith.wiring import Session

__all__ = ["Request"]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldsmith.builds import Build
    from goldsmith.flow import Flow


def config(request: Request) -> None:
    """Print the effective configuration and its sources."""
    from goldsmith.config import as_json, describe

    effective = Session.here().effective(site=request.site, image=request.image)
    if request.json:
        tell.json(as_json(effective))
    else:
        tell.table(("key", "value", "from"), describe(effective))


def plan(request: Request) -> None:
    """Print what would run, and why."""
    order = request.order(Stage.DOCKER)
    flow = _flow(request)
    planned = flow.plan(order, lab_verbs.credentials_if_up(flow.session, flow.effective))
    if request.json:
        tell.json(planned.as_json())
    else:
        tell.plan(planned, to=sys.stdout)


def build_image(request: Request) -> None:
    """Build the toolbox image."""
    session = Session.here()
    if request.dry_run:
        built = session.toolbox_built()
        session.progress.note(f"nothing to do: {built} is built" if built else "would build the toolbox image")
        return
    sys.stdout.write(session.builder.ensure("toolbox") + "\n")


def shell(_request: Request) -> None:
    """Open a shell in the toolbox."""
    session = Session.here()
    toolbox = session.toolbox().toolbox
    status = interact(toolbox.command(("bash",), interactive=True))
    if status:
        session.progress.note(f"the shell ended with status {status}")


def lock(request: Request) -> None:
    """Write the lock again, and record what the images made from it must be."""
    from goldsmith.toolbox import images, mirrors, relock

    session = Session.here()
    if request.dry_run:
        resolves = "" if request.identity else "resolve docker/wanted.toml anew, "
        session.progress.note(f"would {resolves}build the images and write docker/lock.json")
        return
    if not request.identity:
        relock.relock(
            workspace=session.workspace,
            mirrors=mirrors.Mirrors.here(session.environment),
            runner=session.runner,
            progress=session.progress,
            now=session.now(),
        )
    for image in images.ALL:
        if image.reproducible:
            session.builder.record(image.name)


def render(request: Request) -> None:
    """Render the answers of a build."""
    _piece(request, Stage.ANSWERS)


def iso_build(request: Request) -> None:
    """Compose the boot medium of a build."""
    _piece(request, Stage.MEDIA)


def iso_upload(request: Request) -> None:
    """Upload the boot medium of a build."""
    _piece(request, Stage.UPLOAD)


def packer_base(request: Request) -> None:
    """Forge the base template, as far as it is needed."""
    _forge(request, Stage.BASE)


def packer_docker(request: Request) -> None:
    """Forge the Docker template, and before it the base where that is missing or stale."""
    _forge(request, Stage.DOCKER)


def build(request: Request) -> None:
    """Run every stage that is needed for a finished image."""
    _forge(request, Stage.DOCKER)


def _forge(request: Request, until: Stage) -> None:
    order = request.order(until)
    flow = _flow(request)
    if request.dry_run:
        tell.plan(flow.plan(order, lab_verbs.credentials_if_up(flow.session, flow.effective)), to=sys.stdout)
        return
    flow = _ready(flow, request)
    finished = flow.forge(order, lambda planned: tell.plan(planned, to=sys.stderr))
    if finished is None and flow.effective.site.placement.template_name:
        with flow.alone(order):  # an earlier run may have ended before this
            fixed_name.give(flow.session, flow.effective, flow.inputs().key)
    checked = until is Stage.DOCKER and _verified_now(flow, request)
    if finished is not None:
        _finished(flow, finished)
    elif not checked:
        flow.session.progress.note("nothing to do")


def _verified_now(flow: Flow, request: Request) -> bool:
    """Verify the newest Docker template if it is still a candidate; return whether that was so."""
    from goldsmith import candidates

    candidate = candidates.unverified(flow.session, flow.effective)
    if candidate is None:
        return False
    verdict = candidates.check(flow.session, flow.effective, candidate, keep_failed=request.keep_failed)
    for line in tell.verdict_lines(verdict):
        flow.session.progress.note(line)
    return True


def preflight(request: Request) -> None:
    """Check that the site has what a build needs."""
    from goldsmith.vcenter import preflight as check

    flow = _ready(_flow(request), request)
    effective = flow.effective
    with flow.session.connect(effective.site, flow.session.credentials(effective)) as vcenter:
        check.check(vcenter, effective.site.placement, effective.image.hardware)
    flow.session.progress.note(f"{effective.site.name} ({effective.site.server}) has everything a build needs")


def verify(request: Request, *, template: str, checks: Sequence[str]) -> None:
    """Boot two clones of a template, check and compare them, and mark the template."""
    from goldsmith import candidates

    phase = request.known_phase()
    flow = _ready(_flow(request), request)
    chosen = candidates.choose(flow.session, flow.effective, name=template, phase=phase)
    if request.dry_run:
        flow.session.progress.note(f"would boot two clones of {chosen.name}, check and destroy them")
        return
    verdict = candidates.check(flow.session, flow.effective, chosen, keep_failed=request.keep_failed, own=checks)
    tell.verdict(verdict, as_json=request.json)


def templates(request: Request, *, newest: bool = False) -> None:
    """List the templates of the site, or print the name of the newest verified one and nothing else."""
    from goldsmith import candidates

    phase = request.known_phase()
    flow = _ready(_flow(request), request)
    with flow.session.connect(flow.effective.site, flow.session.credentials(flow.effective)) as vcenter:
        machines = vcenter.machines()
    if newest:
        image = flow.effective.image.name
        tell.lines(candidates.newest_verified(machines, image=image, phase=phase, site=flow.site))
        return
    rows = tell.templates(machines, image=request.image, phase=phase, now=flow.session.now())
    if request.json:
        tell.json(rows)
    else:
        tell.templates_table(rows)


def clean(request: Request) -> None:
    """List, then remove, what dead builds left."""
    from goldsmith import leftovers

    flow = _flow(request)
    leftovers.clean(flow.session, flow.effective, dry_run=request.dry_run, as_json=request.json)


def lab_up(_request: Request, *, vcenters: str) -> None:
    """Start the lab."""
    if not (vcenters.isascii() and vcenters.isdigit()):
        raise ConfigurationError(
            "--vcenters is no number", where=f"--vcenters {vcenters}", why="it says how many", next="for example: 2"
        )
    session = Session.here()
    lab_verbs.up(session, vcenters=int(vcenters))
    session.progress.note(f"the lab {session.lab_name} is up; './inv lab-status' says how to reach it")


def lab_down(_request: Request) -> None:
    """Stop the lab."""
    lab_verbs.down(Session.here())


def lab_status(request: Request) -> None:
    """Show the lab."""
    lab_verbs.status(Session.here(), as_json=request.json)


def _flow(request: Request) -> Flow:
    from goldsmith.flow import Flow

    session = Session.here()
    effective = session.effective(site=request.site, image=request.image)
    if effective.ignored:
        session.progress.note(f"ignored, as the site is {effective.site.name}: {' '.join(effective.ignored)}")
    return Flow(session=session, effective=effective)


def _ready(flow: Flow, request: Request) -> Flow:
    """Return *flow* with its site up: the lab is started on demand, and then known by its state."""
    if not flow.effective.site.is_lab:
        return flow
    from goldsmith.flow import Flow

    lab_verbs.on_demand(flow.session)
    effective = flow.session.effective(site=request.site, image=request.image)
    return Flow(session=flow.session, effective=effective)


def _piece(request: Request, until: Stage) -> None:
    order = request.order(until)
    flow = _flow(request)
    if request.dry_run:
        flow.session.progress.note(f"would run the stages up to {until} of a build with key {flow.inputs().key[:8]}")
        return
    flow = _ready(flow, request) if until is not Stage.ANSWERS else flow
    build = flow.piece(order)
    session = flow.session
    for path in session.builds.secrets_left(build):
        session.progress.note(f"left, with secrets: {path}")
    if build.medium:
        session.progress.note(f"left on the datastore, with secrets: {build.medium}")
    again = f"./inv packer-base --image {build.image}"
    session.progress.note(f"'{again}' continues build {build.id}; './inv clean' removes what it left")
    sys.stdout.write(build.id + "\n")


def _finished(flow: Flow, build: Build) -> None:
    flow.session.progress.note(
        f"{build.template} is complete on {flow.site}; its logs: {flow.session.builds.folder(build)}"
    )
    sys.stdout.write(build.template + "\n")
