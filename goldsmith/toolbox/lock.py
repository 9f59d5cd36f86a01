"""The lock: every file the images and the media are made of, with its sha256 and where on a mirror it lies."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotation
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from goldsmith import plan
from goldsmith.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1
"""Raised whenever an older suite could misread the file."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# Joined to a mirror's address and to folders of the cache: never absolute, never upwards.
_SEGMENT = r"\.*[A-Za-z0-9_+~!@%:=-][A-Za-z0-9._+~!@%:=-]*"
RelativePath = Annotated[str, StringConstraints(pattern=rf"^{_SEGMENT}(/{_SEGMENT})*$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+~-]*$")]


_DECIDING_TOOLS = {
    "packer": re.compile(r"^github\.com/hashicorp/packer/@v/(v[^/]+)\.zip$"),
    "packer-plugin-vsphere": re.compile(r"^github\.com/hashicorp/packer-plugin-vsphere/@v/(v[^/]+)\.zip$"),
}
"""The tools of the toolbox that shape a guest. Others, jq or govc, may change without a rebuild."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DebRow(_Closed):
    """A Debian package or an installer module (udeb)."""

    kind: Literal["deb"] = "deb"
    name: str
    version: str
    arch: str
    group: str
    """Which part of its section wants it, e.g. ``base`` (in the guest's root) or ``pool`` (only served)."""
    repo: Literal["debian", "debian-security"]
    path: RelativePath
    """Below the root of that repository's mirror."""
    size: int = Field(ge=1)
    sha256: Sha256

    @property
    def file_name(self) -> str:
        """The last part of the path, as on the mirror."""
        return self.path.rsplit("/", 1)[1]


class WheelRow(_Closed):
    """A Python wheel; pip knows where its index is."""

    kind: Literal["wheel"] = "wheel"
    name: str
    version: str
    file: FileName
    size: int = Field(ge=1)
    sha256: Sha256

    @property
    def file_name(self) -> str:
        """The file's name, which tells pip what it is for."""
        return self.file


class GoRow(_Closed):
    """A file of the Go module proxy: a module's ``.zip`` or ``.mod``."""

    kind: Literal["go"] = "go"
    path: RelativePath
    """Below the proxy's root, upper case escaped as the proxy protocol wants it."""
    size: int = Field(ge=1)
    sha256: Sha256

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[1]


Row = DebRow | WheelRow | GoRow
"""Anything that can be fetched."""


class ToolboxSection(_Closed):
    """What the toolbox image is made of."""

    debs: tuple[DebRow, ...] = ()
    wheels: tuple[WheelRow, ...] = ()
    go: tuple[GoRow, ...] = ()
    toolchain: WheelRow
    """The Go toolchain; the lab's vCenter is built with it as well."""


class GuestSection(_Closed):
    """What the lab's guests and package repository are made of."""

    debs: tuple[DebRow, ...] = ()


class LabSection(_Closed):
    """What the lab's vCenter is built from."""

    go: tuple[GoRow, ...] = ()


class MediaSection(_Closed):
    """What boot media are composed of."""

    debs: tuple[DebRow, ...] = ()
    udebs: tuple[DebRow, ...] = ()


class Sections(_Closed):
    """All sections."""

    toolbox: ToolboxSection
    guest: GuestSection
    lab: LabSection
    media: MediaSection


class Identity(_Closed):
    """What a built image must be, on every machine and in every image store."""

    of: str
    """The image hash (the tag) this identity was recorded for."""
    config_digest: str
    diff_ids: tuple[str, ...]


class Extracted(_Closed):
    """What is taken out of a package of the boot media and kept: how it is recognised later."""

    of: Sha256
    """The package's own sum, for which these were recorded."""
    files: Mapping[str, Sha256]


class Lock(_Closed):
    """The whole of ``docker/lock.json``."""

    schema_: Literal[1] = Field(alias="schema")
    source_date_epoch: int = Field(ge=0)
    """Seconds since 1970; no file in an image is younger."""
    snapshot: Annotated[str, StringConstraints(pattern=r"^\d{8}T\d{6}Z$")]
    """When the index was read, in the form a snapshot archive takes."""
    sections: Sections
    identities: Mapping[str, Identity] = Field(default_factory=dict)
    extracted: Mapping[str, Extracted] = Field(default_factory=dict)
    """By package. It follows from the sections, and so it counts in no key and no image."""

    def files_of(self, row: DebRow) -> Mapping[str, str]:
        """Return the sums of what is taken out of a package; nothing where none were recorded of it as it is."""
        found = self.extracted.get(row.name)
        return found.files if found and found.of == row.sha256 else {}


def load(path: Path) -> Lock:
    """Read and check the lock.

    Raises ``ConfigurationError`` when it is missing or does not have the form this suite knows.
    """
    try:
        return Lock.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ConfigurationError(
            "there is no lock",
            where=str(path),
            next="'git checkout docker/lock.json' restores the committed one; 'invoke lock' writes a new one",
        ) from None
    except ValidationError as error:
        reasons = "\n".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()[:20])
        raise ConfigurationError(
            "the lock cannot be read",
            where=str(path),
            why=reasons,
            next="'git checkout docker/lock.json' restores the committed one; 'invoke lock' writes a new one",
        ) from None


