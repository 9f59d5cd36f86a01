"""A boot medium made by hand is looked at on its datastore before anything is made."""

from __future__ import annotations

import base64
import json

import pytest

from goldsmith.errors import CheckError, MissingObjectError
from goldsmith.host.runner import Completed
from goldsmith.media import handmade
from goldsmith.tools import govc, iso9660
from tests.unit.fakes import FakeDoor, FakeRunner

SIZE = 4 * 2048 * 100
SHA256 = "ab" * 32


def head(*, blocks: int = SIZE // 2048) -> bytes:
    sector = bytearray(2048)
    sector[:7] = b"\x01CD001\x01"
    sector[40:72] = b"XENIAL".ljust(32)
    sector[80:84] = blocks.to_bytes(4, "little")
    sector[128:130] = (2048).to_bytes(2, "little")
    return (bytes(16 * 2048) + bytes(sector)).ljust(iso9660.HEAD, b"\0")


def listed(size: int) -> str:
    return json.dumps([{"file": [{"path": "x.iso", "fileSize": size}]}])


def examine(begins: bytes, *, size: int = SIZE, sha256: str = "", read: str = SHA256 + "\n") -> handmade.Found:
    runner = FakeRunner(
        {"govc datastore.ls": listed(size), "bash -c": [base64.b64encode(begins).decode() + "\n", read]}
    )
    access = govc.Access(server="v", user="u", password="p", datacenter="d", datastore="ds")
    return handmade.examine(
        handmade.Place(access=access, path="iso/x.iso", runner=runner, door=FakeDoor(), sha256=sha256)
    )


def test_an_iso_that_is_whole() -> None:
    """Its name and size are known from its beginning; its content is read only when it can be compared."""
    assert examine(head()) == handmade.Found(path="[ds] iso/x.iso", size=SIZE, volume="XENIAL")
    assert examine(head(), sha256=SHA256).volume == "XENIAL"


@pytest.mark.parametrize(
    ("begins", "size", "words"),
    [
        pytest.param(head(), SIZE - 1, "cut off", id="cut off by a byte"),
        pytest.param(head(blocks=2**31), SIZE, "cut off", id="says it is larger than any file here"),
        pytest.param(b"hello\n" * 20_000, SIZE, "not an ISO image", id="text"),
        pytest.param(bytes(iso9660.HEAD), SIZE, "not an ISO image", id="zeros"),
        pytest.param(head()[:33_000], SIZE, "not an ISO image", id="all of it is less than its descriptor"),
    ],
)
def test_one_that_is_not(begins: bytes, size: int, words: str) -> None:
    """Each kind is told apart."""
    with pytest.raises(CheckError, match=words):
        examine(begins[: iso9660.HEAD], size=size)


def test_another_iso_than_the_one_that_is_meant() -> None:
    """Both hashes are told."""
    with pytest.raises(CheckError, match="does not match its pinned sha256") as caught:
        examine(head(), sha256=SHA256, read="cd" * 32 + "\n")
    assert SHA256 in caught.value.why


def test_one_that_is_not_there() -> None:
    """An error with the path as vSphere writes it."""
    runner = FakeRunner({"govc datastore.ls": Completed(returncode=1, stdout="", stderr="govc: x was not found")})
    access = govc.Access(server="v", user="u", password="p", datacenter="d", datastore="ds")
    with pytest.raises(MissingObjectError, match="ISO_PATH") as caught:
        handmade.examine(handmade.Place(access=access, path="iso/x.iso", runner=runner, door=FakeDoor()))
    assert "[ds] iso/x.iso" in caught.value.where
