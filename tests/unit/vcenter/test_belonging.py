"""Only what lies in the site's folder and is in everything as this suite makes it counts as the site's template."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import MissingObjectError, RefusedError
from goldsmith.vcenter import belonging, marks, notes
from goldsmith.vcenter.belonging import Finder, Scope, Standing, look, repair, same_time
from goldsmith.vcenter.inventory import Kind, Machine, Node
from goldsmith.work import Work
from tests.unit.test_signing import by, public
from tests.unit.vcenter.fakes import BEGAN, BUILD, FOLDER, OTHER_BUILD, PLACEMENT, FakeVCenter, finished

NOW = FakeVCenter.clock
SCOPE = Scope(folder=FOLDER, fixed_name="golden", now=NOW)


def standing(machine: Machine) -> Standing | None:
    found = belonging.sighting(machine, SCOPE)
    return found.standing if found else None


@pytest.mark.parametrize(
    "machine",
    [
        finished(),
        finished(phase="docker"),
        finished(name=f"debian-13-base-feature-x-4711-{BUILD}"),
        finished(name="golden"),
        finished(name="golden-20261123-170000"),
        finished(status=marks.FAILED),
        finished(f"{NOW + timedelta(minutes=50):%Y%m%d-%H%M%S}-0123abcd"),
    ],
    ids=["own name", "docker", "label", "fixed name", "dated name", "failed", "a clock that is fast"],
)
def test_the_sites_own(machine: Machine) -> None:
    """Every name that this suite gives counts, and a builder's clock may be a little ahead of the vCenter's."""
    assert standing(machine) is Standing.HERE


NEARLY: dict[str, tuple[Machine, Standing | None]] = {
    "another folder": (finished(folder="vm-f"), Standing.ELSEWHERE),
    "a vApp": (finished(folder=""), Standing.ELSEWHERE),
    "a copy": (finished(instance_uuid="another"), Standing.FOREIGN),
    "a copy elsewhere": (finished(instance_uuid="another", folder="vm-f"), Standing.FOREIGN),
    "renamed": (finished(name="production"), Standing.CLAIMED),
    "renamed behind": (finished(name=f"debian-13-base-{BUILD}-old"), Standing.CLAIMED),
    "another build's name": (finished(name=f"debian-13-base-{OTHER_BUILD}"), Standing.CLAIMED),
    "another image's name": (finished(name=f"debian-12-base-{BUILD}"), Standing.CLAIMED),
    "the other phase's name": (finished(name=f"debian-13-docker-{BUILD}"), Standing.CLAIMED),
    "a host with the fixed name": (finished(phase="docker", name="golden"), Standing.CLAIMED),
    "like the fixed name": (finished(name="golden-old"), Standing.CLAIMED),
    "the future": (finished("20991231-235959-0123abcd"), Standing.CLAIMED),
    "two hours ahead": (finished(f"{NOW + timedelta(hours=2):%Y%m%d-%H%M%S}-0123abcd"), Standing.CLAIMED),
    "a key that is none": (finished(key="zz"), Standing.CLAIMED),
    "not finished": (finished(instance_uuid=""), Standing.CLAIMED),
    "a machine": (finished(is_template=False), None),
    "says nothing": (finished(attributes={}), None),
}


@pytest.mark.parametrize(("machine", "what"), NEARLY.values(), ids=NEARLY)
def test_what_is_nearly_the_sites(machine: Machine, what: Standing | None) -> None:
    """Each is shown as what it is, with the reason, and none of them is the site's."""
    if machine.instance_uuid == "" or "instance" in machine.attributes:
        machine = replace(machine, attributes={**machine.attributes, "goldsmith.instance": machine.instance_uuid})
    found = belonging.sighting(machine, SCOPE)
    assert (found.standing if found else None) is what
    assert found is None or found.why


