"""How long a build waits is known, or refused, before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import ConfigurationError
from goldsmith.flow.order import Order, timeouts
from goldsmith.flow.run import Flow
from goldsmith.plan import Stage
from tests.unit.sessions import INSIDE, lab_is_up, session

if TYPE_CHECKING:
    from pathlib import Path


def test_time_outs_come_from_the_environment() -> None:
    """The operator's count; what is not given keeps the lab's, or Packer's."""
    found = timeouts({"GOLDSMITH_SSH_TIMEOUT": "90s", "GOLDSMITH_SHUTDOWN_TIMEOUT": ""}, lab=True)
    assert (found.ssh, found.ip_wait, found.shutdown) == ("90s", "10m", "10m")
    assert timeouts({}, lab=False).ip_wait == "60m"


@pytest.mark.parametrize("text", ["5", "soon", "-1m", "1m; rm"])
def test_a_time_out_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    """Packer would find out after the medium was made and uploaded: nothing is looked at, and no build begun."""
    here = session(tmp_path, environment={**INSIDE, "GOLDSMITH_SHUTDOWN_TIMEOUT": text})
    lab_is_up(here)
    flow = Flow(on=here.on(here.effective(site="lab", image="")))
    with pytest.raises(ConfigurationError, match="time-out") as caught:
        flow.forge(Order(until=Stage.BASE), lambda _: None)
    assert caught.value.where == "GOLDSMITH_SHUTDOWN_TIMEOUT"
    assert here.builds.all() == ()
