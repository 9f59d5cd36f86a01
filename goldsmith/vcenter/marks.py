"""How a template carries its own record: custom attributes that name its instance UUID."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from goldsmith import signing, terminal
from goldsmith.errors import GoldsmithError
from goldsmith.model.values import SLUG
from goldsmith.plan import Existing, canonical, started
from goldsmith.work import ID_PATTERN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from goldsmith.signing import PublicKey, Signer
    from goldsmith.vcenter.api import VCenter
    from goldsmith.vcenter.inventory import Machine

PREFIX = "goldsmith."
CANDIDATE, VERIFIED, FAILED = "candidate", "verified", "failed"
_SHAPES = {
    "image": SLUG,
    "phase": "base|docker",
    "key": "[0-9a-f]{64}",
    "commit": "[0-9a-f]{0,64}(?:-dirty)?",
    "record": "(?:[0-9a-f]{64})?",
    "inputs": r"(?:[a-z-]+=[0-9a-f]+(?: [a-z-]+=[0-9a-f]+)*)?",
    "parent": "[A-Za-z0-9._-]{0,80}",
    "status": f"{CANDIDATE}|{VERIFIED}|{FAILED}",
    "reason": r"(?s:.)*",
    "promoted": "[0-9TZ.:+-]{0,40}",
    "signature": f"(?:{signing.SHAPE})?",
    "build": ID_PATTERN.pattern,
    "instance": r"\S+",
}
"""What each attribute is made of: anybody who may edit a machine may write anything into it."""
NAMES = tuple(_SHAPES)
"""The attributes, in the order they are written: *instance* makes the others count, so it comes last, and before it
*build*, which tells those that were inherited from a base from a template's own."""


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
    status: str = CANDIDATE
    reason: str = ""
    """Why it is failed."""
    promoted: str = ""
    """When it became golden (UTC, ISO 8601); empty for never."""

    def values(self, machine: Machine, signer: Signer | None = None) -> dict[str, str]:
        """Return the attributes as they are written to *machine*, *instance* last; signed, where somebody signs."""
        given = {**vars(self), "signature": "", "instance": machine.instance_uuid}
        if signer:
            given["signature"] = signing.sign(_KIND, _signed(given), signer)
        return {PREFIX + name: given[name] for name in NAMES}


@dataclass(frozen=True, kw_only=True)
class Template:
    """A finished template of this suite."""

    machine: Machine
    attributes: Attributes

    @property
    def name(self) -> str:
        """The template's name."""
        return self.machine.name


def said(machine: Machine, name: str) -> str:
    """Return an attribute as it is on a machine, whoever wrote it; empty where nobody did."""
    return machine.attributes.get(PREFIX + name, "")


def claims(machine: Machine) -> bool:
    """Return whether a machine says anything of itself."""
    return any(said(machine, name) for name in NAMES)


def malformed(machine: Machine) -> list[str]:
    """Return the attributes that are not as this suite writes them; a build that names no time is one, too."""
    wrong = [name for name, shape in _SHAPES.items() if not re.fullmatch(shape, said(machine, name), re.ASCII)]
    return [PREFIX + name for name in wrong or ([] if started(said(machine, "build")) else ["build"])]


_KIND = "template"


def _signed(values: Mapping[str, str]) -> bytes:
    """Return what is signed: everything that a template says, and whose it is."""
    return canonical({name: values[name] for name in NAMES if name != "signature"})


def signed_by(machine: Machine, keys: Iterable[PublicKey]) -> PublicKey | None:
    """Return which of *keys* signed all that a template says; nothing when none did, or it was edited since."""
    values = {name: said(machine, name) for name in NAMES}
    return signing.signed_by(_KIND, _signed(values), values["signature"], keys)


def owned(machine: Machine) -> bool:
    """Return whether what *machine* says was written for it: clones inherit attributes, and name another's UUID."""
    return bool(machine.instance_uuid) and said(machine, "instance") == machine.instance_uuid


def written(machine: Machine) -> Attributes | None:
    """Return what *machine* says, or nothing when it is not what this suite writes.

    Whether it was written for this machine, and it is a site's template, ``belonging`` decides.
    """
    if malformed(machine):
        return None
    given = {name: said(machine, name) for name in NAMES if name not in ("signature", "instance")}
    return Attributes(**{**given, "reason": terminal.line(given["reason"])})


def define(vcenter: VCenter) -> None:
    """Create the custom attributes, where they do not exist yet."""
    vcenter.define_attributes([PREFIX + name for name in NAMES])


def note(attributes: Attributes, *, built: str) -> str:
    """Return the note of a finished template, for those who look at it in the vSphere Client."""
    lines = [
        f"{attributes.image}, phase {attributes.phase}, made by goldsmith on {built}",
        f"build {attributes.build}, key {attributes.key[:16]}",
    ]
    if attributes.commit:
        lines.append(f"from commit {attributes.commit[:12]}")
    return "\n".join([*lines, "its custom attributes goldsmith.* say the rest; do not edit them"])


def mark(
    vcenter: VCenter,
    machine: Machine,
    attributes: Attributes,
    *,
    built: str,
    tell: Callable[[str], None],
    signer: Signer | None = None,
) -> None:
    """Make *machine* a finished template: the attributes first, the note last.

    Until the last attribute is written it does not count as one, and the note
    still names the build; so it is one or the other after a crash as well. A note
    that cannot be written any more is repaired by a later run.
    """
    define(vcenter)
    if said(machine, "instance"):
        # Inherited from the base: while the others change hands, nobody may think that they are whole.
        vcenter.set_attributes(machine, {PREFIX + "instance": ""})
    vcenter.set_attributes(machine, attributes.values(machine, signer))
    try:
        vcenter.set_note(machine, note(attributes, built=built))
    except GoldsmithError as trouble:
        tell(f"{trouble.what}: the note of {machine.name} still says that it is being built; the next run repairs it")


_REASON_LENGTH = 240
"""How much of the reasons an attribute holds; the vSphere Client shows about that much."""


def judge(
    vcenter: VCenter, template: Template, *, status: str, reasons: Sequence[str] = (), signer: Signer | None = None
) -> Template:
    """Write what verification found out; the reasons first, so that no failed template is without any."""
    reason = terminal.line("; ".join(reasons))[:_REASON_LENGTH]
    return say(vcenter, template, ("reason", "status"), signer, reason=reason, status=status)


def say(vcenter: VCenter, template: Template, order: Sequence[str], signer: Signer | None, **said: str) -> Template:
    """Write some of what a template says, in this order, sign all of it, and return the template as it is now.

    What is signed is what this run knows of the template, and not what somebody may have written there since.
    """
    define(vcenter)
    now = replace(template, attributes=replace(template.attributes, **said))
    values = now.attributes.values(template.machine, signer)
    names = [*order, "signature"] if signer else order
    vcenter.set_attributes(template.machine, {PREFIX + name: values[PREFIX + name] for name in names})
    return now


def existing(templates: Iterable[Template]) -> list[Existing]:
    """Return the templates that can be cloned as the plan looks at them; a template is as old as its build."""
    return [
        Existing(
            name=template.name,
            key=template.attributes.key,
            inputs=template.attributes.inputs,
            created=began,
            verified=template.attributes.status == VERIFIED,
        )
        for template in templates
        if template.machine.has_snapshot and (began := started(template.attributes.build))
    ]