def digest(*parts: BaseModel | bytes | int) -> str:
    """Return one sha256 over *parts*, each framed by its length so that none can flow into the next."""
    total = hashlib.sha256()
    for part in parts:
        data = (
            plan.canonical(part.model_dump(mode="json"))
            if isinstance(part, BaseModel)
            else str(part).encode()
            if isinstance(part, int)
            else part
        )
        total.update(f"{len(data)}:".encode() + data)
    return total.hexdigest()


def dump(lock: Lock) -> str:
    """Return the file's text: one row a line, so that a diff shows what changed."""
    return _pretty(lock.model_dump(mode="json", by_alias=True, exclude={"sections": _KINDS}), depth=0) + "\n"


_KINDS: Any = {
    "toolbox": {
        "debs": {"__all__": {"kind"}},
        "wheels": {"__all__": {"kind"}},
        "go": {"__all__": {"kind"}},
        "toolchain": {"kind"},
    },
    "guest": {"debs": {"__all__": {"kind"}}},
    "lab": {"go": {"__all__": {"kind"}}},
    "media": {"debs": {"__all__": {"kind"}}, "udebs": {"__all__": {"kind"}}},
}
"""The rows' kinds are told by the lists they stand in."""


def _pretty(value: Any, *, depth: int) -> str:
    """Indent everything except rows, which are the objects that have a sha256."""
    pad, end = " " * (depth + 1), " " * depth
    if isinstance(value, dict) and value and "sha256" not in value:
        inner = ",\n".join(f"{pad}{json.dumps(key)}: {_pretty(item, depth=depth + 1)}" for key, item in value.items())
        return f"{{\n{inner}\n{end}}}"
    if isinstance(value, list) and value:
        inner = ",\n".join(pad + _pretty(item, depth=depth + 1) for item in value)
        return f"[\n{inner}\n{end}]"
    return json.dumps(value)


def tool_versions(lock: Lock) -> dict[str, str]:
    """Return the locked versions of the tools that shape a guest.

    Raises ``ConfigurationError`` when the lock lacks one of them.
    """
    found = {}
    for name, pattern in _DECIDING_TOOLS.items():
        versions = [match[1] for row in lock.sections.toolbox.go if (match := pattern.match(row.path))]
        if not versions:
            raise ConfigurationError(
                f"the lock has no {name}",
                where="docker/lock.json, section toolbox",
                why=f"no module file matches {pattern.pattern}",
                next="'git checkout docker/lock.json' restores the committed lock; 'invoke lock' writes a new one",
            )
        found[name] = versions[-1]
    return found


def ansible_version(lock: Lock) -> str:
    """Return the locked version of Ansible."""
    return next(row.version for row in lock.sections.toolbox.wheels if row.name == "ansible-core")
