"""Resolves Debian packages with apt itself, in a state of its own: nothing of this machine's packages plays a part."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from goldsmith.errors import CheckError, ConfigurationError
from goldsmith.host.runner import Command
from goldsmith.toolbox.deb import paragraphs
from goldsmith.toolbox.lock import DebRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from goldsmith.host.runner import Runner
    from goldsmith.toolbox.mirrors import Mirrors

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_URI = re.compile(r"^'(?P<url>\S+)' (?P<file>\S+) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})$", re.MULTILINE)
_CONFIGURATION = "apt.conf"
_WAY = re.compile(
    r'^(?P<name>Acquire::(?:https?::(?:[^:"]+::)?(?:Proxy(?:::[^:"]+)?|CaInfo|CaPath)|Check-Valid-Until|Check-Date))'
    r' "(?P<value>[^"]+)";$',
    re.MULTILINE,
)
_PACKAGE_FILE = re.compile(r"^(?P<name>[^_]+)_(?P<version>[^_]+)_(?P<arch>[^_]+)\.u?deb$")


@dataclass(frozen=True, kw_only=True)
class Apt:
    """An apt with its own folders, one Debian suite, and an empty list of installed packages."""

    folder: Path
    mirrors: Mirrors
    suite: str
    codename: str
    """What the signed index must call the suite; an alias such as ``stable`` moves on one day."""
    arch: str
    runner: Runner
    component: str = "main"
    way: Mapping[str, str] = field(default_factory=dict)
    """Of :func:`network`."""

    def prepare(self) -> None:
        """Write the folders and read the signed indexes."""
        for name in ("lists/partial", "cache/archives/partial", "parts", "preferences"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "sources.list").write_text(self.sources())
        (self.folder / _CONFIGURATION).write_text(self.configuration())
        self.runner.run(self.command("update"))
        self._check_signed()
        self._check_codename()

    def _check_signed(self) -> None:
        """Demand one InRelease a source: apt keeps those alone whose signature it has verified."""
        kept = [file.name for file in (self.folder / "lists").glob("*_InRelease")]
        lacking = [suite for _, suite in self._suites() if not any(f"_dists_{suite}_" in name for name in kept)]
        if lacking or len(kept) != len(self._suites()):
            raise CheckError(
                "a mirror's index is not signed as Debian signs",
                where=", ".join(sorted({root for root, _ in self._suites()})),
                why=f"no signed index (InRelease) of {', '.join(lacking) or 'one of the suites'}",
                next="name another mirror: GOLDSMITH_DEBIAN_MIRROR, GOLDSMITH_DEBIAN_SECURITY_MIRROR",
            )

    def _check_codename(self) -> None:
        for file in sorted((self.folder / "lists").glob("*_InRelease")):
            found = re.search(r"^Codename: (\S+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            if not found or not re.fullmatch(rf"{re.escape(self.codename)}(-updates|-security)?", found.group(1)):
                raise CheckError(
                    f"the mirror's suite {self.suite} is not {self.codename}",
                    where=file.name,
                    why=f"its signed index says {found.group(1) if found else 'no codename'}",
                    next="correct [debian] in docker/wanted.toml",
                )

    def _suites(self) -> list[tuple[str, str]]:
        """Return root and suite of each source: the suite and, for ordinary packages, its two kinds of updates."""
        debian, security = self.mirrors.debian, self.mirrors.security
        suites = [(debian, self.suite)]
        if self.component == "main":
            suites += [(debian, f"{self.suite}-updates"), (security, f"{self.suite}-security")]
        return suites

    def sources(self) -> str:
        """Return the sources.list."""
        return "".join(f"deb [signed-by={KEYRING}] {root} {suite} {self.component}\n" for root, suite in self._suites())

    def configuration(self) -> str:
        """Return apt's whole configuration: nothing of the machine's but the way to mirrors is in it."""
        nothing = self.folder / "none"
        options = {
            "Dir::State": self.folder,
            "Dir::State::status": self.folder / "status",
            "Dir::State::lists": self.folder / "lists",
            "Dir::Cache": self.folder / "cache",
            # apt reads this file first, and then what it says here: not /etc/apt/apt.conf, nor apt.conf.d.
            "Dir::Etc::main": nothing,
            "Dir::Etc::parts": self.folder / "parts",
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": self.folder / "parts",
            "Dir::Etc::trusted": nothing,
            "Dir::Etc::trustedparts": nothing,
            "Dir::Etc::preferences": nothing,
            "Dir::Etc::preferencesparts": self.folder / "preferences",
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::AllowWeakRepositories": "false",
            "Acquire::AllowDowngradeToInsecureRepositories": "false",
            "APT::Get::AllowUnauthenticated": "false",
            "Acquire::ForceHash": "SHA256",
            "Acquire::GzipIndexes": "false",
            "Acquire::Languages": "none",
            "APT::Architecture": self.arch,
            "APT::Architectures": self.arch,
            "APT::Default-Release": "",
            "APT::Install-Recommends": "false",
            "APT::Install-Suggests": "false",
            "APT::Sandbox::User": "root",
            "APT::Update::Error-Mode": "any",
            **self.way,
        }
        return "".join(f'{name} "{value}";\n' for name, value in options.items())

    def command(self, *arguments: str) -> Command:
        """Return an apt-get that touches, and believes, only what is in *folder*."""
        return Command(
            argv=("apt-get", "--quiet", "--yes", *arguments),
            env={"LC_ALL": "C.UTF-8", "APT_CONFIG": str(self.folder / _CONFIGURATION)},
            fetches=True,
        )

    def closure(self, packages: Iterable[str], *, group: str) -> Iterator[DebRow]:
        """Yield what installing *packages* on nothing at all would fetch."""
        done = self.runner.run(self.command("install", "--print-uris", *packages))
        return self.rows(done.stdout, group=group)

    def only(self, packages: Iterable[str], *, group: str) -> Iterator[DebRow]:
        """Yield *packages* themselves, without what they depend on."""
        done = self.runner.run(self.command("download", "--print-uris", *packages))
        return self.rows(done.stdout, group=group)

    def rows(self, output: str, *, group: str) -> Iterator[DebRow]:
        """Parse ``--print-uris``."""
        for match in _URI.finditer(output):
            yield self._row(match, group)

    def _row(self, match: re.Match[str], group: str) -> DebRow:
        url = unquote(match["url"])
        for repo in ("debian-security", "debian"):
            root = self.mirrors.root(repo) + "/"
            if url.startswith(root) and (named := _PACKAGE_FILE.match(unquote(match["file"]))):
                return DebRow(
                    **named.groupdict(),
                    group=group,
                    repo=repo,
                    path=url.removeprefix(root),
                    size=int(match["size"]),
                    sha256=match["sha256"],
                )
        raise ConfigurationError(
            "apt names a package outside of the mirrors",
            where=url,
            why=f"expected it below {self.mirrors.debian} or {self.mirrors.security}",
            next="set GOLDSMITH_DEBIAN_MIRROR and GOLDSMITH_DEBIAN_SECURITY_MIRROR to mirrors without redirections",
        )

    def index(self) -> Iterator[Mapping[str, str]]:
        """Yield the stanzas of the package indexes that apt has verified."""
        for file in sorted((self.folder / "lists").glob("*_Packages")):
            yield from paragraphs(file.read_text(encoding="utf-8"))


def settings() -> Command:
    """Return the command that prints this machine's apt configuration, for :func:`network`."""
    return Command(argv=("apt-config", "dump"))


