"""Packer: its variable file and its command line."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.model import Image, Site
    from goldsmith.tools.spelling import Paths

TEMPLATES = "packer"
"""The folder of the HCL files, relative to the repository."""
PASSWORD_VARIABLE = "PKR_VAR_vcenter_password"  # noqa: S105 - the variable's name
SETTINGS_VARIABLE = "PKR_VAR_configuration_parameters"
"""Settings hold answers: they reach Packer as its password does."""
ENVIRONMENT = {
    "CHECKPOINT_DISABLE": "1",  # no call home
    "PACKER_CACHE_DIR": "/tmp/packer",  # noqa: S108 - the toolbox's own tmpfs
}
_DURATION = re.compile(r"(\d+(\.\d+)?(ms|s|m|h))+")


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long Packer waits for what; in Go's notation (``90s``, ``60m``)."""

    ip_wait: str = "60m"
    """For the installation: the address is reported by the installed system."""
    ip_settle: str = "2s"
    ssh: str = "60m"
    """For SSH once an address is known, which some installers report long before they are done."""
    shutdown: str = "10m"

    def __post_init__(self) -> None:
        """Refuse what Packer could not read, with a ``ValueError`` that names it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if wrong := [f"{name}={value}" for name, value in values.items() if not _DURATION.fullmatch(value)]:
            msg = f"{', '.join(wrong)}: a time is a number with a unit, as 90s, 60m or 1h30m"
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one build adds to its image and site. Paths are relative to the repository."""

    name: str
    """Of the machine and the template."""
    note: str
    paths: Paths
    """Where on the vCenter."""
    user: str
    """Who logs in to the vCenter."""
    private_key: str
    timeouts: Timeouts = Timeouts()


@dataclass(frozen=True, kw_only=True)
class Install(Run):
    """Phase 1: installs from a medium."""

    iso_paths: tuple[str, ...]
    """Of the CD-ROMs, as vSphere writes them, ``[datastore] folder/name``; the boot medium comes first."""
    finish_script: str
    floppy: str = ""
    """Of a floppy image with the answers, written alike; empty for none."""


@dataclass(frozen=True, kw_only=True)
class Clone(Run):
    """Phase 2: provisions a clone."""

    source: str
    """Inventory path of the template that is cloned."""
    linked: bool
    guestinfo: Mapping[str, str]
    """What cloud-init in the clone reads, by its name without ``guestinfo.``; emptied again before sealing."""
    ansible_variables: str
    """JSON file with the variables of the playbooks."""
    results: str
    """Folder that the playbooks write their reports to."""
    data_disk_mib: int


def variables(image: Image, site: Site, run: Install) -> dict[str, Any]:
    """Return the variables of ``packer/base.pkr.hcl``; none is a secret."""
    hardware = image.hardware
    return {
        **_shared(image, site, run),
        "guest_os_type": image.os.guest_type,
        "cpus": hardware.cpus,
        "memory_mib": hardware.memory_mib,
        "disk_mib": hardware.disk_mib,
        "network_card": hardware.network_card,
        "firmware": hardware.firmware.value,
        "iso_paths": list(run.iso_paths),
        "floppy_img_path": run.floppy,
        "finish_script": run.finish_script,
    }


def clone_variables(image: Image, site: Site, run: Clone) -> dict[str, Any]:
    """Return the variables of ``packer/docker.pkr.hcl``; none is a secret."""
    return {
        **_shared(image, site, run),
        "source_template": run.source,
        "linked_clone": run.linked,
        "guestinfo": dict(run.guestinfo),
        "data_disk_mib": run.data_disk_mib,
        "ansible_variables": run.ansible_variables,
        "results": run.results,
    }


def _shared(image: Image, site: Site, run: Run) -> dict[str, Any]:
    return {
        "vcenter_server": site.server,
        "vcenter_user": run.user,
        "datacenter": run.paths.datacenter,
        "cluster": run.paths.cluster,
        "datastore": run.paths.datastore,
        "folder": run.paths.folder,
        "network": run.paths.network,
        "resource_pool": run.paths.pool,
        "disk_controller": image.hardware.disk_controller,
        "vm_name": run.name,
        "note": run.note,
        "ssh_user": image.account.name,
        "ssh_private_key_file": run.private_key,
        "ip_wait_timeout": run.timeouts.ip_wait,
        "ip_settle_timeout": run.timeouts.ip_settle,
        "ssh_timeout": run.timeouts.ssh,
        "shutdown_timeout": run.timeouts.shutdown,
    }


def settings(values: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a run whose answers are in settings of the machine; nothing where there are none.

    *values* is the content by the name without ``guestinfo.``. Packer reads the variable as an expression, in which
    base64 means nothing but itself; VMware's tools and cloud-init take a setting for base64 when one beside it says so.
    """
    if not values:
        return {}
    shown = {
        name: text
        for setting, content in values.items()
        for name, text in (
            (f"guestinfo.{setting}", base64.b64encode(content.encode()).decode()),
            (f"guestinfo.{setting}.encoding", "base64"),
        )
    }
    return {SETTINGS_VARIABLE: json.dumps(shown)}


def variable_file(values: dict[str, Any]) -> str:
    """Return the text of a ``.pkrvars.json`` file."""
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def build_argv(variable_file: str, *, phase: str = "base") -> tuple[str, ...]:
    """Return the command line of one phase's build.

    On an error Packer stops where it stands (``abort``) instead of destroying
    the machine: goldsmith looks at it first - its console, its tools - and
    then destroys it, or keeps it when asked to.
    """
    return (
        "packer", "-machine-readable", "build",
        "-color=false",
        "-on-error=abort",
        f"-only={phase}.*",
        f"-var-file={variable_file}",
        TEMPLATES,
    )  # fmt: skip
