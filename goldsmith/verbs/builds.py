"""The verbs that plan and build: whole, phase by phase, and piece by piece."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from goldsmith import config
from goldsmith.flow import inputs
from goldsmith.plan import KEY_SHORT, Stage
from goldsmith.templates import fixed_name
from goldsmith.verbs import here, lab, output

if TYPE_CHECKING:
    from goldsmith.builds import Build
    from goldsmith.flow.run import Flow
    from goldsmith.plan import Plan
    from goldsmith.verbs.flags import Request


def plan(request: Request) -> None:
    """Print what would run, and why."""
    flow = here.flow(request)
    if variables := config.stray(flow.session.environment):
        flow.session.progress.note(
            f"authorities that {', '.join(variables)} name are trusted; './inv config' shows them"
        )
    until = Stage.DOCKER
    if reason := inputs.unfit_for_docker(flow.on.image):
        until = Stage.BASE
        flow.session.progress.note(f"only the base can be forged: {reason}")
    planned = flow.plan(request.order(until), empty=not lab.answers(flow.on))
    if request.json:
        output.json(planned.as_json())
    else:
        output.plan(planned, to=sys.stdout)


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
    flow = here.flow(request)
    if request.dry_run:
        output.plan(flow.plan(order, empty=not lab.answers(flow.on)), to=sys.stdout)
        return
    flow = here.ready(flow, request)
    plans: list[Plan] = []

    def tell(planned: Plan) -> None:
        plans.append(planned)
        output.plan(planned, to=sys.stderr)

    finished = flow.forge(order, tell)
    if finished is None and flow.on.site.placement.template_name:
        with flow.alone(order):  # an earlier run may have ended before this
            fixed_name.give(flow.on, flow.inputs()["base"].key)
    checked = until is Stage.DOCKER and not plans[0].settled and _verified_now(flow, request)
    if finished is not None:
        _finished(flow, finished)
    elif not checked:
        flow.session.progress.note("nothing to do")


def _verified_now(flow: Flow, request: Request) -> bool:
    """Verify the newest Docker template if it is still a candidate; return whether that was so."""
    from goldsmith.templates import choosing, verification

    candidate = choosing.unverified(flow.on)
    if candidate is None:
        return False
    verdict = verification.check(flow.on, candidate, keep_failed=request.keep_failed)
    for line in output.verdict_lines(verdict):
        flow.session.progress.note(line)
    return True


def _piece(request: Request, until: Stage) -> None:
    order = request.order(until)
    flow = here.flow(request)
    if request.dry_run:
        key = flow.inputs()["base"].key
        flow.session.progress.note(f"would run the stages up to {until} of a build with key {key[:KEY_SHORT]}")
        return
    flow = here.ready(flow, request) if until is not Stage.ANSWERS else flow
    build = flow.piece(order)
    session = flow.session
    for path in session.builds.secrets_left(build):
        session.progress.note(f"left, with secrets: {path}")
    for medium in build.secret_media:
        session.progress.note(f"left on the datastore, with secrets: {medium.stored}")
    again = f"./inv packer-base --image {build.image}"
    session.progress.note(f"'{again}' continues build {build.id}; './inv clean' removes what it left")
    sys.stdout.write(build.id + "\n")


def _finished(flow: Flow, build: Build) -> None:
    flow.session.progress.note(
        f"{build.template} is complete on {flow.site}; its logs: {flow.session.builds.folder(build)}"
    )
    sys.stdout.write(build.template + "\n")
