"""Several builds at once: of one image and site one after the other, of different sites side by side."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

from tests.integration.inventory import difference
from tests.integration.test_interruptions import at, stands

if TYPE_CHECKING:
    from tests.integration.bystander import Bystander, Run


def says(run: Run, text: str) -> None:
    """Wait until a run has said something, as long as it lives."""
    while text not in run.said:
        assert run.process.poll() is None, run.said


def origins(bystander: Bystander, vcenter: str) -> dict[str, str]:
    """Return the origin's variables for a vCenter of the lab."""
    one = bystander.lab.vcenter(vcenter)
    return {
        "VSPHERE_SERVER": one["server"],
        "VSPHERE_USER": one["user"],
        "VSPHERE_PASSWORD": bystander.lab.password(vcenter),
        "DATACENTER": "DC0",
        "CLUSTER": "DC0_C0",
        "DATASTORE": one["datastore"],
        "FOLDER": "goldsmith",
        "NETWORK": "VM Network",
        "GOLDSMITH_CA_FILE": bystander.lab.told["ca_file"],
    }


def test_a_second_build_waits_and_finds_the_work_done(bystander: Bystander) -> None:
    """It says that it waits, changes nothing, and says why; with --no-wait it ends with status 7 instead."""
    admin = bystander.admin()
    with bystander.quick():
        admin.put_barrier("upload", method="PUT")
        first = bystander.start("packer-base", "--rebuild")
        stands(admin, "upload", first)
        second = bystander.start("packer-base")
        says(second, "waiting for it")
        refused = bystander.start("packer-base", "--no-wait").end()
        admin.release("upload")
        made = first.end(300)
    assert (refused.code, refused.out) == (7, "")
    assert "another run" in refused.error()["what"]
    assert made.code == 0, made.err
    seen = [call for call in admin.mutations() if call["method"] in {"CreateVM_Task", "PUT"}]
    idle = second.end()
    assert (idle.code, idle.out) == (0, ""), idle.err
    assert f"{made.out.strip()} has the same key" in idle.err
    assert [call for call in admin.mutations() if call["method"] in {"CreateVM_Task", "PUT"}] == seen


def test_two_vcenters_do_not_disturb_each_other(bystander: Bystander) -> None:
    """Both come as far as their machines; ending one, cleaning up, and the other's machine and medium are as before."""
    before = bystander.inventory()
    other = bystander.admin("lab2")
    other.put_barrier("power", method="PowerOnVM_Task")
    second = bystander.start("packer-base", **origins(bystander, "lab2"))
    try:
        with at("PowerOnVM_Task", bystander) as first:
            stands(other, "power", second)
            both = bystander.inventory()
            first.interrupt(signal.SIGINT)
        assert first.end().code == 130
        bystander.operator.done("clean")
        only = bystander.inventory()
        assert only["machines of lab"] == before["machines of lab"]
        assert only["machines of lab2"] == both["machines of lab2"] != before["machines of lab2"]
        assert only["datastore of lab2"] == both["datastore of lab2"] != before["datastore of lab2"]
        assert second.process.poll() is None
        second.interrupt(signal.SIGTERM, group=False)
    finally:
        other.release("power", refuse=True)
    assert second.end().code == 143
    assert difference(before, bystander.inventory()) == ""


def test_a_loopback_server_that_is_no_lab_is_refused(bystander: Bystander) -> None:
    """Nothing is done before it is said: a container's loopback is its own."""
    before = bystander.inventory()
    told = origins(bystander, "lab") | {"VSPHERE_SERVER": "127.0.0.1:9"}
    refused = bystander.start("packer-base", **told).end()
    assert refused.code == 7, refused.err
    assert re.search(r"cannot reach 127\.0\.0\.1:9", refused.error()["what"])
    assert difference(before, bystander.inventory()) == ""
