from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import pytest

from goldsmith.errors import ConfigurationError
from goldsmith.toolbox import certificates
from tests.unit.toolbox import packages

if TYPE_CHECKING:
    from goldsmith.host.workspace import Workspace

END = "-----END CERTIFICATE-----\n"
FIRST = Path(certifi.where()).read_text().split(END)[0].partition("-----BEGIN")
PEM = f"-----BEGIN{FIRST[2]}{END}"


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return packages.workspace(tmp_path)


def test_files_come_from_three_places(space: Workspace, tmp_path: Path) -> None:
    """The folder, the variable and the site each add theirs; one named twice counts once."""
    folder = space.root / "docker" / "certs"
    folder.mkdir(parents=True)
    (folder / "b.crt").write_text(PEM)
    (folder / "README.md").write_text("")
    own = tmp_path / "own.pem"
    found = certificates.sources(space, {"GOLDSMITH_CA_FILE": str(own)}, [None, own, folder / "b.crt"])
    assert found == [folder / "b.crt", own]


def test_without_certificates_nothing_is_mounted(space: Workspace) -> None:
    """No files, no folder."""
    assert certificates.folder(space, []) is None


def test_the_same_certificates_have_the_same_folder(space: Workspace, tmp_path: Path) -> None:
    """The folder's name follows from its content alone, and every uid may read it."""
    for name in ("a.crt", "b.crt"):
        (tmp_path / name).write_text(PEM)
    one = certificates.folder(space, [tmp_path / "a.crt"])
    assert one == certificates.folder(space, [tmp_path / "b.crt"])
    assert one != certificates.folder(space, [tmp_path / "a.crt", tmp_path / "b.crt"])
    assert one is not None
    assert (one / "01.crt").read_text() == PEM
    assert (one / "01.crt").stat().st_mode & 0o444 == 0o444


def test_what_somebody_put_beside_them_is_not_trusted(space: Workspace, tmp_path: Path) -> None:
    """The folder is mounted whole: it holds what was named, and nothing else."""
    (tmp_path / "a.crt").write_text(PEM)
    folder = certificates.folder(space, [tmp_path / "a.crt"])
    assert folder is not None
    (folder / "02.crt").write_text(PEM)
    (folder / "01.crt").write_text("changed")
    assert certificates.folder(space, [tmp_path / "a.crt"]) == folder
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"01.crt": PEM}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file"),
        ("hello", "no certificate in PEM form"),
        (PEM + "-----BEGIN RSA PRIVATE KEY-----\nx\n", "private key"),
        (PEM.replace("\nM", "\n!", 1), "do not belong there"),
    ],
    ids=["missing", "no certificate", "private key", "damaged"],
)
def test_other_files_are_refused(tmp_path: Path, content: str | None, why: str) -> None:
    """A file that would not be trusted, or must not be shared, is named with the reason."""
    path = tmp_path / "ca.crt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        certificates.read(path)
    assert why in caught.value.why
    assert str(path) in caught.value.where
