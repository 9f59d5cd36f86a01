"""Files of a datastore, as the vCenter hands them out over HTTPS."""

from __future__ import annotations

import contextlib
from http.client import HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from goldsmith.errors import MissingObjectError, ToolError
from goldsmith.vcenter.faults import DEADLINE_SECONDS, split_server

if TYPE_CHECKING:
    import ssl

LARGEST = 64 << 20
"""What is fetched whole is a picture or a record: nothing is longer, in bytes."""


def download(server: str, tls: ssl.SSLContext, cookie: str, *, datacenter: str, datastore: str, path: str) -> bytes:
    """Return a file; *datacenter* is its inventory path, *cookie* the session's.

    Raises ``MissingObjectError`` when there is none.
    """
    host, port = split_server(server)
    question = urlencode({"dcPath": datacenter, "dsName": datastore})
    connection = HTTPSConnection(host, port, timeout=DEADLINE_SECONDS, context=tls)
    with contextlib.closing(connection):
        connection.request("GET", f"/folder/{quote(path)}?{question}", headers={"Cookie": cookie.split(";", 1)[0]})
        answer = connection.getresponse()
        content = answer.read(LARGEST + 1)
    where = f"[{datastore}] {path}"
    if answer.status == 404:  # noqa: PLR2004 - HTTP's "not found"
        raise MissingObjectError("the file is not on the datastore", where=where)
    if answer.status != 200:  # noqa: PLR2004 - HTTP's "OK"
        raise ToolError(f"the datastore answers {answer.status} {answer.reason}", where=where)
    if len(content) > LARGEST:
        raise ToolError("the file is larger than it can be", where=where, why=f"more than {LARGEST} bytes")
    return content
