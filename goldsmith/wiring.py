"""The objects of one run, made once and handed down: nothing below looks at the process's environment by itself."""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from goldsmith import config
from goldsmith.builds import Builds
from goldsmith.errors import RefusedError
from goldsmith.host.progress import for_people
from goldsmith.host.redact import PROCESS, Redactor
from goldsmith.host.runner import ProcessRunner
from goldsmith.host.workspace import Workspace
from goldsmith.media.store import Store
from goldsmith.toolbox import lock as locks
from goldsmith.tools.govc import Access
from goldsmith.vcenter.belonging import Finder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path, PurePosixPath

    from goldsmith.config import Effective
    from goldsmith.host.progress import Progress
    from goldsmith.host.runner import Runner
    from goldsmith.model import Credentials, Image, Site
    from goldsmith.toolbox.build import Builder
    from goldsmith.toolbox.containers import SiteDoor
    from goldsmith.toolbox.engine import Engine
    from goldsmith.toolbox.lock import Row
    from goldsmith.toolbox.mirrors import Mirrors
    from goldsmith.tools.door import Door
    from goldsmith.vcenter.client import Client


@dataclass(frozen=True)
class Session:
    """One run of one verb."""

    workspace: Workspace
    environment: Mapping[str, str]
    redact: Redactor
    progress: Progress
    runner: Runner

    @classmethod
    def here(cls) -> Session:
        """Return the session of this process, whose filter knows the logins in its environment."""
        environment = dict(os.environ)
        PROCESS.add_logins(environment.values())
        progress = for_people(PROCESS)
        return cls(
            workspace=Workspace.here(environment),
            environment=environment,
            redact=PROCESS,
            progress=progress,
            runner=ProcessRunner(PROCESS, environment, progress.note),
        )

    @cached_property
    def builds(self) -> Builds:
        """The builds of this checkout."""
        return Builds(self.workspace)

    @cached_property
    def lock(self) -> locks.Lock:
        """The committed lock."""
        return locks.load(self.workspace.root / "docker" / "lock.json")

    @cached_property
    def engine(self) -> Engine:
        """The Docker engine; on a bare Debian machine it is installed at this moment."""
        from goldsmith.toolbox import engine

        return engine.ensure(self.runner, self.environment, self.progress)

    @cached_property
    def lab_engine(self) -> Engine:
        """The Docker engine, with what the lab needs besides."""
        from goldsmith.toolbox import engine

        return engine.ensure(self.runner, self.environment, self.progress, plugins=("buildx", "compose"))

    @cached_property
    def builder(self) -> Builder:
        """Builds the images."""
        return self._builder(self.engine)

    def _builder(self, engine: Engine) -> Builder:
        from goldsmith.toolbox.build import Builder

        return Builder(
            workspace=self.workspace,
            engine=engine,
            runner=self.runner,
            progress=self.progress,
            environment=self.environment,
            mirrors=lambda: self.mirrors,
        )

    @cached_property
    def mirrors(self) -> Mirrors:
        """Where packages come from; logins of this machine's apt are masked from now on."""
        from goldsmith.toolbox.mirrors import Mirrors

        found = Mirrors.here(self.environment)
        self.redact.add_logins((found.debian, found.security, found.snapshot))
        return replace(found, moment=self.lock.snapshot)

    def effective(self, *, site: str, image: str) -> Effective:
        """Return the effective configuration, whose secrets are masked from now on."""
        effective = config.load(site or None, image or None, workspace=self.workspace, environment=self.environment)
        for secret in effective.confidential():
            self.redact.add(secret)
        return effective

    def on(self, effective: Effective) -> OnSite:
        """Return this run on a site, with an image."""
        return OnSite(self, effective)

    def credentials(self, effective: Effective) -> Credentials:
        """Return what opens the site, masked from now on."""
        credentials = effective.credentials()
        for secret in (credentials.password, credentials.password_hash):
            self.redact.add(secret.get_secret_value())
        return credentials

    def connect(self, site: Site, credentials: Credentials) -> AbstractContextManager[Client]:
        """Log in to a site's vCenter."""
        from goldsmith.vcenter import session

        return session.connect(
            site.server,
            user=credentials.user,
            password=credentials.password.get_secret_value(),
            ca_file=site.ca_file,
        )

    def toolbox_built(self) -> str | None:
        """Return the reference of the toolbox image if it is there; installs and builds nothing."""
        from goldsmith.toolbox import containers, engine

        if containers.is_inside(self.environment):
            return "the suite runs inside it"
        found = engine.find(self.runner, self.environment)
        return self._builder(found).built("toolbox") if found else None

    def toolbox(self, site: Site | None = None, *, build: str = "") -> SiteDoor:
        """Return the toolbox as a build on *site* uses it, its image built if it was not."""
        from goldsmith.toolbox import containers, engine

        inside = containers.is_inside(self.environment)
        toolbox = containers.Toolbox(
            workspace=self.workspace,
            image="" if inside else self.builder.identified("toolbox"),
            engine=None if inside else engine.local(self.engine),
            ca_files=(site.ca_file,) if site and site.ca_file else (),
            environment=self.environment,
        )
        labels = containers.labels(self.workspace.root, build) if build else {}
        return containers.SiteDoor(toolbox, network=self.network(site) if site else None, labels=labels)

    def lab_of(self, site: Site) -> str | None:
        """Return the name of the lab that *site* is, or that listens where it says, as long as that is up."""
        return self.lab_name if site.is_lab else config.lab_at(site.server, cache=self.workspace.cache)

    def network(self, site: Site) -> str | None:
        """Return the Docker network in which the toolbox reaches *site*; nothing means the engine's own.

        A lab's vCenter listens on 127.0.0.1, which is another place in a container: there the toolbox joins the lab.
        Raises ``RefusedError`` for a server on this machine's loopback that is no lab.
        """
        from goldsmith.toolbox import containers

        if lab := self.lab_of(site):
            return f"container:{lab}-pause"
        if config.is_loopback(site.server) and not containers.is_inside(self.environment):
            raise RefusedError(
                f"the toolbox cannot reach {site.server}",
                where=f"server of the site {site.name}",
                why="it is a loopback address, and no lab that is up listens there: in a container it means the\n"
                "container itself, and a vCenter's certificate is not valid for it either",
                next="start the lab again, or give the vCenter's own name",
            )
        return None

    def fetch(self, rows: Sequence[Row]) -> None:
        """Make sure the cache holds the locked files of *rows*."""
        from goldsmith.toolbox import fetch

        fetch.fetch(rows, workspace=self.workspace, mirrors=self.mirrors, progress=self.progress, runner=self.runner)

    def runs(self, build: str = "") -> tuple[tuple[str, str], ...]:
        """Return the toolbox containers of this checkout's builds, or of one: the container's id, and the build's."""
        from goldsmith.toolbox import containers, engine

        found = engine.find(self.runner, self.environment)
        return containers.runs(self.workspace.root, build, runner=self.runner, engine=found) if found else ()

    def end_run(self, container: str) -> None:
        """Remove a toolbox container and see it gone; it may be ending, or be gone, by itself."""
        from goldsmith.toolbox import containers

        containers.remove(container, runner=self.runner, engine=self.engine)

    @property
    def lab_name(self) -> str:
        """The name of the lab, which its containers, volumes and state bear."""
        return self.environment.get("GOLDSMITH_LAB") or "goldsmith-lab"

    @cached_property
    def commit(self) -> str:
        """The repository's git commit; see :func:`goldsmith.host.git.commit`."""
        from goldsmith.host import git

        return git.commit(self.workspace.root, runner=self.runner, tell=self.progress.note)

    @property
    def host(self) -> str:
        """This machine's name."""
        return socket.gethostname()

    @staticmethod
    def now() -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class OnSite:
    """A run on one site, with one image: the place that logs in, and what is reached there."""

    session: Session
    effective: Effective

    @property
    def site(self) -> Site:
        """The site."""
        return self.effective.site

    @property
    def image(self) -> Image:
        """The image."""
        return self.effective.image

    @cached_property
    def credentials(self) -> Credentials:
        """What opens the site. Raises what :meth:`goldsmith.config.Effective.credentials` does."""
        return self.session.credentials(self.effective)

    @cached_property
    def lab(self) -> str | None:
        """The name of the lab that the site is, if it is one."""
        return self.session.lab_of(self.site)

    def connect(self) -> AbstractContextManager[Client]:
        """Log in to the site's vCenter."""
        return self.session.connect(self.site, self.credentials)

    def toolbox(self, build: str) -> SiteDoor:
        """Return the toolbox as a build on the site uses it, its image built if it was not."""
        return self.session.toolbox(self.site, build=build)

    @cached_property
    def finder(self) -> Finder:
        """What is found on the site in this run: its places, and the templates that are its own."""
        return Finder(self.connect, self.site.placement, self.site.keys)

    def store(self, folder: PurePosixPath, datastore: str, *, door: Door, log: Path | None = None) -> Store:
        """Return a folder on one of the site's datastores, named by its inventory path, as the toolbox reaches it."""
        server, user = self.site.server, self.credentials.user
        password, datacenter = self.credentials.password.get_secret_value(), self.finder.places().paths.datacenter
        access = Access(server=server, user=user, password=password, datacenter=datacenter, datastore=datastore)
        return Store(
            access=access,
            folder=folder,
            root=self.session.workspace.root,
            runner=self.session.runner,
            door=door,
            progress=self.session.progress,
            log=log,
        )

    def installing(self, name: str, gave_up: Callable[[], object]) -> AbstractContextManager[Callable[[], str]]:
        """Follow an installation where that can be done: in the lab. See ``lab.installation.followed``."""
        from goldsmith.lab import admin, installation, state

        known = state.read(self.session.workspace.cache / "lab" / self.lab) if self.lab else None
        if known and (vcenter := known.at(self.site.server)):
            return installation.followed(admin.Admin.of(known, vcenter), name, gave_up)
        return contextlib.nullcontext(str)
