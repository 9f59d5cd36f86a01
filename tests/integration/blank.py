"""Virtual machines with a blank disk and any media in their drives, made by hand through the vCenter's own API."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldsmith.lab.admin import Admin
from goldsmith.lab.installation import FAILED
from goldsmith.vcenter.sdk import vim
from tests.integration.inventory import Lab, docker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from goldsmith.vcenter.client import Client

_IDE = 200
"""The key of the IDE controller that every machine has."""


@dataclass(frozen=True)
class Blank:
    """One such machine, and the lab behind it."""

    lab: Lab
    client: Client
    admin: Admin
    vm: Any
    name: str

    def power(self, *, on: bool) -> None:
        """Switch it on or off; raises what the vCenter refuses with."""
        self.client._collector.finish(self.vm.PowerOnVM_Task(None) if on else self.vm.PowerOffVM_Task())

    def change(self, *, devices: Sequence[Any] = (), guestinfo: Mapping[str, str] | None = None) -> None:
        """Reconfigure it."""
        spec = vim.vm.ConfigSpec(deviceChange=list(devices), extraConfig=_options(guestinfo or {}))
        self.client._collector.finish(self.vm.ReconfigVM_Task(spec))

    def drives(self) -> list[Any]:
        """Return its CD drives."""
        found = self.client._collector.one(self.vm, ("config.hardware.device",))["config.hardware.device"]
        return [device for device in found if isinstance(device, vim.vm.device.VirtualCdrom)]

    def until(self, said: str, *, since: int = 0) -> str:
        """Wait until its guest reports the event *said*, and return its console; any other end is a mistake."""
        while True:
            events = self.admin.events(since=since, wait=True)
            assert events, f"nothing happened for a minute:\n{self.admin.console(self.name)}"
            since = events[-1]["seq"]
            told = [one["detail"]["event"] for one in events if one["kind"] == "guest" and one["object"] == self.name]
            if said in told:
                return self.admin.console(self.name)
            assert FAILED not in told, self.admin.console(self.name)

    def now(self) -> int:
        """Return the number of the last event."""
        events = self.admin.events()
        return int(events[-1]["seq"]) if events else 0

    @property
    def container(self) -> str:
        """The container that its guest is."""
        [row] = [row for row in self.admin.vms() if row["name"] == self.name]
        return str(row["container"])

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script in its guest, in the environment that the lab gave it."""
        return subprocess.run(
            ("docker", "exec", self.container, "sh", "-c", script), check=False, capture_output=True, text=True
        )


@contextlib.contextmanager
def machine(
    lab: Lab,
    name: str,
    *,
    discs: Sequence[str] = (),
    floppy: str = "",
    guestinfo: Mapping[str, str] | None = None,
) -> Iterator[Blank]:
    """Yield a machine that is off, with a CD drive for each of *discs*; it is gone afterwards.

    Media are named by their paths on the datastore.
    """
    datastore = lab.vcenter()["datastore"]
    spec = vim.vm.ConfigSpec(
        name=name,
        guestId="debian12_64Guest",
        firmware="efi",
        numCPUs=1,
        memoryMB=64,
        files=vim.vm.FileInfo(vmPathName=f"[{datastore}]"),
        deviceChange=[
            *(added(drive(number, f"[{datastore}] {path}")) for number, path in enumerate(discs)),
            *([added(_floppy(f"[{datastore}] {floppy}"))] if floppy else []),
        ],
        extraConfig=_options(guestinfo or {}),
    )
    with lab.connect() as client:
        wanted = {vim.Folder: ("name",), vim.ResourcePool: ("name",)}
        found = client._collector.every(client._content.rootFolder, wanted)
        places = {values["name"]: ref for ref, values in found}
        vm = client._collector.finish(places["goldsmith"].CreateVM_Task(config=spec, pool=places["Resources"]))
        with _until_gone(Blank(lab, client, _admin(lab), vm, name)) as blank:
            yield blank


@contextlib.contextmanager
def found(lab: Lab, name: str) -> Iterator[Blank]:
    """Yield a machine that somebody else makes, as soon as it is there; it is gone afterwards."""
    admin = _admin(lab)
    seen = 0
    while name not in [row["name"] for row in admin.vms()]:
        events = admin.events(since=seen, wait=True)
        assert events, f"nobody makes {name}"
        seen = events[-1]["seq"]
    with lab.connect() as client:
        every = client._collector.every(client._content.rootFolder, {vim.VirtualMachine: ("name",)})
        [vm] = [ref for ref, values in every if values["name"] == name]
        with _until_gone(Blank(lab, client, admin, vm, name)) as blank:
            yield blank


@contextlib.contextmanager
def _until_gone(blank: Blank) -> Iterator[Blank]:
    try:
        yield blank
    finally:
        with contextlib.suppress(vim.fault.InvalidPowerState):
            blank.power(on=False)
        blank.client._collector.finish(blank.vm.Destroy_Task())


def _admin(lab: Lab) -> Admin:
    return Admin(url=lab.told["admin"], token=Path(lab.told["token_file"]).read_text().strip())


def drive(number: int, medium: str) -> Any:
    """Return a CD drive with *medium* in it: the first, the second, and so on of its controller."""
    return vim.vm.device.VirtualCdrom(
        key=-1 - number,
        controllerKey=_IDE,
        unitNumber=number,
        backing=vim.vm.device.VirtualCdrom.IsoBackingInfo(fileName=medium),
        connectable=_connected(),
    )


def added(device: Any) -> Any:
    """Return the order to put a device in."""
    return vim.vm.device.VirtualDeviceSpec(operation="add", device=device)


def removed(device: Any) -> Any:
    """Return the order to take a device out."""
    return vim.vm.device.VirtualDeviceSpec(operation="remove", device=device)


@contextlib.contextmanager
def installer(lab: Lab, name: str, *, recognise: str, run: str) -> Iterator[None]:
    """Add a folder to the installers of the lab's guests, and nothing else; it is gone afterwards."""
    folder = f"/lab/installers/{name}"
    # The vCenter's own container, which has the share as well, has no shell.
    [image, *_] = docker("images", "--quiet", "goldsmith-lab-guest")
    mounted = ("run", "--rm", "--volume", f"{lab.name}-share:/lab", "--entrypoint", "sh", image, "-euc")
    scripts = f"""\
mkdir {folder}
printf '%s\\n' '#!/bin/sh' '{recognise}' >{folder}/recognise
printf '%s\\n' '#!/bin/sh' '{run}' >{folder}/run
chmod 755 {folder}/*
"""
    docker(*mounted, scripts)
    try:
        yield
    finally:
        docker(*mounted, f"rm -r {folder}")


def _floppy(medium: str) -> Any:
    return vim.vm.device.VirtualFloppy(
        key=-100,
        backing=vim.vm.device.VirtualFloppy.ImageBackingInfo(fileName=medium),
        connectable=_connected(),
    )


def _connected() -> Any:
    return vim.vm.device.VirtualDevice.ConnectInfo(startConnected=True, allowGuestControl=True, connected=True)


def _options(values: Mapping[str, str]) -> list[Any]:
    return [vim.option.OptionValue(key=key, value=value) for key, value in values.items()]
