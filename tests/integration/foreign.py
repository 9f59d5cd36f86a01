"""What strangers put onto a vCenter: machines, templates with copied attributes, and names with any letters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from goldsmith.vcenter import marks

if TYPE_CHECKING:
    from goldsmith.vcenter.client import Client
    from goldsmith.vcenter.inventory import Machine


def every(client: Client) -> list[Any]:
    """Return all machines and templates."""
    from goldsmith.vcenter.sdk import vim

    found = client._collector.every(client._content.rootFolder, {vim.VirtualMachine: ("name",)})
    return [ref for ref, _ in found]


def datacenter(client: Client) -> Any:
    """Return the lab's one datacenter."""
    return client._content.rootFolder.childEntity[0]


def folder(client: Client, name: str) -> Any:
    """Return a folder of machines, made if it is not there; without a name, the datacenter's own."""
    top = datacenter(client).vmFolder
    if not name:
        return top
    spelt = name.replace("/", "%2f")
    there = [one for one in top.childEntity if one.name == spelt]
    return there[0] if there else top.CreateFolder(name)


def machine(client: Client, where: str, name: str, *, note: str = "") -> Any:
    """Make a machine in a folder."""
    from goldsmith.vcenter.sdk import vim

    pool = datacenter(client).hostFolder.childEntity[0].resourcePool
    spec = vim.vm.ConfigSpec(
        name=name, annotation=note, files=vim.vm.FileInfo(vmPathName="[lab-ds]"), guestId="otherGuest64"
    )
    return client._collector.finish(folder(client, where).CreateVM_Task(spec, pool))


def template(client: Client, where: str, name: str, told: marks.Attributes, **changed: str) -> Machine:
    """Make a template that says of itself what it is told to, *changed* here and there, with its own instance UUID."""
    from goldsmith.vcenter import convert

    vm = machine(client, where, name)
    client._collector.finish(vm.CreateSnapshot_Task(name="goldsmith", description="", memory=False, quiesce=False))
    vm.MarkAsTemplate()
    made = convert.machine(vm, client._collector.one(vm, convert.MACHINE), {})
    marks.define(client)
    values = told.values(made) | {marks.PREFIX + part: value for part, value in changed.items()}
    client.set_attributes(made, values)
    return replace(made, attributes=values)