@given(st.data())
def test_no_change_to_a_template_of_the_site_goes_unnoticed(data: st.DataObject) -> None:
    """Whatever is written into name, attributes or place: what still counts says the same of itself as before."""
    own = finished()
    changed: dict[str, Any] = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "name": st.text() | st.sampled_from([own.name, "golden"]),
                "folder": st.sampled_from(["", "vm-f", FOLDER]),
                "instance_uuid": st.text() | st.just(own.instance_uuid),
                "is_template": st.booleans(),
                "attributes": st.dictionaries(
                    st.sampled_from([marks.PREFIX + name for name in marks.NAMES]),
                    st.text() | st.sampled_from(["candidate", "base", "docker", OTHER_BUILD, "uuid-x", "0" * 64]),
                ).map(lambda some: {**own.attributes, **some}),
            },
        )
    )
    machine = replace(own, **changed)
    found = belonging.sighting(machine, SCOPE)
    if found is None or found.standing is not Standing.HERE:
        return
    assert found.attributes
    assert machine.folder == FOLDER
    assert machine.is_template
    assert machine.name == "golden" or machine.name.startswith(f"{found.attributes.image}-{found.attributes.phase}-")
    assert machine.attributes["goldsmith.instance"] == machine.instance_uuid


def test_the_newest_is_the_last_and_failed_ones_are_left_out() -> None:
    """Templates come in the order their builds began; strangers in the folder change nothing of it."""
    vcenter = FakeVCenter()
    for machine in (finished(), finished(OTHER_BUILD), finished("20261120-090000-0123abcd", status=marks.FAILED)):
        vcenter.add(machine)
    for number, (machine, _) in enumerate(NEARLY.values()):
        vcenter.add(replace(machine, ref=f"near-{number}", folder=machine.folder or "vapp"))
    found = look(vcenter, PLACEMENT)
    assert [one.attributes.build for one in found.templates(image="debian-13", phase="base")] == [OTHER_BUILD, BUILD]
    assert len(found.templates(image="debian-13", phase="base", failed=True)) == 3
    assert found.templates(image="debian-12", phase="base") == []
    assert found.templates(image="debian-13", phase="docker") == []


def test_two_sites_with_one_folder_name_in_two_datacenters() -> None:
    """A folder is known by its id: a template of the other datacenter's is not this site's."""
    vcenter = FakeVCenter()
    vcenter.tree += [
        Node(ref=f"{name}-b", kind=Kind.FOLDER, name=name, parent="dc-b")
        for name in ("vm", "host", "datastore", "network")
    ]
    vcenter.tree += [
        Node(ref="cl-b", kind=Kind.CLUSTER, name="DC0_C0", parent="host-b"),
        Node(ref="pool-x", kind=Kind.POOL, name="Resources", parent="cl-b"),
        Node(ref="ds-b", kind=Kind.DATASTORE, name="lab-ds", parent="datastore-b"),
        Node(ref="net-x", kind=Kind.NETWORK, name="VM Network", parent="network-b"),
        Node(ref="folder-b", kind=Kind.FOLDER, name="goldsmith", parent="vm-b"),
    ]
    here, there = finished(), finished(OTHER_BUILD, folder="folder-b")
    vcenter.add(here)
    vcenter.add(there)
    for datacenter, name in (("DC0", here.name), ("DC1", there.name)):
        placement = PLACEMENT.model_copy(update={"datacenter": datacenter})
        found = look(vcenter, placement, everywhere=True)
        assert [one.name for one in found.templates(image="debian-13", phase="base")] == [name]
        [other] = found.others()
        assert other.standing is Standing.ELSEWHERE
        assert sorted(found.folders.values()) == ["/DC0/vm/goldsmith", "/DC1/vm/goldsmith"]


def test_a_site_is_looked_for_even_where_it_has_nothing() -> None:
    """A name that does not exist is refused, also when there is no template to find."""
    with pytest.raises(MissingObjectError, match="does not have"):
        look(FakeVCenter(), PLACEMENT.model_copy(update={"folder": "siteb"}))


