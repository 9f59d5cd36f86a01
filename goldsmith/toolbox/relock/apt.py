"""Resolves Debian packages with apt itself, in a state of its own: nothing of this machine's packages plays a part."""

from __future__ import annotations

import re
from dataclasses import dataclass
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

    def prepare(self) -> None:
        """Write the folders and read the signed indexes."""
        for name in ("lists/partial", "cache/archives/partial", "parts", "preferences"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "sources.list").write_text(self.sources())
        self.runner.run(self.command("update"))
        self._check_codename()

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

    def sources(self) -> str:
        """Return the sources.list: the suite and, for ordinary packages, its updates and security updates."""
        debian, security = self.mirrors.debian, self.mirrors.security
        lines = [(debian, self.suite)]
        if self.component == "main":
            lines += [(debian, f"{self.suite}-updates"), (security, f"{self.suite}-security")]
        return "".join(f"deb [signed-by={KEYRING}] {root} {suite} {self.component}\n" for root, suite in lines)

    def command(self, *arguments: str) -> Command:
        """Return an apt-get that touches only *folder*."""
        options = {
            "Dir::State": self.folder,
            "Dir::State::status": self.folder / "status",
            "Dir::State::lists": self.folder / "lists",
            "Dir::Cache": self.folder / "cache",
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": self.folder / "parts",
            "Dir::Etc::preferences": self.folder / "none",
            "Dir::Etc::preferencesparts": self.folder / "preferences",
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
        }
        settings = tuple(word for name, value in options.items() for word in ("-o", f"{name}={value}"))
        return Command(argv=("apt-get", *settings, "--quiet", "--yes", *arguments), env={"LC_ALL": "C.UTF-8"})

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
