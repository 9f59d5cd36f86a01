"""A record says where its template comes from, and is compared with the right one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from goldsmith import builds
from goldsmith.builds import Build
from goldsmith.records import gather
from goldsmith.records import record as records
from goldsmith.stages.verify import Verdict
from goldsmith.tools.junit import Check, Outcome
from goldsmith.vcenter.inventory import Machine
from goldsmith.vcenter.marks import Attributes, Template
from tests import samples
from tests.unit.sessions import lab_is_up, session

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.records.record import Record
    from tests.unit.sessions import FakeSession

LAB = "127.0.0.1:18443"
OLDEST = "20261101-150000-5b83e1ee"


class Site:
    """A lab with the builds that this machine remembers of it."""

    def __init__(self, folder: Path) -> None:
        self.session: FakeSession = session(folder)
        lab_is_up(self.session)
        self.effective = self.session.effective(site="lab", image="debian-13")

    def built(self, build: str, phase: str, *, server: str = LAB, name: str = "") -> Path:
        """Remember a build, and return its folder."""
        one = Build(
            id=build, image="debian-13", site="lab", key="ab" * 32, inputs="", phase=phase, server=server,
            template=name or f"debian-13-{phase}-{build}",
        )  # fmt: skip
        self.session.builds.save(one)
        return self.session.builds.folder(one)

    def recorded(self, build: str, *, verified: bool = True, server: str = LAB) -> None:
        """Remember a Docker template with its record."""
        folder = self.built(build, "docker", server=server)
        outcome = "passed" if verified else "failed"
        checks = (records.CheckResult(name="a", says="It holds.", outcome=outcome),)
        one = samples.record(build=build, template=f"debian-13-docker-{build}", checks=checks)
        (folder / "record.json").write_text(records.dump(one))
        (folder / "inventory.json").write_text(json.dumps(samples.inventory({"a": "1"})))

    def draft(self, *, parent: str = "", size: int = 0) -> Record:
        """Return the draft of the record of a new Docker template."""
        folder = self.session.workspace.build(samples.BUILD)
        return gather.draft(self.session.on(self.effective), verdict(folder, parent=parent, size=size), folder)

    def previous(self) -> str:
        """Return the build that the new template is compared with."""
        template = verdict(self.session.workspace.builds).template
        found = gather.previous(self.session, self.effective.site, template)
        return found.record.build if found else ""


def verdict(folder: Path, *, parent: str = "", size: int = 0) -> Verdict:
    """Return what was found of the new template."""
    attributes = Attributes(image="debian-13", phase="docker", key="ab" * 32, build=samples.BUILD, parent=parent)
    machine = Machine(ref="t", name=f"debian-13-docker-{samples.BUILD}", size_bytes=size)
    check = Check(name="a", says="It holds.", outcome=Outcome.PASSED)
    return Verdict(
        template=Template(machine=machine, attributes=attributes), checks=(check,), seconds={}, folder=folder
    )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_the_base_is_recorded_with_its_stages(site: Site) -> None:
    """Its build, key and times are known from its folder, although nobody verified it by itself."""
    builds.note_seconds(site.built(samples.BASE, "base"), "base", 731.6)
    installer, base = site.draft(parent=f"debian-13-base-{samples.BASE}").lineage
    assert installer.kind == "installer"
    assert (base.build, base.key, base.sha256) == (samples.BASE, "ab" * 32, "")
    assert [(stage.name, stage.seconds) for stage in base.stages] == [("base", 731.6)]


def test_a_verified_base_is_recorded_with_its_record(site: Site) -> None:
    """The hash is the one that the base's own attributes carry."""
    (site.built(samples.BASE, "base") / "record.json").write_text("a record")
    assert site.draft(parent=f"debian-13-base-{samples.BASE}").lineage[-1].sha256 == records.digest("a record")


def test_of_bases_with_one_name_the_one_that_was_there_counts(site: Site) -> None:
    """Where a site fixes the name, a base that was forged after the Docker template is not its parent."""
    for build in (OLDEST, samples.BASE, "20261201-150000-5b83e1ee"):
        site.built(build, "base", name="golden")
    assert site.draft(parent="golden").lineage[-1].build == samples.BASE


def test_a_base_of_another_machine_is_named_and_nothing_is_invented(site: Site) -> None:
    """Its name is all that is known."""
    base = site.draft(parent="debian-13-base-elsewhere").lineage[-1]
    assert base == records.Ancestor(kind="base", name="debian-13-base-elsewhere")


def test_the_size_is_the_machines(site: Site) -> None:
    """As the vCenter says it."""
    assert site.draft(size=4_312_000_000).size_bytes == 4_312_000_000


def test_a_template_is_compared_with_the_last_that_was_verified(site: Site) -> None:
    """One that failed was never offered; one of another vCenter, or of later, is not the one before."""
    assert site.previous() == ""
    site.recorded(OLDEST)
    assert site.previous() == OLDEST
    site.recorded("20261110-150000-5b83e1ee", verified=False)
    site.recorded("20261112-150000-5b83e1ee", server="vcenter.example")
    site.recorded(samples.BUILD)
    site.recorded("20261201-150000-5b83e1ee")
    assert site.previous() == OLDEST
    site.recorded(samples.BEFORE)
    assert site.previous() == samples.BEFORE


def test_a_name_that_is_not_utf_8_can_be_kept(tmp_path: Path) -> None:
    """Python gives such a name of a file as half a character, which no file of ours could hold."""
    (tmp_path / "clone-1.json").write_text(
        r'{"inventory": {"etc": {"/etc/name\udce9": {"link": "\udce9"}}, "engine": null}}'
    )
    found = gather.inventory(verdict(tmp_path))
    assert found == {"etc": {r"/etc/name\udce9": {"link": r"\udce9"}}, "engine": None}
    json.dumps(found, ensure_ascii=False).encode()


def test_a_broken_record_is_passed_over(site: Site) -> None:
    """Somebody edited it, or another version wrote it: the one before is compared with, and nothing ends."""
    site.recorded(OLDEST)
    site.recorded(samples.BEFORE)
    (site.session.workspace.build(samples.BEFORE) / "record.json").write_text("{}")
    assert site.previous() == OLDEST
