"""Whatever is changed of a template, its record, what lies beside that or its lineage is named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import CheckError
from goldsmith.records import audit
from goldsmith.records import record as records
from goldsmith.records.audit import Kept, State
from goldsmith.records.record import Ancestor, Record
from goldsmith.records.write import INVENTORY, KIND, RECORD, SBOM, SIGNATURE, packed, write
from goldsmith.signing import sign
from goldsmith.vcenter import belonging, marks
from goldsmith.vcenter.belonging import Scope
from tests.unit.test_signing import by, public
from tests.unit.vcenter.fakes import BUILD, FOLDER, KEY, OTHER_BUILD, FakeVCenter, finished

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.vcenter.belonging import Sighting

KEYS = (public("team"),)
NAME, BASE = f"debian-13-docker-{BUILD}", f"debian-13-base-{OTHER_BUILD}"
INSTALLER = Ancestor(kind="installer", name="debian-installer 1", sha256="1" * 64)
PINNED = {"debian-installer 1": "1" * 64}
PACKAGES = {"packages": [{"name": "curl", "version": "1", "architecture": "amd64"}]}


def made(folder: Path, *, phase: str, **changed: Any) -> Kept:
    """Write a signed record as a verification does, and return what the folder keeps."""
    build = OTHER_BUILD if phase == "base" else BUILD
    values = {
        "template": f"debian-13-{phase}-{build}", "image": "debian-13", "phase": phase, "site": "lab", "build": build,
        "key": KEY, "inputs": {}, "built": "2026-11-23T15:00:00Z", "source": {}, "toolbox": {"reference": "x"},
        "lineage": (INSTALLER,),
    }  # fmt: skip
    write(folder, Record.model_validate({**values, **changed}), PACKAGES, None, by("team"))
    found = audit.in_folder(folder)
    assert found
    return found


@pytest.fixture
def base(tmp_path: Path) -> Kept:
    return made(tmp_path / "base", phase="base")


@pytest.fixture
def host(tmp_path: Path, base: Kept) -> Kept:
    ancestor = Ancestor(kind="base", name=BASE, key=KEY, sha256=base.digest, build=OTHER_BUILD)
    return made(tmp_path / "host", phase="docker", lineage=(INSTALLER, ancestor))


def sighting(host: Kept, **changed: str) -> Sighting:
    """Return the template of a record, signed and with that record's digest, with an attribute changed since."""
    machine = finished(BUILD, phase="docker")
    attributes = marks.written(machine)
    assert attributes
    values = replace(attributes, record=host.digest).values(machine, by("team"))
    values |= {f"goldsmith.{name}": value for name, value in changed.items()}
    scope = Scope(folder=FOLDER, now=FakeVCenter.clock, keys=KEYS)
    found = belonging.sighting(replace(machine, attributes=values), scope)
    assert found
    return found


def states(host: Kept, base: Kept | None, seen: Sighting | None) -> dict[str, State]:
    """Return what an audit of a host finds, by what was compared."""
    read, findings = audit.record(NAME, host, KEYS)
    if read:
        findings += audit.template(NAME, seen, host, read)
        findings += audit.lineage(read, KEYS, PINNED, lambda _: base)
    return {one.what: one.state for one in findings}


def tampered(found: dict[str, State]) -> set[str]:
    return {what for what, state in found.items() if state is State.TAMPERED}


def test_a_template_that_is_what_it_says(host: Kept, base: Kept) -> None:
    """Everything fits: template, record, package list, inventory, and the same of its base, back to the installer."""
    found = states(host, base, sighting(host))
    assert set(found.values()) == {State.FITS}
    assert len(found) == 8


def test_what_is_packed_is_the_same(host: Kept) -> None:
    """The archive of the datastore holds what the folder does, signature included."""
    texts = {name: content.decode() for name, content in host.files.items()}
    assert audit.in_archive(packed({**texts, "report.html": "x"}, moment=0)) == host