def network(dump: str) -> dict[str, str]:
    """Return what of this machine's apt configuration is about the way to mirrors.

    Besides proxies and authorities, whether an index may be out of date: that of a mirror that keeps an old state is.
    """
    return {match["name"]: match["value"] for match in _WAY.finditer(dump)}


def udeb_row(stanza: Mapping[str, str], *, group: str) -> DebRow:
    """Return the row of one stanza of the installer modules' index."""
    return DebRow(
        name=stanza["Package"],
        version=stanza["Version"],
        arch=stanza["Architecture"],
        group=group,
        repo="debian",
        path=stanza["Filename"],
        size=int(stanza["Size"]),
        sha256=stanza["SHA256"],
    )


def udeb_closure(wanted: Iterable[str], index: Mapping[str, Mapping[str, str]], present: frozenset[str]) -> list[str]:
    """Return *wanted* and what they need in turn, except for modules that are *present* in the installer.

    Virtual modules are left out: each has several providers, all of them about disks, which the lab has not.
    """
    result: dict[str, None] = {}
    queue = list(wanted)
    while queue:
        name = queue.pop(0)
        if name in result or (name in present and name not in wanted) or name not in index:
            continue
        result[name] = None
        alternatives = index[name].get("Depends", "").split(",")
        queue += [re.split(r"[ (|]", word.strip())[0] for word in alternatives if word.strip()]
    return sorted(result)
