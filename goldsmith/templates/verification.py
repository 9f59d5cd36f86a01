"""Verifying a template: two clones are looked at, the template is marked, and its record is kept."""

from __future__ import annotations

import re
import secrets
import threading
from functools import partial
from typing import TYPE_CHECKING

from goldsmith import forging
from goldsmith.builds import Build, Status
from goldsmith.errors import ConfigurationError, GoldsmithError
from goldsmith.guests.guest import WayIn
from goldsmith.host import reading
from goldsmith.host.files import read_object
from goldsmith.installers import door
from goldsmith.plan import build_id
from goldsmith.records import gather, sbom, write
from goldsmith.stages import verify
from goldsmith.work import Work

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from goldsmith.guests.guest import Guest
    from goldsmith.model import Image
    from goldsmith.stages.verify import Verdict
    from goldsmith.vcenter.marks import Template
    from goldsmith.wiring import OnSite

INVENTORY = "ansible/inventory.json"
VARIABLES = "ansible/variables.json"
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def check(on: OnSite, template: Template, *, keep_failed: bool, own: Sequence[str] = ()) -> Verdict:
    """Verify *template* and mark it; raises what :func:`goldsmith.stages.verify.verify` does."""
    session, guest = on.session, door.of(on.image).guest(on.image)
    build, kept = _build(on, template), list[str]()
    run = Work(build.id, build_id(secrets.token_hex(16), session.now()))
    folder = session.builds.folder(build)
    order = verify.Verification(
        template=template,
        work=run,
        image=on.image,
        placement=on.finder.places().placement,
        expected=expected(on.image, guest, folder, root=session.workspace.root),
        way_in=guest.way_in,
        operators_key=_operators_key(on, guest),
        root=session.workspace.root,
        folder=folder,
        host=session.host,
        own_checks=tuple(_own(session.workspace.root, name) for name in own),
        seconds=patience(session.environment.get("GOLDSMITH_IP_WAIT_TIMEOUT", ""), default=600.0),
        keep_failed=keep_failed,
        signer=on.effective.signer,
        record=lambda: kept[-1] if kept else "",
        gone=partial(session.builds.forget_run, run),
    )
    effects = forging.Effects(
        connect=on.connect,
        toolbox=on.toolbox(build.id),
        runner=session.runner,
        progress=session.progress,
        now=session.now,
        hide=session.redact.add,
        redact=session.redact,
    )
    log, reason = session.builds.log(build), f"boots two clones of {template.name}"
    alone = session.builds.working_on(build), session.builds.holding(run)
    with alone[0], alone[1], session.progress.kept(log), session.progress.step("verify", reason):
        threading.Thread(target=sbom.prepare, daemon=True).start()
        return verify.verify(order, effects, found=lambda verdict: kept.append(_record(on, verdict, folder)))


def _operators_key(on: OnSite, guest: Guest) -> str:
    """Return the operator's private key where clones take no other one.

    Raises ``ConfigurationError`` where none is named.
    """
    if guest.way_in is WayIn.CLOUD_INIT:
        return ""
    file = on.site.guests.ssh_private_key_file
    if file is None:
        raise ConfigurationError(
            f"clones of {on.image.name} cannot be logged in to",
            where=f"guests.ssh_private_key_file of the site {on.site.name}",
            why="the image has no cloud-init, so that its clones take only the operators' own keys, and none is named",
            next="name the private key of one of guests.authorized_keys: ssh_private_key_file, or\n"
            "SSH_PRIVATE_KEY_FILE",
        )
    return reading.private_key(reading.content(file)).decode()


def _record(on: OnSite, verdict: Verdict, folder: Path) -> str:
    """Keep the record, and return its digest, or nothing; trouble with it is told and hides nothing."""
    digest = ""
    try:
        with on.session.progress.step("record", "what made it and what was found, here and on the datastore"):
            digest = gather.keep(on, verdict, folder).digest
    except GoldsmithError as trouble:
        on.session.progress.note(f"the record was not kept everywhere: {trouble.what}")
    on.session.progress.note(f"report: {folder / write.REPORT}")
    return digest


def expected(image: Image, guest: Guest, folder: Path, *, root: Path) -> verify.Expected:
    """Return what clones of a build are compared with: the image, and what the build itself recorded."""
    recorded = read_object(folder / INVENTORY).get("packages", [])
    variables = folder / VARIABLES
    return verify.Expected(
        packages=tuple(sorted({*image.packages, *guest.always})),
        versions={row["name"]: row["version"] for row in recorded},
        held=tuple(sorted(row["name"] for row in recorded if str(row.get("status", "")).startswith("h"))),
        timezone=image.localisation.timezone,
        account=image.account.name,
        family=guest.family,
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
            why="it must be a number with a unit",
            next="write it as 90s, 60m or 1h30m, or unset it",
        )
    return float(sum(int(count) * _SECONDS[unit] for count, unit in re.findall(r"(\d+)([hms])", text)))


def _build(on: OnSite, template: Template) -> Build:
    """Return the template's build.

    One that was made elsewhere is known here from now on: were this run killed, ``clean``
    would find its clones, and see that nobody works on them any more.
    """
    session, attributes = on.session, template.attributes
    if known := session.builds.find(attributes.build):
        return known
    session.workspace.build(attributes.build).mkdir(parents=True, exist_ok=True)
    return session.builds.save(
        Build(
            id=attributes.build,
            image=attributes.image,
            site=on.site.name,
            key=attributes.key,
            inputs=attributes.inputs,
            status=Status.DONE,
            template=template.name,
            phase=attributes.phase,
            server=on.site.server,
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
