"""The playbooks on a clone of what they made: a second run finds everything as it wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration import guests

if TYPE_CHECKING:
    from tests.integration.conftest import Operator
    from tests.integration.hosts import Host


def test_a_second_run_changes_nothing(worker: Operator, host: Host) -> None:
    """Every task of every role finds its work done: after the seal, in a clone, and after a boot."""
    with guests.clone(worker, host.name, "roles-again") as [guest]:
        # They are off during a build only, and a clone is to have them.
        guest.sh("systemctl stop apt-daily.timer apt-daily-upgrade.timer")
        again = guest.play(host.read("variables.json"))
        assert again.code == 0, again.text
        assert again.changed == []
        assert again.recap == 0
