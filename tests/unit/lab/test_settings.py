from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import ConfigurationError
from goldsmith.lab.settings import MOST, Settings


@given(port=st.integers(1024, 65_000), count=st.integers(1, MOST))
def test_no_two_things_listen_on_one_port(port: int, count: int) -> None:
    """Admin and vCenters have ports of their own, all of them published."""
    lab = Settings.here({"GOLDSMITH_LAB_PORT": str(port)}, count=count)
    taken = [lab.admin_port, *(one.port for one in lab.vcenters)]
    low, high = map(int, lab.ports.split("-"))
    assert sorted(taken) == list(range(low, high + 1))
    assert lab.vcenters[0].port == port


def test_second_vcenter_has_a_name_and_a_datastore_of_its_own() -> None:
    """Two vCenters of one lab share nothing that labd wants to be unique."""
    told = json.loads(Settings.here({}, count=2).labd("guest:1"))["vcenters"]
    assert [(one["name"], one["datastore"], one["listen"]) for one in told] == [
        ("lab", "lab-ds", ":18443"),
        ("lab2", "lab2-ds", ":18445"),
    ]


@pytest.mark.parametrize(
    ("environment", "count", "named"),
    [
        ({"GOLDSMITH_LAB": "Big Lab"}, 1, "GOLDSMITH_LAB"),
        ({"GOLDSMITH_LAB_PORT": "eighty"}, 1, "GOLDSMITH_LAB_PORT"),
        ({"GOLDSMITH_LAB_PORT": "80"}, 1, "GOLDSMITH_LAB_PORT"),
        ({"GOLDSMITH_LAB_PORT": "65535"}, 1, "GOLDSMITH_LAB_PORT"),
        ({}, 0, "--vcenters"),
        ({}, MOST + 1, "--vcenters"),
    ],
    ids=["name", "port-word", "port-low", "port-high", "none", "too-many"],
)
def test_what_cannot_be_used_is_refused_by_name(environment: dict[str, str], count: int, named: str) -> None:
    """A wrong name, port or count is a configuration error that says what is allowed."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.here(environment, count=count)
    assert caught.value.where == named
    assert "allowed" in caught.value.why


def test_another_image_is_another_lab() -> None:
    """The digest that tells whether a running lab is the wanted one changes with the images, and with nothing else."""
    lab = Settings.here({})

    def digest(image: str, guest: str) -> str:
        return lab.compose(image=image, guest_image=guest, socket="/s")["GOLDSMITH_LAB_SETTINGS"]

    assert digest("v:1", "g:1") == digest("v:1", "g:1")
    assert len({digest("v:1", "g:1"), digest("v:2", "g:1"), digest("v:1", "g:2")}) == 3