@pytest.mark.parametrize("minutes", [-59, 59])
def test_clocks_that_are_nearly_the_same(minutes: int) -> None:
    """Up to an hour is fine: templates and left machines are judged with room for it."""
    same_time(SCOPE, NOW + timedelta(minutes=minutes), server="vc")


@pytest.mark.parametrize("minutes", [-61, 61, 24 * 60, -2 * 24 * 60])
def test_clocks_that_are_not(minutes: int) -> None:
    """By a clock that is days off, a live build is old, and a build's id lies in the future: nothing is begun."""
    with pytest.raises(RefusedError, match="do not agree"):
        same_time(SCOPE, NOW + timedelta(minutes=minutes), server="vc")


NOTE = notes.under_way(Work(BUILD), name=f"debian-13-base-{BUILD}", host="here", began=BEGAN)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, "was repaired"),
        ({"instance_uuid": "restored", "status": marks.VERIFIED}, "set its goldsmith.instance to restored"),
    ],
    ids=["killed before the note", "and then restored"],
)
def test_a_finished_template_whose_note_says_otherwise(changed: dict[str, str], told: str) -> None:
    """Its note is put right and that is said; whether a restored one is the same may only a person say."""
    vcenter = FakeVCenter()
    machine = vcenter.add(finished(note=NOTE, **changed))
    [sentence] = repair(vcenter, look(vcenter, PLACEMENT))
    assert told in sentence
    assert notes.claim(vcenter.held[machine.ref]) is None
    assert vcenter.held[machine.ref].attributes == machine.attributes
    assert list(repair(vcenter, look(vcenter, PLACEMENT))) == []


@pytest.mark.parametrize(
    "machine",
    [
        finished(note=NOTE, folder="vm-f"),
        finished(OTHER_BUILD, note=NOTE),
        finished(note=f"{NOTE} "),
        finished(note="mine"),
        finished(note=NOTE, attributes={}),
        finished(note=NOTE, is_template=False),
    ],
    ids=["elsewhere", "another build", "touched", "somebody's", "not finished", "a machine"],
)
def test_no_other_note_is_written(machine: Machine) -> None:
    """A note that is not certainly a forgotten one of this site stays as it is."""
    vcenter = FakeVCenter()
    vcenter.add(machine)
    assert list(repair(vcenter, look(vcenter, PLACEMENT, everywhere=True))) == []
    assert vcenter.log == []


def test_what_was_chosen_stays_chosen() -> None:
    """A run that found a datastore of a cluster uses it to its end, however the free space changes."""
    vcenter = FakeVCenter()
    vcenter.tree = [replace(one, parent="pod") if one.ref in {"ds", "iso-ds"} else one for one in vcenter.tree]
    vcenter.tree.append(Node(ref="pod", kind=Kind.POD, name="POD", parent="datastore-f"))
    finder = Finder(vcenter.connect, PLACEMENT.model_copy(update={"datastore": "POD"}))
    chosen = finder.places().datastore
    vcenter.tree.reverse()
    assert finder.holdings(vcenter).places.datastore == chosen
    assert finder.placement.datastore == f"POD/{chosen.name}"
    assert vcenter.sessions == 1


# -- a site whose templates are signed ---------------------------------------------------------

KEYS = (public("old"), public("new"))


def signed(name: str = "new", **changed: Any) -> Machine:
    """Return a finished template that a key has signed, with what was *changed* since."""
    told = {key: changed.pop(key) for key in ("status",) if key in changed}
    machine = finished(**told)
    attributes = marks.written(machine)
    assert attributes
    values = attributes.values(machine, by(name))
    return replace(machine, attributes={**values, **changed.pop("attributes", {})}, **changed)


