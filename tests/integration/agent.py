"""An SSH agent of a few lines, which has one key, and listens at a socket as OpenSSH's own does."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from goldsmith.signing import PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@contextmanager
def listening(private: str, path: Path) -> Iterator[Path]:
    """Answer at a socket within the block: which key there is, and what it signs."""
    key = load_ssh_private_key(private.encode(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    sign = key.sign
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    blob = PublicKey.parse(line).blob

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            """Answer one request."""
            request = self.rfile.read(int.from_bytes(self.rfile.read(4), "big"))
            if request[0] == 11:
                self.wfile.write(string(bytes([12]) + (1).to_bytes(4, "big") + string(blob) + string(b"team")))
                return
            asked, rest = request[5 : 5 + len(blob)], request[5 + len(blob) :]
            assert asked == blob
            message = rest[4 : 4 + int.from_bytes(rest[:4], "big")]
            signature = string(b"ssh-ed25519") + string(sign(message))
            self.wfile.write(string(bytes([14]) + string(signature)))

    with socketserver.ThreadingUnixStreamServer(str(path), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield path
        finally:
            server.shutdown()