@pytest.mark.parametrize("name", [RECORD, SBOM, INVENTORY, SIGNATURE])
@pytest.mark.parametrize("gone", [False, True], ids=["edited", "gone"])
def test_a_file_that_was_changed_is_named(host: Kept, base: Kept, name: str, gone: bool) -> None:  # noqa: FBT001 - a case
    """One word in it, or the whole file: for the host and for its base alike."""
    for of, other in ((host, NAME), (base, BASE)):
        content = of.files[name].replace(b"curl", b"wget").replace(b"debian-13", b"debian-12")
        content = content[:-6] + b"AAA==\n" if name == SIGNATURE else content
        files = {key: value for key, value in of.files.items() if key != name} | ({} if gone else {name: content})
        found = states(Kept(files) if of is host else host, Kept(files) if of is base else base, sighting(host))
        named = other if name in (RECORD, SIGNATURE) else name
        assert any(named in what for what in tampered(found)), found


@pytest.mark.parametrize("name", ["record", "key", "status", "parent", "instance"])
def test_an_attribute_that_was_changed_is_named(host: Kept, base: Kept, name: str) -> None:
    """Nobody without the key writes one that fits."""
    value = {"record": "0" * 64, "key": "0" * 64, "status": "verified", "parent": "x", "instance": "another"}[name]
    assert tampered(states(host, base, sighting(host, **{name: value}))) == {f"template {NAME}"}


def test_a_record_of_another_template_is_none(host: Kept, base: Kept) -> None:
    """Signed by the team, and about something else."""
    assert f"record of {NAME}" in tampered(states(base, base, sighting(host)))


def test_a_template_that_is_not_there(host: Kept, base: Kept) -> None:
    """A record alone proves no template."""
    assert tampered(states(host, base, None)) == {f"template {NAME}"}


def test_another_base_is_named(tmp_path: Path, host: Kept) -> None:
    """A base that was signed as well, but is not the one that this host was made of."""
    other = made(tmp_path / "other", phase="base", key="cd" * 32)
    assert tampered(states(host, other, sighting(host))) == {f"base {BASE}"}


def test_what_is_not_at_hand_is_not_known(host: Kept) -> None:
    """A base whose record nobody has is told as that, and an installer that nothing pins."""
    assert states(host, None, sighting(host))[f"base {BASE}"] is State.UNKNOWN
    read, _ = audit.record(NAME, host, KEYS)
    assert read
    assert [one.state for one in audit.lineage(read, KEYS, {}, lambda _: None)] == [State.UNKNOWN] * 2
    other = {"debian-installer 1": "2" * 64}
    assert next(iter(audit.lineage(read, KEYS, other, lambda _: None))).state is State.TAMPERED


def test_without_keys_nothing_is_proved(host: Kept, base: Kept) -> None:
    """Everything is compared all the same, and said to be claimed."""
    read, findings = audit.record(NAME, host, ())
    assert read
    assert {one.state for one in findings} == {State.CLAIMED, State.FITS}


def test_a_strangers_signature_proves_nothing(host: Kept) -> None:
    """Whoever writes a record of their own signs it with a key that the site does not name."""
    files = {**host.files, SIGNATURE: sign(KIND, host.files[RECORD], by("stranger")).encode()}
    _, findings = audit.record(NAME, Kept(files), KEYS)
    assert findings[0].state is State.TAMPERED


@given(st.binary(max_size=64))
def test_no_archive_is_a_crash(data: bytes) -> None:
    """Whatever lies on the datastore under its name."""
    with pytest.raises(CheckError, match="cannot be read"):
        audit.in_archive(data)


@given(st.dictionaries(st.sampled_from([RECORD, SIGNATURE, SBOM, INVENTORY]), st.binary(max_size=32)))
def test_no_file_is_a_crash(files: dict[str, bytes]) -> None:
    """Nor whatever is in it."""
    read, findings = audit.record(NAME, Kept(files), KEYS)
    assert read is None
    assert [one.state for one in findings] == [State.TAMPERED]


def test_records_of_earlier_versions_can_be_audited(host: Kept) -> None:
    """They have no signature, which a site without keys does not ask for."""
    plain = {name: content for name, content in host.files.items() if name != SIGNATURE}
    _, findings = audit.record(NAME, Kept(plain), ())
    assert State.TAMPERED not in {one.state for one in findings}
    old = {**json.loads(host.files[RECORD]), "schema": 1}
    assert records.load(json.dumps(old)).build == BUILD