@pytest.mark.parametrize("name", ["old", "new"])
def test_what_a_key_of_the_site_signed_is_the_sites(name: str) -> None:
    """Any key that is listed will do, and the one that signed is told."""
    found = belonging.sighting(signed(name), replace(SCOPE, keys=KEYS))
    assert found
    assert (found.standing, found.proof) == (Standing.HERE, f"signed by {name}")


@pytest.mark.parametrize("attribute", sorted(set(marks.NAMES) - {"signature"}))
def test_no_attribute_of_a_signed_template_can_be_edited(attribute: str) -> None:
    """Whatever is written in there by who has not the key, the template counts no longer."""
    other = {
        "key": "0" * 64, "status": "verified", "build": OTHER_BUILD, "image": "debian-12", "phase": "docker",
        "record": "1" * 64, "inputs": "a=1", "commit": "c0ffee", "parent": "x", "reason": "y", "promoted": "2026",
        "instance": "another",
    }[attribute]  # fmt: skip
    machine = signed(attributes={f"goldsmith.{attribute}": other})
    found = belonging.sighting(machine, replace(SCOPE, keys=KEYS))
    assert found
    assert found.standing is not Standing.HERE
    assert found.proof == "claimed, not proved"


@pytest.mark.parametrize(
    ("machine", "why"),
    [
        (finished(), "it is not signed"),
        (signed("stranger"), "its signature does not fit"),
        (signed(instance_uuid="copy", attributes={"goldsmith.instance": "copy"}), "its signature does not fit"),
        (signed(attributes={"goldsmith.signature": ""}), "it is not signed"),
    ],
    ids=["unsigned", "a stranger's key", "a copy that names itself", "taken away"],
)
def test_what_no_key_of_the_site_signed_is_only_claimed(machine: Machine, why: str) -> None:
    """It is never the newest or a reason to skip, and is shown as what it is."""
    vcenter = FakeVCenter()
    vcenter.add(machine)
    holdings = look(vcenter, PLACEMENT, KEYS)
    assert holdings.templates(image="debian-13", phase="base", failed=True) == []
    [other] = holdings.others()
    assert other.standing is Standing.CLAIMED
    assert other.why.startswith(why)
    assert len(look(vcenter, PLACEMENT).templates(image="debian-13", phase="base")) == 1


def test_a_verdict_is_signed_over_what_the_run_knows() -> None:
    """Between choosing a template and marking it, somebody edits its key: that is not signed along with the verdict."""
    vcenter = FakeVCenter()
    machine = vcenter.add(signed())
    [template] = look(vcenter, PLACEMENT, KEYS).templates(image="debian-13", phase="base")
    vcenter.set_attributes(machine, {"goldsmith.key": "0" * 64})
    marks.judge(vcenter, template, status=marks.VERIFIED, signer=by("new"))
    assert look(vcenter, PLACEMENT, KEYS).templates(image="debian-13", phase="base") == []
    vcenter.set_attributes(machine, {"goldsmith.key": template.attributes.key})
    [again] = look(vcenter, PLACEMENT, KEYS).templates(image="debian-13", phase="base")
    assert again.attributes.status == marks.VERIFIED


def test_a_template_is_signed_when_it_is_finished() -> None:
    """With its last attributes, and again with each verdict."""
    vcenter = FakeVCenter()
    machine = vcenter.add(finished(attributes={}, note=NOTE))
    attributes = marks.written(finished())
    assert attributes
    marks.mark(vcenter, machine, attributes, built="now", tell=print, signer=by("new"))
    [template] = look(vcenter, PLACEMENT, KEYS).templates(image="debian-13", phase="base")
    kept = marks.say(vcenter, template, ("record",), by("new"), record="1" * 64)
    marks.judge(vcenter, kept, status=marks.FAILED, reasons=["a\nb"], signer=by("new"))
    [found] = look(vcenter, PLACEMENT, KEYS).templates(image="debian-13", phase="base", failed=True)
    assert (found.attributes.status, found.attributes.record) == (marks.FAILED, "1" * 64)
