"""A template's attributes are read into a type that holds nothing but what this suite writes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith import terminal
from goldsmith.errors import ToolError
from goldsmith.plan import build_id
from goldsmith.vcenter import belonging, marks, notes, ours
from goldsmith.vcenter.inventory import Kind, Machine, Node
from goldsmith.vcenter.marks import Attributes
from goldsmith.work import Work
from tests.unit.vcenter.fakes import BEGAN, BUILD, FOLDER, KEY, OTHER_BUILD, PLACEMENT, FakeVCenter, finished

if TYPE_CHECKING:
    from goldsmith.vcenter.marks import Template

ATTRIBUTES = Attributes(
    image="debian-13", phase="docker", key=KEY, build=BUILD, inputs="base=abcd disk=0f", commit="c" * 40,
    parent=f"debian-13-base-{OTHER_BUILD}",
)  # fmt: skip
NAME = f"debian-13-docker-{BUILD}"
INHERITED = finished(OTHER_BUILD, status=marks.VERIFIED).attributes
"""What a clone has of the base it was made of."""
SITE = Node(ref=FOLDER, kind=Kind.FOLDER, name="goldsmith", parent="vm-f")


def under_way(**changed: object) -> Machine:
    """Return a machine that Packer has just made a template."""
    note = notes.under_way(Work(BUILD), name=NAME, host="here", began=BEGAN)
    plain = Machine(ref="vm-1", name=NAME, folder=FOLDER, instance_uuid="uuid-1", is_template=True, note=note)
    return replace(plain, has_snapshot=True, attributes=INHERITED, **changed)  # type: ignore[arg-type] # the test's


def whole(vcenter: FakeVCenter) -> list[Template]:
    return belonging.look(vcenter, PLACEMENT).templates(image="debian-13", phase="docker")


def test_what_is_written_is_read_back() -> None:
    """Unchanged, and the note of the machine under way is gone."""
    vcenter = FakeVCenter()
    marks.mark(vcenter, vcenter.add(under_way()), ATTRIBUTES, built="now", tell=print)
    [found] = whole(vcenter)
    assert found.attributes == ATTRIBUTES
    assert notes.claim(found.machine) is None


@pytest.mark.parametrize("after", range(len(marks.NAMES) + 3))
def test_a_crash_while_marking(after: int) -> None:
    """After any number of writes it is either a machine under way that may be removed, or a complete template.

    That it was cloned from a verified base, and has that base's attributes, changes neither.
    """
    vcenter = FakeVCenter()
    machine = vcenter.add(under_way())

    def changed(what: str) -> None:
        if len(vcenter.log) == after:
            raise KeyboardInterrupt
        vcenter.log.append(what)

    vcenter._changed = changed  # type: ignore[method-assign] # the fake is ours, the crash is the test
    with pytest.raises(KeyboardInterrupt):
        marks.mark(vcenter, machine, ATTRIBUTES, built="now", tell=print)
    [found] = vcenter.machines()
    complete = [template.attributes for template in whole(vcenter)]
    assert complete in ([], [ATTRIBUTES])
    assert ours.unfinished(found, SITE) == (None if complete else Work(BUILD))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", "zz"), ("key", ""), ("image", "../x"), ("phase", "prod"), ("build", "../../x"), ("build", ""),
        ("build", "99999999-999999-0123abcd"), ("commit", "main"), ("record", "none"), ("inputs", "x"),
        ("status", "golden"), ("status", ""), ("parent", "a\nb"), ("promoted", "soon"), ("instance", ""),
        ("signature", "x"),
    ],
)  # fmt: skip
def test_an_attribute_that_is_none_makes_no_template(name: str, value: str) -> None:
    """Whatever was typed into an attribute, nothing is read from the machine, and the attribute is named."""
    machine = finished()
    machine = replace(machine, attributes={**machine.attributes, f"goldsmith.{name}": value})
    assert marks.written(machine) is None
    assert marks.malformed(machine) == [f"goldsmith.{name}"]


@given(st.dictionaries(st.sampled_from([marks.PREFIX + name for name in marks.NAMES]), st.text(), min_size=1))
def test_any_text_in_any_attribute_is_no_crash(written: dict[str, str]) -> None:
    """What is read is what this suite writes: nothing else gets beyond this point."""
    machine = finished()
    found = marks.written(replace(machine, attributes={**machine.attributes, **written}))
    assert found is None or found.reason == terminal.line(found.reason)


def test_a_reason_is_one_harmless_line() -> None:
    """It is the one attribute with any text, and clones' own words are in it."""
    machine = finished(status=marks.FAILED, reason="a\n\x1b[2Jb")
    found = marks.written(machine)
    assert found
    assert found.reason == "a\\x0a\\x1b[2Jb"


def test_clones_do_not_speak_for_themselves() -> None:
    """What was inherited names another machine."""
    machine = finished(instance_uuid="another")
    assert marks.claims(machine)
    assert not marks.owned(machine)
    assert marks.written(machine) is not None


def test_a_template_is_as_old_as_its_build() -> None:
    """The plan knows name, key and date of each."""
    machine = finished()
    attributes = marks.written(machine)
    assert attributes
    [found] = marks.existing([marks.Template(machine=machine, attributes=attributes)])
    assert (found.name, found.key, build_id(KEY, found.created)[:15]) == (machine.name, KEY, BUILD[:15])


def test_a_note_that_cannot_be_written() -> None:
    """The template is complete all the same, and the trouble with it is told."""
    vcenter, told = FakeVCenter(no_note=ToolError("denied")), list[str]()
    marks.mark(vcenter, vcenter.add(under_way()), ATTRIBUTES, built="now", tell=told.append)
    assert [template.attributes for template in whole(vcenter)] == [ATTRIBUTES]
    assert len(told) == 1
