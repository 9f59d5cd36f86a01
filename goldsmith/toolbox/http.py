"""Reads files over http(s) with kept-alive connections; the one place here that opens sockets."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

_CHUNK_BYTES = 1 << 20
_TIMEOUT_SECONDS = (15, 60)
"""To connect, and between two pieces of an answer."""
_GONE = frozenset({403, 404, 410})


class GoneError(Exception):
    """The source answers, and does not have the file."""


class BrokenError(Exception):
    """The source did not answer, or stopped in the middle; trying again may help."""


class StartError(BrokenError):
    """The source cannot begin in the middle of this file."""


class Source(Protocol):
    """Reads addresses; tests have their own."""

    def read(self, url: str) -> Iterator[bytes]:
        """Yield the content of *url* in pieces.

        Raises ``GoneError`` or ``BrokenError``.
        """
        ...


class Http:
    """Reads http(s) and file addresses, with a session for each thread."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._local = threading.local()

    def read(self, url: str, *, start: int = 0) -> Iterator[bytes]:
        """Yield the content of *url*, from byte *start* on; see :class:`Source`.

        Raises ``StartError`` when the source cannot begin there.
        """
        if url.startswith("file://"):
            yield from _local_file(url, start)
            return
        import requests  # costs 0.1 s, and a warm run fetches nothing
        import urllib3

        try:
            headers = {"Range": f"bytes={start}-"} if start else {}
            with contextlib.closing(
                self._session().get(url, stream=True, timeout=_TIMEOUT_SECONDS, headers=headers)
            ) as answer:
                if answer.status_code in _GONE:
                    raise GoneError(f"HTTP {answer.status_code}")
                if start and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                    raise StartError(f"HTTP {answer.status_code}, and not from byte {start} on")
                answer.raise_for_status()
                # As they come: nobody asked for compressed ones, and a kilobyte may unpack to a terabyte.
                yield from answer.raw.stream(_CHUNK_BYTES, decode_content=False)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise BrokenError(str(error)) from None

    def _session(self) -> requests.Session:
        import requests

        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.headers["Accept-Encoding"] = "identity"
            # requests knows REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE, but not the name everything else uses.
            if bundle := self._environment.get("SSL_CERT_FILE"):
                session.verify = bundle
        return session


def _local_file(url: str, start: int) -> Iterator[bytes]:
    path = Path(unquote(urlsplit(url).path))
    try:
        with path.open("rb") as file:
            file.seek(start)
            while piece := file.read(_CHUNK_BYTES):
                yield piece
    except OSError as error:
        raise GoneError(str(error)) from None
