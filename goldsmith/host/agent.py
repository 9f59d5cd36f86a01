"""An SSH agent: which keys it has, and signatures that it makes with them (the protocol of OpenSSH's ssh-agent)."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.errors import UnreachableError
from goldsmith.signing import ssh_string

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LIST, _KEYS, _SIGN, _SIGNED = 11, 12, 13, 14
_LARGEST = 256 * 1024
"""What OpenSSH's own agent allows an answer to be."""
_SECONDS = 60.0
"""An agent may ask a person for every signature."""


@dataclass(frozen=True)
class Agent:
    """The agent that listens at a socket."""

    path: Path

    @classmethod
    def here(cls, environment: Mapping[str, str]) -> Agent | None:
        """Return the agent that the environment names, if it names one."""
        from pathlib import Path

        return cls(Path(environment["SSH_AUTH_SOCK"])) if environment.get("SSH_AUTH_SOCK") else None

    def keys(self) -> tuple[bytes, ...]:
        """Return the public keys that it has, as SSH writes them; none where it does not answer."""
        try:
            answer = self._ask(bytes([_LIST]), _KEYS)
            count, rest = int.from_bytes(answer[:4], "big"), answer[4:]
            found = []
            for _ in range(count):
                blob, rest = _taken(rest)
                _, rest = _taken(rest)  # its comment
                found.append(blob)
        except (OSError, ValueError):
            return ()
        return tuple(found)

    def sign(self, blob: bytes, message: bytes) -> bytes:
        """Return the signature that the private half of *blob* makes of *message*.

        Raises ``UnreachableError`` when there is none.
        """
        try:
            answer = self._ask(bytes([_SIGN]) + ssh_string(blob) + ssh_string(message) + bytes(4), _SIGNED)
            _, rest = _taken(_taken(answer)[0])
            return _taken(rest)[0]
        except (OSError, ValueError) as error:
            raise UnreachableError(
                "the SSH agent does not sign",
                where=f"SSH_AUTH_SOCK={self.path}",
                why=str(error) or type(error).__name__,
                next="see whether it has the key (ssh-add -L) and nobody refused it; then run the command again",
            ) from None

    def _ask(self, request: bytes, expected: int) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(str(self.path))
            connection.sendall(ssh_string(request))
            size = int.from_bytes(_received(connection, 4), "big")
            if not 0 < size <= _LARGEST:
                raise ValueError("it answers nothing that can be read")
            answer = _received(connection, size)
        if answer[0] != expected:
            raise ValueError("it refuses")
        return answer[1:]


def _received(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ValueError("it ends the connection")
        data += more
    return data


def _taken(data: bytes) -> tuple[bytes, bytes]:
    """Return the first string of *data*, and what follows it."""
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 + size:
        raise ValueError("its answer is cut off")
    return data[4 : 4 + size], data[4 + size :]
