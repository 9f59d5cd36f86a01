"""An audit shows everything that was compared, and ends with 6 where something was changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from goldsmith import signing
from goldsmith.builds import Build, Status
from goldsmith.config import load
from goldsmith.errors import CheckError, ConfigurationError, MissingObjectError, RefusedError, UnreachableError
from goldsmith.records import audit as auditing
from goldsmith.records.record import Record
from goldsmith.records.write import ARCHIVE, RECORD, write
from goldsmith.vcenter import marks
from goldsmith.verbs import audit
from tests.unit.sessions import INSIDE, FakeSession, session
from tests.unit.templates.test_fixed_name import ORIGIN
from tests.unit.test_signing import by, pair, public
from tests.unit.vcenter.fakes import BUILD, KEY, finished

if TYPE_CHECKING:
    from pathlib import Path

NAME = f"debian-13-base-{BUILD}"


@pytest.fixture
def site(tmp_path: Path) -> FakeSession:
    """Return a session on a site with a signed template, whose record this checkout and the datastore have."""
    signed = {"GOLDSMITH_SIGNING_KEYS": pair("team").public, "VSPHERE_SERVER": "vc.example.com"}
    made = session(tmp_path, environment={**INSIDE, **ORIGIN, **signed, "BASE_VM_TEMPLATE_NAME": ""})
    build = made.builds.save(
        Build(id=BUILD, image="debian-13", site="environment", key=KEY, inputs="", status=Status.DONE, template=NAME)
    )
    draft = Record.model_validate(
        {"template": NAME, "image": "debian-13", "phase": "base", "site": "environment", "build": BUILD, "key": KEY,
         "inputs": {}, "built": "2026-11-23T15:00:00Z", "source": {}, "toolbox": {"reference": "x"}}
    )  # fmt: skip
    folder = made.builds.folder(build)
    written = write(folder, draft, {"packages": []}, None, by("team"))
    machine = finished(BUILD)
    attributes = marks.written(machine)
    assert attributes
    values = replace(attributes, record=written.digest).values(machine, by("team"))
    made.vcenter.add(replace(machine, attributes=values))
    made.vcenter.contents[f"goldsmith/records/{NAME}.tar.gz"] = (folder / ARCHIVE).read_bytes()
    return made


def audited(site: FakeSession, name: str = NAME, *, as_json: bool = True) -> None:
    audit.compare(site.on(site.effective(site="", image="")), name, as_json=as_json)


def folder(site: FakeSession) -> Path:
    return site.workspace.build(BUILD)


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {row["what"]: row["state"] for row in json.loads(capsys.readouterr().out)}


def test_a_template_that_is_what_it_says(site: FakeSession, capsys: pytest.CaptureFixture[str]) -> None:
    """From this checkout's record, or from the datastore's where this checkout has none."""
    audited(site)
    here_, site.vcenter.log = told(capsys), []
    assert set(here_.values()) == {"fits"}
    (folder(site) / RECORD).unlink()
    audited(site)
    assert told(capsys) == here_
    assert site.vcenter.log == []


def test_what_was_changed_is_named(site: FakeSession, capsys: pytest.CaptureFixture[str]) -> None:
    """It is shown with all else, and is the error, with status 6."""
    machine = site.vcenter.held[f"vm-{BUILD}"]
    site.vcenter.set_attributes(machine, {"goldsmith.status": marks.VERIFIED})
    with pytest.raises(CheckError, match="is not what it says") as caught:
        audited(site)
    assert f"template {NAME}: its signature does not fit" in caught.value.why
    assert told(capsys)[f"template {NAME}"] == "tampered with"


def test_a_record_at_hand_needs_no_vcenter(site: FakeSession, capsys: pytest.CaptureFixture[str]) -> None:
    """The record, its signature and what lies beside it are compared; the template is said not to be."""
    site.vcenter.away = UnreachableError("the vCenter does not answer")
    audited(site)
    found = told(capsys)
    assert (found[f"template {NAME}"], found[f"record of {NAME}"]) == ("not known", "fits")
    (folder(site) / RECORD).unlink()
    with pytest.raises(UnreachableError):
        audited(site)


def test_a_template_that_nobody_knows(site: FakeSession) -> None:
    """Without a record anywhere there is nothing to compare."""
    with pytest.raises(MissingObjectError, match="not on the datastore"):
        audited(site, "nothing")
    with pytest.raises(ConfigurationError, match="which template"):
        audited(site, "")


def test_people_see_a_table(site: FakeSession, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each thing that was compared, under a heading."""
    audited(site, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["what", "is", "why"]
    assert sum("signed by team" in line for line in lines) == 2


def test_a_key_is_made_once(site: FakeSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The private half is a file for its owner alone, and the public one is what a site names."""
    path = tmp_path / "keys" / "team-2026"
    audit.make_key(site, str(path))
    line = capsys.readouterr().out.strip()
    assert path.stat().st_mode & 0o777 == 0o600
    assert line.endswith(" team-2026")
    environment = {**site.environment, "GOLDSMITH_SIGNING_KEYS": line, "GOLDSMITH_SIGNING_KEY_FILE": str(path)}
    signer = load(None, None, workspace=site.workspace, environment=environment).signer
    assert signer
    text = signing.sign("template", b"x", signer)
    assert signing.signed_by("template", b"x", text, [signing.PublicKey.parse(line)])
    private = path.read_text()
    with pytest.raises(RefusedError, match="already"):
        audit.make_key(site, str(path))
    assert path.read_text() == private
    assert private.splitlines()[1] not in site.redact(f"x {private}")
    with pytest.raises(ConfigurationError, match="needs a file"):
        audit.make_key(site, "")
    assert public("team").id  # another pair of keys
    assert auditing.in_folder(tmp_path) is None
