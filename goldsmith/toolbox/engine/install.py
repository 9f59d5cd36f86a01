"""Gives a Debian or Ubuntu machine without Docker an engine, buildx and compose from its distribution's packages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.errors import ToolError, UnreachableError
from goldsmith.host.runner import Command
from goldsmith.host.workspace import write_if_changed
from goldsmith.toolbox import apt
from goldsmith.toolbox.deb import paragraphs
from goldsmith.toolbox.engine.system import NEXT_RELEASE, Method, method, packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from goldsmith.host.progress import Progress
    from goldsmith.host.runner import Runner
    from goldsmith.toolbox.engine.system import Host

SOURCE = f"etc/apt/sources.list.d/goldsmith-{NEXT_RELEASE}.sources"
PIN = f"etc/apt/preferences.d/goldsmith-{NEXT_RELEASE}"
PIN_TEXT = f"""\
# Written by goldsmith: {NEXT_RELEASE} is asked only for what is named with /{NEXT_RELEASE} (Docker's engine),
# and for what that needs; nothing else of this machine is upgraded to it.
Package: *
Pin: release o=Debian,n={NEXT_RELEASE}
Pin-Priority: 100
"""
_ONE_LINE = re.compile(r"^\s*deb\s+(?:\[(?P<options>[^\]]*)\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)")
_OPTION_NAMES = {"signed-by": "Signed-By", "trusted": "Trusted", "check-valid-until": "Check-Valid-Until"}
"""Those options of a source that decide whether apt believes it; the others are about other things."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """An index that apt uses, as it tells itself; so every format and option of its sources is understood."""

    origin: str
    codename: str
    component: str
    root: str
    """Address of the archive, without a slash at the end."""
    file: Path
    """The file below /etc/apt that names it."""


def targets() -> Command:
    """Return the command that lists the package indexes apt uses."""
    return Command(argv=("apt-get", "indextargets", "Created-By: Packages"))


def parse_targets(text: str) -> list[Target]:
    """Read the answer to :func:`targets`."""
    return [
        Target(
            origin=stanza.get("Origin", ""),
            codename=stanza.get("Codename", ""),
            component=stanza.get("Component", ""),
            root=stanza.get("Repo-URI", "").rstrip("/"),
            file=Path(stanza.get("Sourcesentry", "").rpartition(":")[0]),
        )
        for stanza in paragraphs(text)
    ]


def archive(known: Iterable[Target], codename: str) -> Target | None:
    """Return where apt takes the release *codename* itself from: Debian's archive, not its updates, not a third's."""
    return next(
        (
            target
            for target in known
            if (target.origin, target.codename, target.component) == ("Debian", codename, "main")
        ),
        None,
    )


def source(target: Target, text: str) -> str:
    """Return the source of the next release: the archive of *target*, trusted in the way its file *text* says."""
    fields = {
        "Types": "deb",
        "URIs": target.root,
        "Suites": NEXT_RELEASE,
        "Components": "main",
        **trust(target.root, text, deb822=target.file.suffix == ".sources"),
    }
    lines = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return f"# Written by goldsmith for Docker's engine; see also preferences.d/goldsmith-{NEXT_RELEASE}\n{lines}"


def trust(root: str, text: str, *, deb822: bool) -> Mapping[str, str]:
    """Return why apt believes the archive *root*: its keyring and the like; empty means apt's own keys."""
    for uris, options in _deb822(text) if deb822 else _one_line(text):
        if root in uris:
            return options
    return {}


def _one_line(text: str) -> Iterator[tuple[set[str], dict[str, str]]]:
    for line in text.splitlines():
        if match := _ONE_LINE.match(line):
            pairs = (option.partition("=") for option in (match["options"] or "").split())
            named = {_OPTION_NAMES.get(name.lower(), ""): value for name, _, value in pairs}
            named.pop("", None)
            yield {match["uri"].rstrip("/")}, named


def _deb822(text: str) -> Iterator[tuple[set[str], dict[str, str]]]:
    uncommented = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in paragraphs(uncommented):
        fields = {name.lower(): value for name, value in stanza.items()}
        uris = {uri.rstrip("/") for uri in fields.get("uris", "").split()}
        yield uris, {name: _continued(fields[key]) for key, name in _OPTION_NAMES.items() if key in fields}


def _continued(value: str) -> str:
    """Write a value of several lines, such as a key itself, so that it stays one field."""
    head, *rest = value.splitlines() or [""]
    return "\n".join([head, *(f" {line.strip() or '.'}" for line in rest)])


def install(
    runner: Runner, machine: Host, progress: Progress, *, root: Path = Path("/"), log: Path | None = None
) -> None:
    """Install the engine; raises ``UnreachableError`` when apt cannot, with apt's last words."""
    names = packages(machine)
    with progress.step("Docker engine", "none on this machine; GOLDSMITH_NO_INSTALL=1 forbids installing"):
        progress.note(f"apt-get install {' '.join(names)}")
        runner.run(apt.update(), check=False, log=log)  # one broken source of many need not matter
        if method(machine) is Method.NEXT_RELEASE:
            _add_next_release(runner, machine, root, log)
        try:
            runner.run(apt.install(*names), log=log)
        except ToolError as error:
            raise _failure("the Docker engine cannot be installed", error) from None


def _add_next_release(runner: Runner, machine: Host, root: Path, log: Path | None) -> None:
    known = parse_targets(runner.run(targets()).stdout)
    if archive(known, NEXT_RELEASE):
        return  # the operator's own entry is as good, and its priority is the operator's choice
    codename = _codename(machine)
    target = archive(known, codename)
    if target is None:
        raise UnreachableError(
            "the Docker engine cannot be installed",
            where=str(root / "etc/apt"),
            why=f"apt knows no archive of Debian {codename}, or cannot reach it",
            next="make 'apt-get update' work; or install Docker 23 or newer with buildx and compose yourself",
        )
    pin, entry = root / PIN, root / SOURCE
    try:
        write_if_changed(pin, PIN_TEXT)  # first, so that at no moment everything could be upgraded
        write_if_changed(entry, source(target, _read(target.file)))
        runner.run(apt.update(), check=False, log=log)
        _check_next_release(runner, target.root)
    except BaseException:
        entry.unlink(missing_ok=True)
        pin.unlink(missing_ok=True)
        raise


def _check_next_release(runner: Runner, mirror: str) -> None:
    if archive(parse_targets(runner.run(targets()).stdout), NEXT_RELEASE) is None:
        raise UnreachableError(
            "the Docker engine cannot be installed",
            where=mirror,
            why=f"this mirror has no release {NEXT_RELEASE}, and this release's own engine is too old",
            next="use a mirror that has it; or install Docker 23 or newer with buildx and compose yourself",
        )


def _codename(machine: Host) -> str:
    return {"12": "bookworm"}.get(machine.release.partition(".")[0], machine.release)


def _failure(what: str, error: ToolError) -> UnreachableError:
    return UnreachableError(
        what,
        where=error.where,
        why=error.why,
        next="check the network, the space on disk, and /etc/apt; then run the same command again",
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
