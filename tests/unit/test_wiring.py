"""The objects of one run: made once, masked from the start, and none of them made without need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import RefusedError
from tests.unit.sessions import INSIDE, PASSWORD, lab_is_up, session

if TYPE_CHECKING:
    from pathlib import Path

HASH = "$6$goldsmith$" + "k8Zq" * 21 + "k1"


def test_secrets_are_masked_as_soon_as_they_are_known(tmp_path: Path) -> None:
    """Neither the operator's hash nor the lab's password can be printed once the configuration is read."""
    here = session(tmp_path, environment={**INSIDE, "AUTOMATION_USER_CRYPTED_PASSWORD": HASH})
    lab_is_up(here)
    effective = here.effective(site="lab", image="")
    assert HASH not in here.redact(f"the hash is {HASH}")
    here.credentials(effective)
    assert PASSWORD not in here.redact(f"the password is {PASSWORD}")


def test_inside_the_toolbox_no_engine_is_asked(tmp_path: Path) -> None:
    """On a runner that is the toolbox itself, tools start directly: no Docker, no image, no network of its own."""
    here = session(tmp_path)
    assert here.toolbox_built()
    command = here.toolbox(here.effective(site="lab", image="").site).command(("govc", "about"))
    assert "docker" not in command.argv
    assert command.argv[-2:] == ("govc", "about")
    assert here.runner.asked == []


def test_the_toolbox_joins_the_network_of_its_lab(tmp_path: Path) -> None:
    """127.0.0.1 means the lab's own machine only within the lab's network, whatever the lab is called."""
    here = session(tmp_path, environment={**INSIDE, "GOLDSMITH_LAB": "mine"})
    assert here.network(here.effective(site="lab", image="").site) == "container:mine-pause"


@pytest.mark.parametrize("server", ["127.0.0.1:9", "localhost"])
def test_a_loopback_server_that_is_no_lab_is_refused(tmp_path: Path, server: str) -> None:
    """In a container such an address is another machine: said at once, instead of a vCenter that does not answer."""
    here = session(tmp_path, environment={})
    site = here.effective(site="lab", image="").site.model_copy(update={"name": "own", "server": server})
    with pytest.raises(RefusedError, match="cannot reach"):
        here.network(site)
