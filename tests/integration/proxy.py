"""A door between a client and a Docker engine that a test can shut, as if the engine had stopped."""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from typing import Self


class Forwarder:
    """Passes connections on to a unix socket, from one of its own or from a port of the loopback address."""

    def __init__(self, target: str, *, tcp: bool = False) -> None:
        self._target = target
        self._folder = Path(tempfile.mkdtemp(prefix="engine-"))
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._shut = False
        if tcp:
            self._listening = socket.create_server(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{self._listening.getsockname()[1]}"
        else:
            self._listening = socket.socket(socket.AF_UNIX)
            self._listening.bind(str(self._folder / "s"))
            self._listening.listen()
            self.address = f"unix://{self._folder}/s"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        shutil.rmtree(self._folder)

    def cut(self) -> None:
        """End every connection and take no new one."""
        with self._lock:
            self._shut = True
            for one in (self._listening, *self._open):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(self._target)
                with self._lock:
                    if self._shut:
                        client.close()
                        engine.close()
                        return
                    self._open += [client, engine]
                for source, sink in ((client, engine), (engine, client)):
                    threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
        # Half-closed only: the CLI ends its stdin so, and still reads what the container prints.
        sink.shutdown(socket.SHUT_WR)
