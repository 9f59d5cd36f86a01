"""Phase 2: makes a Docker host of a clone of the base - its source, its way in, its playbooks' variables."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldsmith import forging
from goldsmith.errors import ConfigurationError, MissingObjectError
from goldsmith.forging import Recipe
from goldsmith.host import reading
from goldsmith.host.workspace import write_if_changed
from goldsmith.installers import door
from goldsmith.tools import packer
from goldsmith.vcenter import belonging, preflight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from goldsmith.forging import Effects, Job
    from goldsmith.model import Image, Placement
    from goldsmith.signing import PublicKey
    from goldsmith.vcenter.api import VCenter
    from goldsmith.vcenter.marks import Template
    from goldsmith.vcenter.places import Places

    Reader = Callable[[bytes], object]

_NEEDED = {
    "docker-ce": ("docker_engine_repo_url", "docker_engine_repo_key_file"),
    "mcr": (
        "docker_engine_repo_url",
        "docker_engine_repo_key_file",
        "docker_engine_repo_key_fingerprint",
        "docker_engine_packages",
    ),
}
"""The variables that an engine cannot do without: where its packages are, and what is pinned of them."""
VARIABLES = "ansible/variables.json"
RESULTS = "ansible"
"""Folder of the playbooks' reports below the build's: ``inventory.json``, ``not-applied.json``, ``seal.json``."""

_RENAMED = {"guest_seal_keep_apt_proxy": "guest_seal_keep_proxy"}
"""Variables of the playbooks whose names were those of one family of packages: images may still have them."""


@dataclass(frozen=True, kw_only=True)
class Provisioning:
    """One build's phase 2."""

    job: Job
    base_key: str
    """The key of the base that is cloned."""
    public_key: str
    """The build's own, as a line of ``authorized_keys``."""
    full: bool = False
    """Whether the result is to share no disk with its base."""


@dataclass(frozen=True)
class _Source:
    """What was found when the site was looked at."""

    places: Places
    template: Template


def variables(image: Image) -> dict[str, Any]:
    """Return the variables of the playbooks, as they decide the result; what a build adds are paths for reports."""
    docker = image.docker
    return {
        **{_RENAMED.get(name, name): value for name, value in docker.variables.items()},
        "guest_family": door.of(image).guest(image).family.value,
        "data_disk_device": docker.data_disk_device,
        "docker_engine_flavour": docker.engine,
        "docker_images_list": [
            {name: value for name, value in item.model_dump(mode="json").items() if value} for item in docker.images
        ],
    }


def check(image: Image) -> None:
    """Raise ``ConfigurationError`` when the engine of *image* lacks a variable: its role would say so in the clone."""
    lacking = [name for name in _NEEDED.get(image.docker.engine, ()) if not image.docker.variables.get(name)]
    if lacking:
        raise ConfigurationError(
            f"the engine {image.docker.engine} cannot be installed",
            where=f"config/images/{image.name}.toml: docker.variables",
            why=f"it is not in the distribution's archive, and these are missing or empty: {', '.join(lacking)}",
            next='give them in [docker.variables], see docs/reference/ansible.md; or set docker.engine = "docker.io"',
        )


def files(image: Image, root: Path) -> dict[str, str]:
    """Return the sha256 of the files that the image names for the playbooks, by their names.

    Images' archives are left out: their sha256 is pinned, and reading gigabytes for a plan takes too long.

    Raises ``ConfigurationError`` naming each file that is missing, lies where the toolbox does not see it, or holds
    something else than the certificates or the key that are wanted of it.
    """
    archives: dict[str, Reader | None] = {item.archive: None for item in image.docker.images if item.archive}
    others = dict(_named(image.docker.variables))
    wanted = sorted((archives | others).items())
    if problems := [problem for name, reader in wanted if (problem := _problem(root, name, reader))]:
        raise ConfigurationError(
            "a file for the playbooks cannot be used",
            where=f"images and variables of the image {image.name}",
            why="\n".join(problems),
            next="put it into the repository, and name it relative to the repository",
        )
    return {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in sorted(others)}


def _named(variables: Mapping[str, Any]) -> Iterator[tuple[str, Reader]]:
    """Yield the files that the playbooks' variables name, and what must be able to read each."""
    for name in variables.get("docker_engine_registry_cas", {}).values():
        yield name, reading.certificates
    if name := variables.get("docker_engine_repo_key_file", ""):
        yield name, reading.openpgp_key


