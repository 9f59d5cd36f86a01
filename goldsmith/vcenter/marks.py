"""How a template carries its own record: custom attributes that name its instance UUID, and a note."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.builds import ID_PATTERN
from goldsmith.plan import Existing, started

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from goldsmith.vcenter.api import VCenter
    from goldsmith.vcenter.inventory import Machine

PREFIX = "goldsmith."
NAMES = (
    *("image", "phase", "key", "build", "commit", "record", "inputs", "parent"),
    *("status", "reason", "promoted", "instance"),
)
"""The attributes, in the order they are written: *instance* makes the others count, so it comes last."""
_UNDER_WAY = re.compile(r"^goldsmith: build (?P<build>\S+) is under way$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """What a template says of itself."""

    image: str
    phase: str
    key: str
    build: str
    inputs: str = ""
    """The key's parts in short form: what tells which of them changed later."""
    commit: str = ""
    record: str = ""
    """sha256 of the record."""
    parent: str = ""
    """The template this one was cloned from; empty for a base."""
    status: str = "candidate"
    reason: str = ""
    """Why it is failed."""
    promoted: str = ""
    """When it became golden (UTC, ISO 8601); empty for never."""

    def values(self, machine: Machine) -> dict[str, str]:
        """Return the attributes as they are written to *machine*, *instance* last."""
        plain = {name: getattr(self, name) for name in NAMES if name != "instance"}
        return {PREFIX + name: value for name, value in (*plain.items(), ("instance", machine.instance_uuid))}


@dataclass(frozen=True, kw_only=True)
class Template:
    """A finished template of this suite."""

    machine: Machine
    attributes: Attributes

    @property
    def name(self) -> str:
        """The template's name."""
        return self.machine.name


def attributes_of(machine: Machine) -> Attributes | None:
    """Return what *machine* says of itself, or nothing.

    Clones inherit attributes; what names another instance UUID is somebody
    else's, so no virtual machine made from a template is ever taken for one.
    """
    given = {name: machine.attributes.get(PREFIX + name, "") for name in NAMES}
    own = given.pop("instance")
    if not own or own != machine.instance_uuid or not ID_PATTERN.fullmatch(given["build"]):
        return None
    return Attributes(**given)


FAILED = "failed"
VERIFIED = "verified"


def find(machines: Iterable[Machine], *, image: str, phase: str, failed: bool = False) -> list[Template]:
    """Return the finished templates of an image and phase, oldest build first; *failed* ones only when asked for."""
    found = [
        Template(machine=machine, attributes=attributes)
        for machine in machines
        if machine.is_template and (attributes := attributes_of(machine))
    ]
    ours = [item for item in found if (item.attributes.image, item.attributes.phase) == (image, phase)]
    ours = [item for item in ours if failed or item.attributes.status != FAILED]
    return sorted(ours, key=lambda item: item.attributes.build)


def note_under_way(build: str, *, host: str, began: str) -> str:
    """Return the note a machine is created with.

    The note is the one mark that a machine has from its first moment, because
    Packer hands it over in the request that creates the machine; extra
    configuration comes a step later, and clones would inherit it for ever. It
    is replaced when the template is finished, so no clone of it carries it.
    """
    advice = "'clean' removes this machine once nobody works on it"
    return f"goldsmith: build {build} is under way\nbegan {began} on {host}; {advice}"


def build_under_way(note: str) -> str | None:
    """Return the build whose unfinished machine carries *note*."""
    found = _UNDER_WAY.search(note)
    return found["build"] if found else None


def note_finished(attributes: Attributes, *, built: str) -> str:
    """Return the note of a finished template, for those who look at it in the vSphere Client."""
    lines = [
        f"{attributes.image}, phase {attributes.phase}, made by goldsmith on {built}",
        f"build {attributes.build}, key {attributes.key[:16]}",
    ]
    if attributes.commit:
        lines.append(f"from commit {attributes.commit[:12]}")
    return "\n".join([*lines, "its custom attributes goldsmith.* tell the rest; do not edit them"])


def define(vcenter: VCenter) -> None:
    """Create the custom attributes, where they do not exist yet."""
    vcenter.define_attributes([PREFIX + name for name in NAMES])


def mark(vcenter: VCenter, machine: Machine, attributes: Attributes, *, built: str) -> None:
    """Make *machine* a finished template: the attributes first, the note last.

    Until the last attribute is written it does not count as one, and the note
    still names the build; so it is one or the other after a crash as well.
    """
    values = attributes.values(machine)
    define(vcenter)
    vcenter.set_attributes(machine, values)
    vcenter.set_note(machine, note_finished(attributes, built=built))


_REASON_LENGTH = 240
"""How much of the reasons an attribute holds; the vSphere Client shows about that much."""


def judge(vcenter: VCenter, template: Template, *, status: str, reasons: Sequence[str] = ()) -> None:
    """Write what verification found out; the reasons first, so that no failed template is without any."""
    define(vcenter)
    reason = "; ".join(reasons)
    values = {PREFIX + "reason": reason[:_REASON_LENGTH], PREFIX + "status": status}
    vcenter.set_attributes(template.machine, values)


def made_by(machine: Machine | None, build: str) -> bool:
    """Return whether *machine* is what the build *build* makes, finished or not."""
    if machine is None:
        return False
    attributes = attributes_of(machine)
    return build_under_way(machine.note) == build or (attributes is not None and attributes.build == build)


def existing(templates: Iterable[Template]) -> list[Existing]:
    """Return the templates as the plan looks at them; a template is as old as its build.

    One whose build names no time was edited by hand: nobody knows how old it is, so no plan relies on it.
    """
    return [
        Existing(
            name=template.name,
            key=template.attributes.key,
            inputs=template.attributes.inputs,
            created=began,
        )
        for template in templates
        if (began := started(template.attributes.build))
    ]
