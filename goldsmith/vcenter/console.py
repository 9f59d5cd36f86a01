"""What a machine's console shows: a picture that the vCenter puts on a datastore, fetched from there and removed."""

from __future__ import annotations

import contextlib
from http.client import HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from goldsmith.errors import ToolError
from goldsmith.vcenter.faults import DEADLINE_SECONDS, split_server
from goldsmith.vcenter.sdk import stub_of, vim

if TYPE_CHECKING:
    import ssl

    from goldsmith.vcenter.collector import Collector


def screenshot(collector: Collector, content: Any, vm: Any, server: str, tls: ssl.SSLContext) -> bytes:
    """Return the console of a running machine as a PNG."""
    stored = str(collector.finish(vm.CreateScreenshot_Task()))
    datastore, _, path = stored.removeprefix("[").partition("] ")
    datacenter, inventory_path = _datacenter_of(collector, vm)
    question = urlencode({"dcPath": inventory_path, "dsName": datastore})
    try:
        return _download(server, f"/folder/{quote(path)}?{question}", stub_of(content.rootFolder).cookie, tls)
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


def _download(server: str, where: str, cookie: str, tls: ssl.SSLContext) -> bytes:
    host, port = split_server(server)
    connection = HTTPSConnection(host, port, timeout=DEADLINE_SECONDS, context=tls)
    with contextlib.closing(connection):
        connection.request("GET", where, headers={"Cookie": str(cookie).split(";", 1)[0]})
        answer = connection.getresponse()
        content = answer.read()
    if answer.status != 200:  # noqa: PLR2004 - HTTP's "OK"
        raise ToolError(f"the datastore answers {answer.status} {answer.reason}", where=where)
    return content