def _problem(root: Path, name: str, reader: Reader | None) -> str:
    if Path(name).is_absolute() or not (root / name).resolve().is_relative_to(root.resolve()):
        return f"{name} does not lie in the repository, which is all that the toolbox sees"
    if not (root / name).is_file():
        return f"{name} is not there"
    try:
        _ = reader and reader(reading.content(root / name))
    except ValueError as error:
        return f"{name} {error}"
    return ""


def guestinfo(public_key: str, build: str) -> dict[str, str]:
    """Return what lets the build in, for cloud-init's VMware datasource: as an operator's clone gets its key."""
    # cloud-init gives it to the image's account, which the base names as its default user.
    userdata = {"ssh_authorized_keys": [public_key]}
    metadata = {"instance-id": f"goldsmith-{build}"}
    return {
        "metadata": _encoded(json.dumps(metadata)),
        "metadata.encoding": "base64",
        "userdata": _encoded("#cloud-config\n" + json.dumps(userdata)),
        "userdata.encoding": "base64",
    }


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def source(
    vcenter: VCenter, placement: Placement, keys: tuple[PublicKey, ...] = (), *, image: str, key: str
) -> Template:
    """Return the site's newest base of *image* with this key that can be cloned.

    Raises ``MissingObjectError`` when there is none (any more), or none that has
    the snapshot a clone hangs on.
    """
    holdings = belonging.look(vcenter, placement, keys)
    here = [item for item in holdings.templates(image=image, phase="base") if item.attributes.key == key]
    whole = [item for item in here if item.machine.has_snapshot]
    if whole:
        return whole[-1]
    everything = belonging.look(vcenter, placement, keys, everywhere=True)
    others = [one for one in everything.others(image=image) if one.attributes and one.attributes.key == key]
    if here:
        what, why = "the base template has no snapshot", f"somebody removed the snapshot of {here[-1].name}"
    elif others:
        what, why = "the base template is not the site's", f"{others[-1].machine.name}: {others[-1].why}"
    else:
        what, why = "the base template is gone", f"no base of {image} has the key {key[:8]} any more"
    raise MissingObjectError(
        what,
        where=f"folder {holdings.places.folder.name}",
        why=why,
        next="the same command forges the base again where it is gone, './inv packer-base --rebuild' another one",
    )


def variable_file(order: Provisioning, *, began: str, cloned: _Source) -> str:
    """Return the text of Packer's variable file."""
    job, docker = order.job, order.job.image.docker
    run = packer.Clone(
        name=job.build.name,
        note=job.note(began),
        paths=cloned.places.paths,
        user=job.user,
        private_key=job.inside(job.private_key),
        timeouts=job.timeouts,
        source=cloned.places.paths.machine(cloned.template.name),
        linked=not order.full,
        guestinfo=guestinfo(order.public_key, job.build.id),
        ansible_variables=job.inside(job.folder / VARIABLES),
        results=job.inside(job.folder / RESULTS),
        data_disk_mib=docker.data_disk_mib,
    )
    return packer.variable_file(packer.clone_variables(job.image, job.site, run))


def forge(order: Provisioning, effects: Effects) -> Template:
    """Make the Docker template and return it, finished and marked; see :func:`goldsmith.forging.forge`."""
    job = order.job
    found: list[_Source] = []

    def check(vcenter: VCenter) -> Places:
        places = preflight.check(vcenter, job.site.placement, job.image.hardware, cloning=True)
        template = source(vcenter, places.placement, job.site.keys, image=job.image.name, key=order.base_key)
        effects.progress.note(f"clones {template.name}")
        found.append(_Source(places, template))
        return places

    _write_variables(job.folder / VARIABLES, variables(job.image))
    recipe = Recipe(
        check=check,
        variables=lambda began: variable_file(order, began=began, cloned=found[-1]),
        parent=lambda: found[-1].template.name,
        secrets={"GOVC_USERNAME": job.user, "GOVC_PASSWORD": job.password},
    )
    return forging.forge(job, recipe, effects)


def _write_variables(path: Path, values: Mapping[str, Any]) -> None:
    write_if_changed(path, json.dumps(values, indent=1) + "\n")
