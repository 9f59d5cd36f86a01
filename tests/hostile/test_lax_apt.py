"""The lock takes packages from repositories that Debian signed, whatever this machine's apt would believe."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import GoldsmithError
from goldsmith.host.runner import ProcessRunner
from goldsmith.toolbox.mirrors import Mirrors
from goldsmith.toolbox.relock.apt import Apt, network, settings

if TYPE_CHECKING:
    from pathlib import Path

LAX = """\
Acquire::AllowInsecureRepositories "true";
Acquire::AllowWeakRepositories "true";
APT::Get::AllowUnauthenticated "true";
Acquire::Check-Valid-Until "false";
Apt::Key::gpgvcommand "/bin/true";
Dir::Bin::gpg "/bin/true";
"""
STANZA = """\
Package: evil
Version: 1
Architecture: amd64
Filename: pool/evil_1_amd64.deb
Size: 1
SHA256: {}
""".format("0" * 64)


def repository(folder: Path) -> str:
    """Make a repository with a package of its own, and no signature."""
    for suite in ("trixie", "trixie-updates", "trixie-security"):
        dist = folder / "dists" / suite
        packages = dist / "main/binary-amd64/Packages"
        packages.parent.mkdir(parents=True)
        data = STANZA.encode()
        packages.write_bytes(data)
        packages.with_suffix(".gz").write_bytes(gzip.compress(data))
        listed = "".join(
            f" {hashlib.sha256(file.read_bytes()).hexdigest()} {file.stat().st_size} {file.relative_to(dist)}\n"
            for file in sorted(packages.parent.iterdir())
        )
        (dist / "Release").write_text(
            f"Suite: {suite}\nCodename: {suite}\nArchitectures: amd64\nComponents: main\n"
            f"Date: Mon, 23 Nov 2026 00:00:00 UTC\nSHA256:\n{listed}"
        )
    return f"file:{folder}"


def apt(tmp_path: Path) -> Apt:
    """Return the apt that the lock is resolved with, for the repository."""
    root = repository(tmp_path / "repository")
    runner = ProcessRunner()
    return Apt(
        folder=tmp_path / "apt",
        mirrors=Mirrors(debian=root, security=root),
        suite="trixie",
        codename="trixie",
        arch="amd64",
        runner=runner,
        way=network(runner.run(settings()).stdout),
    )


@pytest.fixture(autouse=True)
def lax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine's apt believe anything, as a line in /etc/apt or APT_CONFIG does."""
    if not shutil.which("apt-get"):
        pytest.skip("apt is not installed on this machine")
    (tmp_path / "lax.conf").write_text(LAX)
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "lax.conf"))


def test_an_unsigned_repository_is_refused(tmp_path: Path) -> None:
    """Its package never reaches the lock: apt itself ends with an error, for its configuration is our own."""
    ours = apt(tmp_path)
    with pytest.raises(GoldsmithError, match="is not signed"):
        ours.prepare()
    assert not list((ours.folder / "lists").glob("*_Packages"))
    # As this machine's own would: the same apt, told what lies in APT_CONFIG.
    with (ours.folder / "apt.conf").open("a") as file:
        file.write(LAX)
    ours.runner.run(ours.command("update"))
    assert list((ours.folder / "lists").glob("*_Packages"))


def test_a_forged_signature_is_refused(tmp_path: Path) -> None:
    """An InRelease that anybody wrote, which is believed where a machine's gpgv is /bin/true."""
    ours = apt(tmp_path)
    for release in (tmp_path / "repository/dists").glob("*/Release"):
        text = release.read_text()
        release.with_name("InRelease").write_text(
            f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{text}\n"
            "-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"
        )
    with pytest.raises(GoldsmithError):
        ours.prepare()
    assert not list((ours.folder / "lists").glob("*_Packages"))
