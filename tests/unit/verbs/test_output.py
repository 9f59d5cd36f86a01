"""What verbs print for people and machines."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from goldsmith.plan import Inputs, Plan, Stage, Step
from goldsmith.vcenter import marks
from goldsmith.vcenter.inventory import Machine
from goldsmith.verbs import output

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)


def template(build: str, *, image: str = "debian-13") -> Machine:
    machine = Machine(ref=build, name=f"{image}-base-{build}", instance_uuid=build, is_template=True)
    attributes = marks.Attributes(image=image, phase="base", key="ab" * 32, build=build, commit="c0ffee")
    return replace(machine, attributes=attributes.values(machine))


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
    """Only finished templates of the suite are told, and of one image where one is named."""
    older, newer = template("20261120-160000-0123abcd"), template("20261123-140000-0123abcd")
    others = [template("20261122-090000-0123abcd", image="rocky-9"), Machine(ref="x", name="db", instance_uuid="x")]
    rows = output.templates([newer, *others, older], image="debian-13", now=NOW)
    assert [(row["name"], row["age"]) for row in rows] == [(older.name, "3 days"), (newer.name, "2 hours")]
    assert len(output.templates([newer, *others, older], image="", now=NOW)) == 3


def test_a_template_that_cannot_be_dated_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody edited its build: its row is there, of unknown age, and nothing breaks."""
    edited = template("99999999-999999-0123abcd")
    rows = output.templates([edited], image="", now=NOW)
    assert [(row["name"], row["age"]) for row in rows] == [(edited.name, "unknown")]
    output.templates_table(rows)
    assert "unknown" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("count", "words"), [(0, ""), (237, ""), (1_000_000, "1 MB"), (999_400_000, "999 MB"), (1_500_000_000, "1.5 GB")]
)
def test_a_size_as_people_say_it(count: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Less than a megabyte is no disk, and so no size."""
    machine = replace(template("20261123-140000-0123abcd"), size_bytes=count)
    output.templates_table(output.templates([machine], image="", now=NOW))
    assert capsys.readouterr().out.splitlines()[1].partition(" hours")[2].strip() == words
