from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from goldsmith.config import sites
from goldsmith.errors import CheckError
from goldsmith.lab import state

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = state.State(
    name="goldsmith-lab",
    settings="abc",
    admin="http://127.0.0.1:18444",
    token="t0ken",
    vcenters=(
        state.Login(name="lab", server="127.0.0.1:18443", user="admin", password="hunter2", datastore="lab-ds"),
        state.Login(name="lab2", server="127.0.0.1:18445", user="admin", password="hunter3", datastore="lab2-ds"),
    ),
)


def test_state_survives_the_disk(tmp_path: Path) -> None:
    """What is written is what is read."""
    KNOWN.write(tmp_path / "lab", "CA")
    assert state.read(tmp_path / "lab") == KNOWN


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Every file but the CA's certificate is readable by nobody else."""
    folder = tmp_path / "lab"
    KNOWN.write(folder, "CA")
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir()}
    assert modes.pop("ca.pem") == "0o644"
    assert set(modes) == {"lab.json", "token", "lab.password", "lab2.password"}
    assert set(modes.values()) == {"0o600"}


def test_secrets_are_in_no_representation() -> None:
    """Printing the state shows neither passwords nor the token."""
    assert not [secret for secret in ("hunter2", "hunter3", "t0ken") if secret in repr(KNOWN)]


def test_the_built_in_site_understands_the_state(tmp_path: Path) -> None:
    """The site 'lab' takes its server from the state that lab-up writes."""
    environment = {"GOLDSMITH_LAB": "mine"}
    KNOWN.write(tmp_path / "lab" / "mine", "CA")
    table = sites.of_lab(environment, cache=tmp_path)
    assert table.values["server"] == "127.0.0.1:18443"
    assert table.values["placement"]["datastore"] == "lab-ds"


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"vcenters": [{"name": "x"}]})])
def test_a_file_that_is_no_state_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    """A damaged lab.json is an error that names the file and the way out."""
    (tmp_path / "lab.json").write_text(text)
    with pytest.raises(CheckError) as caught:
        state.read(tmp_path)
    assert "lab.json" in caught.value.where
    assert "lab-up" in caught.value.next


def test_no_file_is_no_lab(tmp_path: Path) -> None:
    """A lab that is down has no state, which is no error."""
    KNOWN.write(tmp_path, "CA")
    state.forget(tmp_path)
    assert state.read(tmp_path) is None


def test_a_vcenter_is_known_by_where_it_listens() -> None:
    """Whatever this machine is called; a port where none listens names none."""
    assert KNOWN.at("127.0.0.1:18443") == "lab"
    assert KNOWN.at("localhost:18445") == "lab2"
    assert KNOWN.at("127.0.0.1:18444") == ""
    assert KNOWN.at("vcenter.example.com") == ""
