"""A vendor's ISO is copied beside other work, whole or not at all."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import ToolError
from goldsmith.host.runner import Completed
from goldsmith.media import replayed
from tests.unit.fakes import FakeDoor, FakeRunner

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.host.runner import Command


def request(root: Path) -> replayed.Replay:
    """Return an order whose vendor's ISO is ``vendor.iso`` in *root*."""
    return replayed.Replay(
        source=root / "vendor.iso",
        words=("ks=floppy",),
        root=root,
        output=root / "media" / "boot.iso",
        epoch=0,
    )


@pytest.mark.parametrize("size", [0, 1, replayed._PIECE - 1, replayed._PIECE, 2 * replayed._PIECE + 1])
@pytest.mark.parametrize("send", [replayed._in_kernel, replayed._through_memory])
def test_a_copy_is_whole(tmp_path: Path, size: int, send: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte arrives, however many there are, on one disk and between two."""
    monkeypatch.setattr(replayed, "_in_kernel", send)
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(bytes(range(251)) * (size // 251 + 1))
    with source.open("r+b") as stream:
        stream.truncate(size)
    replayed._copy(source, target, threading.Event())
    assert target.read_bytes() == source.read_bytes()


def test_an_interruption_ends_the_copy(tmp_path: Path) -> None:
    """Whoever is told to stop begins no further piece."""
    source, stop = tmp_path / "a", threading.Event()
    source.write_bytes(bytes(replayed._PIECE))
    stop.set()
    replayed._copy(source, tmp_path / "b", stop)
    assert (tmp_path / "b").stat().st_size == 0


def test_a_copy_that_fails_is_told(tmp_path: Path) -> None:
    """What the disk says becomes one error; neither a part nor what was taken out of the ISO is left."""
    order = request(tmp_path)

    def extract(_: Command) -> Completed:
        files = order.output.with_suffix(".files")
        (files / "isolinux.cfg").write_text("label install\n append initrd=/initrd.gz\n initrd /initrd.gz\n")
        return Completed(returncode=0, stdout="")

    with pytest.raises(ToolError, match="cannot be written") as failed:
        replayed.make(order, runner=FakeRunner({"sh -c": extract}), door=FakeDoor())
    assert "vendor.iso" in failed.value.why
    assert list(order.output.parent.iterdir()) == []
