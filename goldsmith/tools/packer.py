"""Packer: its variable file and command lines, and its machine-readable output as typed events."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.spec import Image, Site

TEMPLATES = "packer"
"""The folder of the HCL files, relative to the repository."""
PASSWORD_VARIABLE = "PKR_VAR_vcenter_password"  # noqa: S105 - the variable's name
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
    network: str
    """Inventory path of the network."""
    user: str
    """Who logs in to the vCenter."""
    private_key: str
    timeouts: Timeouts = Timeouts()


@dataclass(frozen=True, kw_only=True)
class Install(Run):
    """Phase 1: installs from a medium."""

    iso_path: str
    """Of the boot medium, on the site's media datastore."""
    finish_script: str
    floppy: str = ""
    """Of a floppy image with the answers, as vSphere writes it: ``[datastore] folder/name``; empty for none."""


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
        "iso_datastore": site.placement.media_datastore,
        "iso_path": run.iso_path,
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
    place = site.placement
    return {
        "vcenter_server": site.server,
        "vcenter_user": run.user,
        "datacenter": place.datacenter,
        "cluster": place.cluster,
        "datastore": place.datastore,
        "folder": place.folder,
        "network": run.network,
        "resource_pool": place.resource_pool,
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


class Step(StrEnum):
    """What Packer is doing, in the order it does it."""

    PREPARE = "prepare"
    CREATE = "create the virtual machine"
    HARDWARE = "hardware"
    MEDIUM = "mount the boot medium"
    POWER_ON = "power on"
    ADDRESS = "install, until an address is reported"
    SSH = "log in by SSH"
    PROVISION = "provision"
    SHUTDOWN = "shut down"
    EJECT = "remove the CD-ROM"
    SNAPSHOT = "snapshot"
    TEMPLATE = "convert to a template"


def called(step: Step, *, phase: str) -> str:
    """Return what *step* is called: a clone is started where a base is installed."""
    if phase != "base" and step is Step.ADDRESS:
        return "start, until an address is reported"
    return step.value


_BEGINNINGS = {
    "Creating virtual machine": Step.CREATE,
    "Cloning virtual machine": Step.CREATE,
    "Customizing hardware": Step.HARDWARE,
    "Mounting ISO images": Step.MEDIUM,
    "Setting boot order": Step.POWER_ON,
    "Powering on virtual machine": Step.POWER_ON,
    "Waiting for IP": Step.ADDRESS,
    "Using SSH communicator": Step.SSH,
    "Waiting for SSH": Step.SSH,
    "Provisioning with": Step.PROVISION,
    "Running local shell script": Step.PROVISION,
    "Running shutdown command": Step.SHUTDOWN,
    "Shutting down virtual machine": Step.SHUTDOWN,
    "Virtual machine is already powered off": Step.SHUTDOWN,
    "Ejecting CD-ROM": Step.EJECT,
    "Removing CD-ROM": Step.EJECT,
    "Creating snapshot": Step.SNAPSHOT,
    "Converting virtual machine to template": Step.TEMPLATE,
}
"""How the plugin's messages of version 1.4.2 begin."""


@dataclass(frozen=True)
class Record:
    """One line of Packer's machine-readable output."""

    seconds: int
    """Unix time."""
    target: str
    kind: str
    data: tuple[str, ...]


@dataclass(frozen=True)
class Began:
    """Packer began a step."""

    step: Step


@dataclass(frozen=True)
class Address:
    """The guest reported its address."""

    address: str


@dataclass(frozen=True)
class Output:
    """Something was printed, by Packer or by what it runs in the guest."""

    text: str


@dataclass(frozen=True)
class Failed:
    """Packer tells of an error; the last one is the build's."""

    text: str


@dataclass(frozen=True)
class Artifact:
    """The build made something; for this builder, the template's name."""

    id: str


Event = Began | Address | Output | Failed | Artifact


def parse(line: str) -> Record | None:
    r"""Return the record in *line*, or nothing when it is none (the entry script or a crash prints plain text).

    The format has no escape for its escapes: text that contains ``\n`` as two
    characters comes out as a line break.
    """
    stamp, *rest = line.split(",")
    if len(rest) < 2 or not (stamp.isascii() and stamp.isdigit()):  # noqa: PLR2004 - target and type
        return None
    target, kind, *data = rest
    return Record(int(stamp), target, kind, tuple(map(_unescaped, data)))


def _unescaped(text: str) -> str:
    return text.replace("%!(PACKER_COMMA)", ",").replace("\\n", "\n").replace("\\r", "\r")


_SPEAKER = re.compile(r"^(?:==>|   ) [\w.-]+: ?", re.MULTILINE)
"""What Packer puts before each line of a build: ``==> base.vsphere-iso.base: ``."""


def understand(line: str) -> Event | None:
    """Return what a line of output means, or nothing when it says nothing of interest."""
    record = parse(line)
    if record is None:
        return Output(line) if line.strip() else None
    match record:
        case Record(kind="ui", data=("error", text)):
            # One such line for each step that -on-error=abort leaves alone: noise beside the cause.
            return None if _said(text).startswith("aborted: skipping cleanup") else Failed(_said(text))
        case Record(kind="ui", data=(_, text)):
            return _spoken(_said(text))
        case Record(kind="error", data=(text, *_)):
            return Failed(_said(text))
        case Record(kind="artifact", data=(_, "id", name, *_)):
            return Artifact(name)
        case _:
            return None


def _said(text: str) -> str:
    return _SPEAKER.sub("", text).strip()


def _spoken(text: str) -> Event | None:
    if not text:
        return None
    if text.startswith("IP address: "):
        return Address(text.removeprefix("IP address: ").strip().strip("[]"))
    step = next((step for beginning, step in _BEGINNINGS.items() if text.startswith(beginning)), None)
    return Began(step) if step else Output(text)
