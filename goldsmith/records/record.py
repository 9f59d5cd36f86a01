"""The record of a template: everything that made it and everything that was found of it, as one JSON document."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from goldsmith.errors import CheckError
from goldsmith.guests.guest import Family

SCHEMA: Final = 2
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


def _moment(text: str) -> str:
    try:
        datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None
    return text


class Part(BaseModel):
    """Base of the record's types: immutable and closed."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Source(Part):
    """The repository a template was built from."""

    commit: str = ""
    """The git commit; empty outside of git."""
    dirty: bool = False
    """Whether files differed from that commit."""


class Toolbox(Part):
    """The image whose tools did the work."""

    reference: str
    config_digest: str = ""
    """As the lock records it: whoever builds it gets this."""
    tools: dict[str, str] = Field(default_factory=dict)
    """Versions of what shapes a guest, from the lock."""


class Stage(Part):
    """How long a stage took, in seconds."""

    name: str
    seconds: Seconds


class Ancestor(Part):
    """One step of a template's lineage, the oldest first: an installer, then templates."""

    kind: Literal["installer", "base", "docker"]
    name: str
    key: str = ""
    sha256: str = ""
    """Of the installer's package, or of the template's own record, where it has one."""
    build: str = ""
    """The build that made the template, where this machine knows it."""
    stages: tuple[Stage, ...] = ()
    """How long that build took, where this machine made it."""


class CheckResult(Part):
    """One check of the clones."""

    name: str
    says: str
    outcome: Literal["passed", "failed", "skipped"]
    reason: str = ""
    seconds: Seconds = 0.0


class Record(Part):
    """Everything about one template."""

    schema_version: Literal[1, 2] = Field(default=SCHEMA, alias="schema")
    """1 had no size, and of an ancestor neither build nor stages."""
    template: str
    image: str
    phase: Literal["base", "docker"]
    site: str
    family: Family = Family.APT
    """How the guest's packages are managed."""
    build: str
    key: Sha256
    inputs: dict[str, str]
    """Each part of the key: its whole sha256, or where only a template's attributes tell it, the short form."""
    built: Annotated[str, AfterValidator(_moment)]
    """When the build began, UTC, ISO 8601."""
    source: Source
    toolbox: Toolbox
    lineage: tuple[Ancestor, ...] = ()
    stages: tuple[Stage, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    size_bytes: int = Field(default=0, ge=0, lt=1 << 63)
    """What the template takes of its datastores by itself, as the vCenter says; next to nothing in a lab."""
    artefacts: dict[str, Sha256] = Field(default_factory=dict)
    """sha256 of what is kept beside the record, by file name."""

    @property
    def verified(self) -> bool:
        """Whether clones were checked and none of the checks failed."""
        return bool(self.checks) and all(check.outcome != "failed" for check in self.checks)


def dump(record: Record) -> str:
    """Return the record's text: the same for the same record, on any machine."""
    document = record.model_dump(mode="json", by_alias=True)
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def digest(text: str) -> str:
    """Return the sha256 that the template's attributes carry."""
    return hashlib.sha256(text.encode()).hexdigest()


def stored_as(template: str) -> str:
    """Return what the record of *template* is called on the datastore, packed with what lies beside it."""
    return f"{template}.tar.gz"


def load(text: str, *, where: str = "") -> Record:
    """Return the record in *text*, of this schema or an earlier one; anything else raises ``CheckError``."""
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise CheckError(
            "a record cannot be read",
            where=where,
            why=f"{'.'.join(map(str, first['loc'])) or 'document'}: {first['msg']}",
            next="it was changed, or written by another version of goldsmith",
        ) from None
