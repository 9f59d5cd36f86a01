"""A template is what says so of itself, by its own instance UUID."""

from __future__ import annotations

from dataclasses import replace

import pytest

from goldsmith.errors import ToolError
from goldsmith.vcenter import marks
from goldsmith.vcenter.inventory import Machine
from goldsmith.vcenter.marks import Attributes
from tests.unit.vcenter.fakes import BUILD, OTHER_BUILD, FakeVCenter

NAME = f"debian-13-base-{BUILD}"
ATTRIBUTES = Attributes(
    image="debian-13", phase="base", key="ab" * 32, build=BUILD, inputs="image=abcd", commit="c" * 40
)


def _machine(**changed: object) -> Machine:
    note = marks.note_under_way(BUILD, host="here", began="now")
    plain = Machine(ref="vm-1", name=NAME, instance_uuid="uuid-1", is_template=True, note=note, has_snapshot=True)
    return replace(plain, **changed)  # type: ignore[arg-type] # the fields' names are the test's business


def test_marked_templates_are_found() -> None:
    """What mark writes, find reads back, unchanged."""
    vcenter = FakeVCenter()
    marks.mark(vcenter, vcenter.add(_machine()), ATTRIBUTES, built="now")
    [found] = marks.find(vcenter.machines(), image="debian-13", phase="base")
    assert found.attributes == ATTRIBUTES
    assert marks.build_under_way(found.machine.note) is None


@pytest.mark.parametrize(("image", "phase"), [("debian-12", "base"), ("debian-13", "docker")])
def test_only_what_is_asked_for(image: str, phase: str) -> None:
    """Another image's or phase's template is not found."""
    vcenter = FakeVCenter()
    marks.mark(vcenter, vcenter.add(_machine()), ATTRIBUTES, built="now")
    assert marks.find(vcenter.machines(), image=image, phase=phase) == []


def test_clones_do_not_count() -> None:
    """A clone that inherited every attribute is nobody's template, whether machine or template."""
    values = ATTRIBUTES.values(_machine())
    clones = [_machine(instance_uuid="uuid-2", attributes=values, is_template=kind) for kind in (True, False)]
    assert marks.find(clones, image="debian-13", phase="base") == []


def test_a_machine_is_no_template() -> None:
    """What was converted back to a machine is not offered as a template."""
    machine = _machine(is_template=False, attributes=ATTRIBUTES.values(_machine()))
    assert marks.find([machine], image="debian-13", phase="base") == []


@pytest.mark.parametrize("after", range(len(marks.NAMES) + 2))
def test_a_crash_while_marking(after: int) -> None:
    """After any number of writes the machine is either not a template yet and still known as under way, or complete."""
    vcenter = FakeVCenter()
    machine = vcenter.add(_machine())

    def changed(what: str) -> None:
        if len(vcenter.log) == after:
            raise ToolError("killed")
        vcenter.log.append(what)

    vcenter._changed = changed  # type: ignore[method-assign] # the fake is ours, the crash is the test
    with pytest.raises(ToolError):
        marks.mark(vcenter, machine, ATTRIBUTES, built="now")
    [found] = vcenter.machines()
    complete = marks.find([found], image="debian-13", phase="base")
    assert [template.attributes for template in complete] in ([], [ATTRIBUTES])
    assert marks.build_under_way(found.note) == BUILD


def test_oldest_first() -> None:
    """Templates come in the order their builds began."""
    vcenter = FakeVCenter()
    for number, build in enumerate((BUILD, OTHER_BUILD)):
        machine = vcenter.add(_machine(ref=f"vm-{number}", instance_uuid=f"uuid-{number}"))
        marks.mark(vcenter, machine, replace(ATTRIBUTES, build=build), built="now")
    found = marks.find(vcenter.machines(), image="debian-13", phase="base")
    assert [template.attributes.build for template in found] == [OTHER_BUILD, BUILD]
    assert [f"{item.created:%d %H:%M}" for item in marks.existing(found)] == ["22 09:00", "23 15:00"]


def test_made_by() -> None:
    """A machine is a build's own by its note or its finished attributes, and by nothing else."""
    finished = _machine(note="", attributes=ATTRIBUTES.values(_machine()))
    assert marks.made_by(_machine(), BUILD)
    assert marks.made_by(finished, BUILD)
    assert not marks.made_by(_machine(), OTHER_BUILD)
    assert not marks.made_by(_machine(note="somebody's own"), BUILD)
    assert not marks.made_by(replace(finished, instance_uuid="another"), BUILD)
    assert not marks.made_by(None, BUILD)


def test_no_plan_relies_on_what_cannot_be_dated() -> None:
    """A template whose build was edited by hand is found, and no plan takes it for an up-to-date one."""
    edited = replace(ATTRIBUTES, build="99999999-999999-0123abcd")
    machine = _machine(attributes=edited.values(_machine()))
    found = marks.find([machine], image="debian-13", phase="base")
    assert len(found) == 1
    assert marks.existing(found) == []
