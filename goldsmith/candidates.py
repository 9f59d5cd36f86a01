"""What becomes of a template once it is built: it is verified, and only then offered."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from goldsmith import recording
from goldsmith.builds import Build, Status
from goldsmith.errors import ConfigurationError, GoldsmithError, MissingObjectError
from goldsmith.stages import answers, record, verify
from goldsmith.vcenter import templates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from goldsmith.config import Effective
    from goldsmith.stages.verify import Verdict
    from goldsmith.vcenter.inventory import Machine
    from goldsmith.vcenter.templates import Template
    from goldsmith.wiring import Session

INVENTORY = "ansible/inventory.json"
VARIABLES = "ansible/variables.json"
PHASES = ("docker", "base")
"""In the order in which a candidate is looked for: a Docker host is what people wait for."""
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def choose(session: Session, effective: Effective, *, name: str, phase: str) -> Template:
    """Return the template *name*, or the newest of the image (of *phase*, when it is given) that did not fail.

    Raises ``MissingObjectError`` when there is none.
    """
    credentials = session.credentials(effective)
    with session.connect(effective.site, credentials) as vcenter:
        machines = vcenter.machines()
    image = effective.image.name
    for wanted in (phase,) if phase else PHASES:
        found = templates.find(machines, image=image, phase=wanted, failed=bool(name))
        fitting = [template for template in found if name in ("", template.name)]
        if fitting:
            return fitting[-1]
    raise MissingObjectError(
        f"there is no template {name}" if name else f"there is no{' ' + phase if phase else ''} template of {image}",
        where=effective.site.name,
        why="no finished template of this suite has that name" if name else "none was built, or all of them failed",
        next="'./inv templates' lists what there is; './inv packer-base' forges a base",
    )


def unverified(session: Session, effective: Effective) -> Template | None:
    """Return the image's newest Docker template that did not fail, if nobody has verified it yet."""
    with session.connect(effective.site, session.credentials(effective)) as vcenter:
        found = templates.find(vcenter.machines(), image=effective.image.name, phase=PHASES[0])
    newest = found[-1] if found else None
    return newest if newest and newest.attributes.status != templates.VERIFIED else None


def newest_verified(machines: Sequence[Machine], *, image: str, phase: str, site: str) -> str:
    """Return the name of the newest verified template of an image, of the last phase unless *phase* says which.

    Raises ``MissingObjectError`` when none is verified.
    """
    wanted = phase or PHASES[0]
    found = templates.find(machines, image=image, phase=wanted, failed=True)
    verified = [template for template in found if template.attributes.status == templates.VERIFIED]
    if verified:
        return verified[-1].name
    others = [f"{template.name} is {template.attributes.status}" for template in found]
    raise MissingObjectError(
        f"there is no verified {wanted} template of {image}",
        where=site,
        why="\n".join(others) or "there is none at all",
        next="'./inv verify' checks the newest candidate; '--phase' names another phase",
    )


def check(
    session: Session, effective: Effective, template: Template, *, keep_failed: bool, own: Sequence[str] = ()
) -> Verdict:
    """Verify *template* and mark it; raises what :func:`goldsmith.stages.verify.verify` does."""
    build = _build(session, effective, template)
    folder = session.builds.folder(build)
    request = verify.Request(
        template=template,
        image=effective.image,
        placement=effective.site.placement,
        expected=expected(effective, folder, root=session.workspace.root),
        root=session.workspace.root,
        folder=folder,
        host=session.host,
        own_checks=tuple(_own(session.workspace.root, name) for name in own),
        seconds=patience(session.environment.get("GOLDSMITH_IP_WAIT_TIMEOUT", ""), default=600.0),
        keep_failed=keep_failed,
    )
    credentials = session.credentials(effective)
    doors = verify.Doors(
        connect=lambda: session.connect(effective.site, credentials),
        toolbox=session.toolbox(effective.site, build=build.id),
        runner=session.runner,
        progress=session.progress,
        now=session.now,
        hide=session.redact.add,
    )
    with session.builds.working_on(build), session.progress.step("verify", f"boots two clones of {template.name}"):
        try:
            verdict = verify.verify(request, doors)
        except verify.FailedError as failed:
            _record(session, effective, failed.verdict, folder)
            raise
        _record(session, effective, verdict, folder)
        return verdict


def _record(session: Session, effective: Effective, verdict: Verdict, folder: Path) -> None:
    """Keep the record; what was found is already marked, so trouble with it is told and hides nothing."""
    try:
        with session.progress.step("record", "what made it and what was found, here and on the datastore"):
            recording.keep(session, effective, verdict, folder)
    except GoldsmithError as trouble:
        session.progress.note(f"the record was not kept everywhere: {trouble.what}")
    session.progress.note(f"report: {folder / record.REPORT}")


def expected(effective: Effective, folder: Path, *, root: Path) -> verify.Expected:
    """Return what clones of a build are compared with: the image, and what the build itself recorded."""
    image = effective.image
    recorded = _json(folder / INVENTORY).get("packages", [])
    variables = folder / VARIABLES
    return verify.Expected(
        packages=tuple(sorted({*image.packages, *answers.ALWAYS})),
        versions={row["name"]: row["version"] for row in recorded},
        held=tuple(sorted(row["name"] for row in recorded if str(row.get("status", "")).startswith("h"))),
        timezone=image.localisation.timezone,
        account=image.account.name,
        variables=variables.relative_to(root).as_posix() if variables.is_file() else "",
    )


def patience(text: str, *, default: float) -> float:
    """Return the seconds that ``90s``, ``10m`` or ``1h30m`` mean. Raises ``ConfigurationError`` for anything else."""
    if not text:
        return default
    if not re.fullmatch(r"(\d+h)?(\d+m)?(\d+s)?", text):
        raise ConfigurationError(
            "a time-out cannot be read",
            where=f"GOLDSMITH_IP_WAIT_TIMEOUT={text}",
            why="it is no number with a unit",
            next="write it as 90s, 60m or 1h30m, or unset it",
        )
    return float(sum(int(count) * _SECONDS[unit] for count, unit in re.findall(r"(\d+)([hms])", text)))


def _build(session: Session, effective: Effective, template: Template) -> Build:
    """Return the template's build.

    One that was made elsewhere is known here from now on: were this run killed, ``clean``
    would find its clones, and see that nobody works on them any more.
    """
    known = {build.id: build for build in session.builds.all()}
    attributes = template.attributes
    if attributes.build in known:
        return known[attributes.build]
    session.workspace.build(attributes.build).mkdir(parents=True, exist_ok=True)
    return session.builds.save(
        Build(
            id=attributes.build,
            image=attributes.image,
            site=effective.site.name,
            key=attributes.key,
            inputs=attributes.inputs,
            status=Status.DONE,
            template=template.name,
            phase=attributes.phase,
            server=effective.site.server,
        )
    )


def _own(root: Path, name: str) -> Path:
    path = (root / name).resolve()
    if not path.exists() or not path.is_relative_to(root.resolve()):
        raise ConfigurationError(
            "your own checks cannot be used",
            where=f"--checks {name}",
            why="there is no such file or folder in the repository, which is all that the toolbox sees",
            next="copy them into the repository and name the path relative to it",
        )
    return path


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
