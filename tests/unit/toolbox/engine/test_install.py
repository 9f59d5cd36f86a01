"""How a machine's own apt is led to an engine, and left as it was when that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.errors import UnreachableError
from goldsmith.host.runner import Completed
from goldsmith.toolbox.engine import install
from goldsmith.toolbox.engine.install import PIN, SOURCE, Target, archive, parse_targets, source, trust
from goldsmith.toolbox.engine.system import Host
from tests.unit.fakes import FakeProgress, FakeRunner

RECORDED = (Path(__file__).parents[3] / "recorded/docker/indextargets.txt").read_text()
BOOKWORM = RECORDED[: RECORDED.index("Codename: trixie")].rpartition("\n\n")[0]
DEBIAN_12 = Host(distribution="debian", release="12", is_root=True)
ROOT = "http://mirror.example.com/debian"


def target(file: str, root: str = ROOT) -> Target:
    return Target(origin="Debian", codename="bookworm", component="main", root=root, file=Path(file))


def test_the_recorded_answer_of_apt_is_read() -> None:
    """Archive, release and the file that names it come from apt itself."""
    assert parse_targets(BOOKWORM) == [target("/etc/apt/sources.list", "http://ftp.debian.org/debian")]


def test_the_archive_is_told_from_updates_security_and_strangers() -> None:
    """Other sources carry the same component, or claim the same release."""
    stanza = "Origin: {}\nCodename: {}\nComponent: main\nRepo-URI: {}\nSourcesentry: /etc/apt/sources.list:1\n"
    known = parse_targets(
        "\n".join(
            stanza.format(*row)
            for row in [
                ("Vendor", "bookworm", "http://vendor.example.com"),
                ("Debian", "bookworm-updates", "http://u.example.com"),
                ("Debian", "bookworm", f"{ROOT}/"),
            ]
        )
    )
    found = archive(known, "bookworm")
    assert found is not None
    assert found.root == ROOT
    assert archive(known, "trixie") is None


ONE_LINE = """\
# deb [signed-by=/wrong] http://mirror.example.com/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/corp.gpg trusted=yes] http://mirror.example.com/debian/ stable main
deb http://other.example.com/debian stable main
"""
DEB822 = """\
# A comment
Types: deb
URIs: http://other.example.com/debian
Suites: bookworm
Signed-By: /wrong

Types: deb deb-src
URIs: http://first.example.com/debian http://mirror.example.com/debian/
Suites: oldstable oldstable-updates
Components: main contrib
Signed-By: /usr/share/keyrings/corp.gpg
"""


@pytest.mark.parametrize(
    ("text", "deb822", "expected"),
    [
        (ONE_LINE, False, {"Signed-By": "/usr/share/keyrings/corp.gpg", "Trusted": "yes"}),
        (DEB822, True, {"Signed-By": "/usr/share/keyrings/corp.gpg"}),
        ("deb http://mirror.example.com/debian bookworm main\n", False, {}),
        ("", True, {}),
    ],
    ids=["one-line", "deb822", "no options", "unreadable"],
)
def test_the_next_release_is_trusted_as_the_present_one(text: str, deb822: bool, expected: dict[str, str]) -> None:  # noqa: FBT001 - a table
    """Keyring and trust are those of the very source that names the archive, in both formats."""
    assert trust(ROOT, text, deb822=deb822) == expected


def test_the_source_reads_as_apt_wants_it() -> None:
    """One stanza, with the mirror and the keyring in use."""
    text = source(target("/etc/apt/sources.list.d/debian.sources"), DEB822)
    assert text.splitlines()[1:] == [
        "Types: deb",
        f"URIs: {ROOT}",
        "Suites: trixie",
        "Components: main",
        "Signed-By: /usr/share/keyrings/corp.gpg",
    ]


def test_a_key_within_the_source_is_carried_over() -> None:
    """Signed-By may hold the key itself, over many lines."""
    key = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----\n"
    text = source(target("x.sources"), f"Types: deb\nURIs: {ROOT}\nSuites: bookworm\nComponents: main\n{key}")
    assert parse_targets(text)  # still one stanza
    assert " .\n mQINBF\n" in text


def test_debian_12_is_given_the_next_release_for_these_packages_only(tmp_path: Path) -> None:
    """The pin is there with the source, and apt is asked for named packages of the next release."""
    runner = FakeRunner(
        {
            "apt-get -q -o DPkg::Lock::Timeout=300 update": "",
            "apt-get indextargets": [BOOKWORM, RECORDED],
            "apt-get -q -y": "",
        }
    )
    install.install(runner, DEBIAN_12, FakeProgress(), root=tmp_path)
    assert "Pin-Priority: 100" in (tmp_path / PIN).read_text()
    assert "http://ftp.debian.org/debian" in (tmp_path / SOURCE).read_text()
    assert "docker.io/trixie" in runner.lines[-1]
    assert runner.unused == []


def test_a_machine_that_knows_the_next_release_keeps_its_sources(tmp_path: Path) -> None:
    """The operator's own entry and priority stay alone."""
    runner = FakeRunner({"apt-get": "", "apt-get indextargets": RECORDED})
    install.install(runner, DEBIAN_12, FakeProgress(), root=tmp_path)
    assert list(tmp_path.rglob("*")) == []


def test_a_mirror_without_the_next_release_leaves_nothing(tmp_path: Path) -> None:
    """Source and pin are taken away again, and the mirror is named."""
    runner = FakeRunner({"apt-get": "", "apt-get indextargets": BOOKWORM})
    with pytest.raises(UnreachableError, match=r"ftp\.debian\.org"):
        install.install(runner, DEBIAN_12, FakeProgress(), root=tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_apt_without_indexes_is_reported(tmp_path: Path) -> None:
    """An apt that reaches no archive is an unreachable mirror."""
    runner = FakeRunner({"apt-get": 100, "apt-get indextargets": ""})
    with pytest.raises(UnreachableError, match="bookworm"):
        install.install(runner, DEBIAN_12, FakeProgress(), root=tmp_path)


def test_other_releases_use_their_own_archive(tmp_path: Path) -> None:
    """Nothing is added to apt's sources where the release's own packages do; a failure shows apt's last words."""
    ubuntu = Host(distribution="ubuntu", release="24.04", is_root=True)
    failing = Completed(returncode=100, stdout="", stderr="E: Unable to fetch some archives")
    runner = FakeRunner({"apt-get -q -y": failing, "apt-get -q -o": ""})
    with pytest.raises(UnreachableError, match="Unable to fetch"):
        install.install(runner, ubuntu, FakeProgress(), root=tmp_path)
    assert "docker-compose-v2" in runner.lines[-1]
    assert list(tmp_path.rglob("*")) == []
