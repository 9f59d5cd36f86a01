"""A container image of 150 bytes that says hello, made without a compiler or an engine."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

SAYS = b"hello from a tiny image\n"
BASE = 0x400000


class Archive(NamedTuple):
    """What docker_images_list wants to know about an archive."""

    path: Path
    sha256: str
    id: str


def program() -> bytes:
    """Return a static x86-64 program: write(1, SAYS), exit(0)."""
    code_at = 64 + 56
    # mov eax,1; mov edi,1; mov esi,TEXT; mov edx,LENGTH; syscall; mov eax,60; xor edi,edi; syscall
    size = 5 * 4 + 2 + 5 + 2 + 2
    text_at = BASE + code_at + size
    code = b"\xb8\x01\0\0\0\xbf\x01\0\0\0" + b"\xbe" + struct.pack("<I", text_at)
    code += b"\xba" + struct.pack("<I", len(SAYS)) + b"\x0f\x05\xb8\x3c\0\0\0\x31\xff\x0f\x05"
    total = code_at + len(code) + len(SAYS)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, BASE + code_at, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, total, total, 0x1000)
    return ident + header + segment + code + SAYS


def _tar(members: dict[str, bytes]) -> bytes:
    """Pack files; every date is 0, so the same files give the same bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o755
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def archive(path: Path, *, tag: str) -> Archive:
    """Write an archive as `docker save` does."""
    layer = _tar({"hello": program()})
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/hello"]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        }
    ).encode()
    digest = hashlib.sha256(config).hexdigest()
    manifest = json.dumps([{"Config": f"{digest}.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]).encode()
    path.write_bytes(_tar({f"{digest}.json": config, "layer.tar": layer, "manifest.json": manifest}))
    return Archive(path, hashlib.sha256(path.read_bytes()).hexdigest(), f"sha256:{digest}")
