from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING

from goldsmith.toolbox import deb, repository
from tests.unit.toolbox import packages

if TYPE_CHECKING:
    from pathlib import Path


def test_an_index_says_where_and_what_a_package_is(tmp_path: Path) -> None:
    """A stanza is the package's own control file and its place, size and hash."""
    data = packages.package({}, control="Package: hello\nVersion: 1.0\nDescription: a\n b\n")
    row = packages.deb_row(data)
    (tmp_path / "x").write_bytes(data)
    [stanza] = deb.paragraphs(repository.packages([(row, tmp_path / "x")]))
    assert stanza == {
        "Package": "hello",
        "Version": "1.0",
        "Description": "a\n b",
        "Filename": row.path,
        "Size": str(len(data)),
        "SHA256": row.sha256,
    }


def test_the_index_does_not_depend_on_the_order_given(tmp_path: Path) -> None:
    """Packages are listed by name."""
    rows = []
    for name in ("b", "a"):
        data = packages.package({}, control=f"Package: {name}\n")
        (tmp_path / name).write_bytes(data)
        rows.append((packages.deb_row(data, name=name), tmp_path / name))
    text = repository.packages(rows)
    assert text == repository.packages(rows[::-1])
    assert text.index("Package: a") < text.index("Package: b")


def test_the_release_vouches_for_every_index() -> None:
    """Each file below the suite is listed with its size and hash, the compressed ones too."""
    files = repository.indexes("trixie", "amd64", {"main": "Package: x\n", "main/debian-installer": ""})
    release = files.pop("dists/trixie/Release").decode()
    assert len(files) >= 4
    for name, data in files.items():
        assert f" {hashlib.sha256(data).hexdigest()} {len(data):>9} {name.removeprefix('dists/trixie/')}\n" in release
    compressed = files["dists/trixie/main/binary-amd64/Packages.gz"]
    assert gzip.decompress(compressed) == b"Package: x\n"


def test_compressed_indexes_are_the_same_each_time() -> None:
    """No time of day gets into the image."""
    one, other = (repository.indexes("trixie", "amd64", {"main": "x"}) for _ in range(2))
    assert one == other
    assert one["dists/trixie/main/binary-amd64/Packages.gz"][4:8] == bytes(4)
