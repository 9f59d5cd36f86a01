"""A vendor's ISO arrives whole and as it was meant, over connections that break."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import CheckError, UnreachableError
from goldsmith.host.workspace import Workspace
from goldsmith.media import vendor
from goldsmith.toolbox.http import BrokenError, GoneError, StartError
from tests.unit.fakes import FakeProgress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "https://mirror.example.com/mini.iso"
CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Source:
    """Has a file, and breaks off after so many bytes of each answer."""

    content: bytes = CONTENT
    breaks: list[int] = field(default_factory=list)
    resumes: bool = True
    gone: bool = False
    asked: list[int] = field(default_factory=list)

    def read(self, url: str, *, start: int = 0) -> Iterator[bytes]:
        """Yield the file from *start* on; see :class:`goldsmith.media.vendor.Resumable`."""
        assert url == URL
        self.asked.append(start)
        if self.gone:
            raise GoneError("HTTP 404")
        if start and not self.resumes:
            raise StartError("HTTP 200")
        end = start + self.breaks.pop(0) if self.breaks else len(self.content)
        for at in range(start, min(end, len(self.content)), 1000):
            yield self.content[at : min(at + 1000, end)]
        if end < len(self.content):
            raise BrokenError("the connection broke")


def fetched(tmp_path: Path, source: Source, sha256: str = SHA256) -> Path:
    workspace = Workspace(root=tmp_path, cache=tmp_path)
    return vendor.fetch(URL, sha256, workspace=workspace, progress=FakeProgress(), source=source)


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "sha256").iterdir())


def test_it_is_fetched_once(tmp_path: Path) -> None:
    """The second time it is there, under its hash, and nobody is asked."""
    assert fetched(tmp_path, Source()).read_bytes() == CONTENT
    source = Source(gone=True)
    assert fetched(tmp_path, source).name == SHA256
    assert source.asked == []


@given(breaks=st.lists(st.integers(1, 4000), max_size=20), resumes=st.booleans())
def test_a_connection_that_breaks(
    tmp_path_factory: pytest.TempPathFactory, breaks: list[int], *, resumes: bool
) -> None:
    """Wherever and however often: the file is whole in the end, or the error says that it is not."""
    folder = tmp_path_factory.mktemp("cache")
    try:
        assert fetched(folder, Source(breaks=list(breaks), resumes=resumes)).read_bytes() == CONTENT
    except UnreachableError:
        assert not resumes
    if resumes:
        assert left(folder) == [SHA256]


def test_the_next_run_goes_on(tmp_path: Path) -> None:
    """What came before the source went away for good is kept, told, and not asked for again."""
    with pytest.raises(UnreachableError, match="what came is kept"):
        fetched(tmp_path, Source(breaks=[3000, 0, 0, 0, 0], resumes=True))
    source = Source()
    assert fetched(tmp_path, source).read_bytes() == CONTENT
    assert source.asked[0] > 0
    assert left(tmp_path) == [SHA256]


def test_what_an_earlier_run_left_may_be_another_file(tmp_path: Path) -> None:
    """Its beginning does not fit: the whole is fetched anew."""
    with pytest.raises(UnreachableError):
        fetched(tmp_path, Source(content=b"x" * 9000, breaks=[3000, 0, 0, 0, 0]))
    assert fetched(tmp_path, Source()).read_bytes() == CONTENT


def test_another_file(tmp_path: Path) -> None:
    """Both hashes are told, and nothing is kept of it."""
    with pytest.raises(CheckError, match="does not match its pinned sha256") as caught:
        fetched(tmp_path, Source(content=b"other"))
    assert SHA256 in caught.value.why
    assert left(tmp_path) == []


def test_an_answer_that_does_not_end(tmp_path: Path) -> None:
    """It is given up when no ISO could be so long, and nothing is kept of it."""

    class Piece(bytes):
        def __len__(self) -> int:
            return 1 << 34

    class Endless:
        def read(self, url: str, *, start: int = 0) -> Iterator[bytes]:
            assert (url, start) == (URL, 0)
            while True:
                yield Piece(b"x")

    with pytest.raises(CheckError, match="goes on"):
        vendor.fetch(
            URL, SHA256, workspace=Workspace(root=tmp_path, cache=tmp_path), progress=FakeProgress(), source=Endless()
        )
    assert left(tmp_path) == []


def test_no_file(tmp_path: Path) -> None:
    """The error says so, and how to do without."""
    with pytest.raises(UnreachableError, match="HTTP 404") as caught:
        fetched(tmp_path, Source(gone=True))
    assert "iso.path" in caught.value.next
    assert left(tmp_path) == []
