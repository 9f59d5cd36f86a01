"""What verbs print for people and machines."""

from __future__ import annotations

import io
import json
import sys

import pytest

from goldsmith.plan import Inputs, Plan, Stage, Step
from goldsmith.vcenter.belonging import Holdings, look
from goldsmith.vcenter.inventory import Machine
from goldsmith.verbs import output
from tests.unit.vcenter.fakes import PLACEMENT, FakeVCenter, finished


def site(*machines: Machine, everywhere: bool = False) -> Holdings:
    """Return a site with these templates."""
    vcenter = FakeVCenter()
    for machine in machines:
        vcenter.add(machine)
    return look(vcenter, PLACEMENT, everywhere=everywhere)


def test_json_is_read_back_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """Machines get the data itself, and letters that people can read."""
    data = {"name": "Ærø", "age": None, "stages": [1, True]}
    output.json(data)
    text = capsys.readouterr().out
    assert json.loads(text) == data
    assert "Ærø" in text


def test_json_stays_json_where_letters_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job whose stdout takes ASCII alone gets the same data."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    output.json({"network": "Büro-Netz"})
    assert json.loads(raw.getvalue()) == {"network": "Büro-Netz"}


def test_a_table_in_a_pipe_is_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """Each row stays one line however long it is, markup is text, and there are no colours to grep around."""
    long = "/a/very/long/path" * 30
    output.table(("what", "where"), [("[bold]file[/bold]", long)])
    heading, row = capsys.readouterr().out.rstrip().split("\n")
    assert heading.split() == ["what", "where"]
    assert row.split() == ["[bold]file[/bold]", long]


def test_a_plan_names_each_stage_and_its_reason() -> None:
    """One line a stage, in order, under what it is the plan of."""
    steps = (Step(Stage.ANSWERS, run=True, reason="because"), Step(Stage.BASE, run=False, reason="no need"))
    out, inputs = io.StringIO(), Inputs({"answers": "0"})
    output.plan(Plan(image="debian-13", site="lab", inputs={"base": inputs}, steps=steps), to=out)
    assert out.getvalue().splitlines() == [
        f"debian-13 on lab, key {inputs.key[:8]}",
        "  run   answers  because",
        "  skip  base     no need",
    ]


def test_templates_are_told_newest_last_with_their_age() -> None:
    """Only finished templates of the site are told, and of one image where one is named; ages are the vCenter's."""
    older, newer = finished("20261120-160000-0123abcd"), finished("20261123-140000-0123abcd")
    others = [finished("20261122-090000-0123abcd", image="rocky-9"), Machine(ref="x", name="db", instance_uuid="x")]
    there = site(newer, *others, older)
    rows = output.templates(there, image="debian-13")
    assert [(row["name"], row["age"]) for row in rows] == [(older.name, "3 days"), (newer.name, "2 hours")]
    assert len(output.templates(there, image="")) == 3


def test_what_is_not_the_sites_is_told_as_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """By default it is left out; --everywhere shows where it lies, whose it is, and why."""
    machines = [
        finished(),
        finished("20261122-090000-0123abcd", folder="vm-f"),
        finished("20261121-090000-0123abcd", instance_uuid="another"),
        finished("20261120-090000-0123abcd", name="prod\n::error::x"),
        finished("20261119-090000-0123abcd", key="zz"),
    ]
    rows = output.templates(site(*machines, everywhere=True), image="", everywhere=True)
    assert [row["standing"] for row in rows] == ["claimed", "claimed", "foreign", "elsewhere", "here"]
    assert [row["folder"] for row in rows][-2:] == ["/DC0/vm", "/DC0/vm/goldsmith"]
    assert all(bool(row["why"]) is (row["standing"] != "here") for row in rows)
    output.templates_table(rows, everywhere=True)
    assert len(capsys.readouterr().out.splitlines()) == 6
    assert [row["standing"] for row in output.templates(site(*machines), image="")] == ["here"]


@pytest.mark.parametrize(
    ("count", "words"), [(0, ""), (237, ""), (1_000_000, "1 MB"), (999_400_000, "999 MB"), (1_500_000_000, "1.5 GB")]
)
def test_a_size_as_people_say_it(count: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Less than a megabyte is no disk, and so no size."""
    machine = finished("20261123-140000-0123abcd", size_bytes=count)
    output.templates_table(output.templates(site(machine), image=""))
    assert capsys.readouterr().out.splitlines()[1].partition(" hours")[2].strip() == words
