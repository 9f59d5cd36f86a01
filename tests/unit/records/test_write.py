"""What a build leaves is written whole, hashes as it says, and leads only where something is."""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

from goldsmith.records import write
from tests import samples

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path) -> write.Written:
    """Write the record of a Docker template below *folder*, with a template before it."""
    before = samples.record(build=samples.BEFORE, built="2026-11-16T15:00:00Z")
    previous = samples.previous(before, samples.OLD)
    (folder / samples.BUILD).mkdir(exist_ok=True)
    return write.write(folder / samples.BUILD, samples.record(), samples.OLD, previous)


def report_of(folder: Path, build: str) -> Path:
    """Make the page of another build, and return where."""
    page = folder / build / write.REPORT
    page.parent.mkdir()
    page.write_text("a page")
    return page


def packed(archive: Path) -> dict[str, str]:
    """Return the files of an archive."""
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as tar:
        return {name: file.read().decode() for name in tar.getnames() if (file := tar.extractfile(name))}


def test_the_digest_is_that_of_the_record(tmp_path: Path) -> None:
    """What the template's attributes carry can be computed from the file; the record's hashes from the others."""
    found = written(tmp_path)
    folder = tmp_path / samples.BUILD
    assert found.digest == hashlib.sha256((folder / write.RECORD).read_bytes()).hexdigest()
    for name, digest in found.record.artefacts.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_pages_are_linked_where_they_are(tmp_path: Path) -> None:
    """The page leads to that of the base and of the template before, as far as this machine has them."""
    base = report_of(tmp_path, samples.BASE)
    written(tmp_path)
    page = tmp_path / samples.BUILD / write.REPORT
    link = f"../{samples.BASE}/{write.REPORT}"
    assert f'href="{link}"' in page.read_text()
    assert (page.parent / link).resolve() == base.resolve()
    assert samples.BEFORE + "/" not in page.read_text()


def test_what_is_packed_does_not_depend_on_what_lies_beside_it(tmp_path: Path) -> None:
    """The page in the archive has no link to another, so the archive's bytes are those of any machine."""
    alone = written(tmp_path).archive.read_bytes()
    report_of(tmp_path, samples.BASE)
    report_of(tmp_path, samples.BEFORE)
    archive = written(tmp_path).archive
    assert archive.read_bytes() == alone
    found = packed(archive)
    assert found.keys() == {write.RECORD, write.SBOM, write.INVENTORY, write.REPORT}
    assert "../" not in found.pop(write.REPORT)
    folder = tmp_path / samples.BUILD
    assert found == {name: (folder / name).read_text() for name in found}
