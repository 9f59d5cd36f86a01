"""A note says whose machine it is as a whole, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.vcenter import notes
from goldsmith.vcenter.inventory import Machine
from goldsmith.vcenter.notes import Claim
from goldsmith.work import Work
from tests.unit.vcenter.fakes import BEGAN, BUILD, OTHER_BUILD

NAME = f"debian-13-base-{BUILD}"
WORKS = [Work(BUILD), Work(OTHER_BUILD, BUILD)]
OLD = (
    f"goldsmith: build {BUILD} is under way\n"
    "began 2026-11-23 15:00 UTC on host.example.com; 'clean' removes this machine once nobody works on it"
)
"""As versions before 2026.12 wrote it."""


def claim(note: str) -> Claim | None:
    return notes.claim(Machine(ref="x", name="any", note=note))


@pytest.mark.parametrize("work", WORKS, ids=["build", "run"])
@pytest.mark.parametrize("host", ["host", "host.example.com", "", "my host; rm\n", "büro"])
def test_what_is_written_is_read_back(work: Work, host: str) -> None:
    """Whatever the machine that builds is called."""
    note = notes.under_way(work, name=NAME, host=host, began=BEGAN)
    assert claim(note) == claim(note.replace("\n", "\r\n")) == Claim(work, NAME)


def test_notes_of_earlier_versions() -> None:
    """They name no machine."""
    assert claim(OLD) == Claim(Work(BUILD), "")


@pytest.mark.parametrize("work", WORKS, ids=["build", "run"])
@given(st.text(max_size=8), st.integers(0, 300), st.integers(0, 3))
def test_a_note_that_was_touched_is_nobody_s(work: Work, text: str, at: int, drop: int) -> None:
    """A word before, after or within it, or one left out: it is somebody's own note, which may say anything."""
    note = notes.under_way(work, name=NAME, host="here", began=BEGAN)
    touched = note[:at] + text + note[at + drop :]
    found = claim(touched)
    assert (
        found is None
        or touched == note
        or notes.under_way(found.work, name=found.name, host="x", began=BEGAN).splitlines()[0]
        == touched.splitlines()[0]
    )
    for extended in (f"{note}\nproduction, do not delete", f"production\n{note}", f"{note} "):
        assert claim(extended) is None


@given(st.text())
def test_no_other_text_claims_anything(note: str) -> None:
    """Nor is any a crash."""
    assert claim(note) is None
