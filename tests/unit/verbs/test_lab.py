"""The lab is found the quick way, and shown with all that its users need."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from goldsmith.verbs import lab
from tests.unit.sessions import FakeSession, lab_is_up, session

if TYPE_CHECKING:
    from pathlib import Path


def with_docker(folder: Path) -> FakeSession:
    """Return a session that finds a ``docker`` first on its PATH, and whose lab is up."""
    program = folder / "bin" / "docker"
    program.parent.mkdir()
    program.touch(mode=0o755)
    own = {"State": {"Running": True}, "Config": {"Labels": {"goldsmith.lab.settings": "0" * 12}}}
    script = {f"{program} inspect": json.dumps([own, own])}
    made = session(folder, environment={"PATH": str(program.parent)}, script=script)
    lab_is_up(made)
    return made


def test_a_lab_that_runs_is_used_as_it_is(tmp_path: Path) -> None:
    """Whoever only needs a lab gets the one that runs, whatever it was started from, for one process."""
    made = with_docker(tmp_path)
    found = lab.on_demand(made)
    assert [one.datastore for one in found.vcenters] == ["lab-ds"]
    assert len(made.runner.asked) == 1


def test_a_lab_that_is_down_has_no_login_and_that_is_no_error(tmp_path: Path) -> None:
    """Verbs that only look take a lab that is down for an empty one."""
    made = session(tmp_path)
    assert not lab.answers(made.on(made.effective(site="lab", image="")))
