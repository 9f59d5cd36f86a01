"""Packer's machine-readable output, as typed events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


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
