"""What a machine's console shows: a picture that the vCenter puts on a datastore, fetched from there and removed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from goldsmith.vcenter.download import download
from goldsmith.vcenter.sdk import stub_of, vim

if TYPE_CHECKING:
    import ssl

    from goldsmith.vcenter.collector import Collector


def screenshot(collector: Collector, content: Any, vm: Any, server: str, tls: ssl.SSLContext) -> bytes:
    """Return the console of a running machine as a PNG."""
    stored = str(collector.finish(vm.CreateScreenshot_Task()))
    datastore, _, path = stored.removeprefix("[").partition("] ")
    datacenter, inventory_path = _datacenter_of(collector, vm)
    cookie = str(stub_of(content.rootFolder).cookie)
    try:
        return download(server, tls, cookie, datacenter=inventory_path, datastore=datastore, path=path)
    finally:
        with contextlib.suppress(Exception):
            collector.finish(content.fileManager.DeleteDatastoreFile_Task(stored, datacenter))


def _datacenter_of(collector: Collector, vm: Any) -> tuple[Any, str]:
    """Return the datacenter of a machine, and its inventory path: it may lie in a folder."""
    place, found, names = vm, None, list[str]()
    while (values := collector.one(place, ("name", "parent"))).get("parent") is not None:
        found = place if isinstance(place, vim.Datacenter) else found
        names += [str(values["name"])] if found else []
        place = values["parent"]
    return found, "/".join(reversed(names))
