"""The stages of one build, each fed from the build's folder and leaving its result there."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, assert_never

from goldsmith import delivery, fixed_name, forging, inputs, legacy, times
from goldsmith.errors import CheckError, ConfigurationError
from goldsmith.plan import Stage
from goldsmith.spec import Delivery, Installer
from goldsmith.stages import answers, base, docker, floppy, given, media, upload
from goldsmith.tools import govc, netboot, packer, sshkey
from goldsmith.vcenter import preflight
from goldsmith.workspace import SECRET_MODE, write_if_changed

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.builds import Build
    from goldsmith.config import Effective
    from goldsmith.spec import Credentials
    from goldsmith.vcenter.templates import Template
    from goldsmith.wiring import Session, SiteDoor

ANSWERS = "answers"
KEY = "keys/id_ed25519"
OPERATORS_KEY = "keys/operator"
MEDIUM = "media/boot.iso"
FLOPPY = "media/answers.flp"


@dataclass
class Steps:
    """Carries out the stages of *build* one after the other; *build* always tells how far it came."""

    session: Session
    effective: Effective
    build: Build
    keep_failed: bool = False
    full: bool = False
    """Whether phase 2 makes a template that shares no disk with its base."""
    template: Template | None = field(default=None, init=False)

    @property
    def folder(self) -> Path:
        """The build's folder."""
        return self.session.builds.folder(self.build)

    @cached_property
    def toolbox(self) -> SiteDoor:
        """The toolbox as this site's builds use it."""
        return self.session.toolbox(self.effective.site, build=self.build.id)

    @cached_property
    def credentials(self) -> Credentials:
        """What opens the site."""
        return self.session.credentials(self.effective)

    def run(self, stage: Stage) -> None:
        """Run one stage, and note that it is done and how long it took."""
        began = time.monotonic()
        self._do(stage)
        times.note(self.folder, stage.value, time.monotonic() - began)
        self._save(self.build.with_stage(stage.value))

    def _do(self, stage: Stage) -> None:
        match stage:
            case Stage.TOOLBOX:
                _ = self.toolbox
            case Stage.ANSWERS:
                self._answers()
            case Stage.MEDIA:
                self._media()
            case Stage.UPLOAD:
                self._upload()
            case Stage.BASE:
                self._base()
            case Stage.DOCKER:
                self._docker()
            case never:
                assert_never(never)

    def remove_medium(self) -> None:
        """Remove the build's medium from the datastore, if it was ever put there."""
        if self.build.medium:
            upload.remove(self._store(), self.build.medium)
            self._save(replace(self.build, medium=""))

    def _answers(self) -> None:
        pair = self._key_pair()
        rendered = inputs.rendered(self.effective, build_key=answers.build_key(pair.public, self.build.id))
        rendered.write(self.folder / ANSWERS)
        if self.effective.image.os.installer is Installer.KICKSEED:
            legacy.read_by_kickseed(self.session, rendered, folder=self.folder / "answers/.kickseed", door=self.toolbox)

    def _key_pair(self) -> sshkey.KeyPair:
        pair = sshkey.generate(f"{answers.BUILD_KEY_COMMENT}{self.build.id}")
        self.session.redact.add(pair.private)
        (self.folder / KEY).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_if_changed(self.folder / KEY, pair.private, mode=SECRET_MODE)
        return pair

    def _media(self) -> None:
        placement = self.effective.site.placement
        match delivery.boot(self.effective.image, placement):
            case delivery.Composed():
                self._composed()
            case delivery.Given(path=path, sha256=sha256):
                # First of all: a path that is wrong is known before anything is made.
                found = given.examine(self._given(path, sha256))
                self.session.progress.note(f"{found.path} is the ISO {found.volume}: {found.size / 1e6:.0f} MB")
                self._save(replace(self.build, boot=found.path, boot_sha256=sha256))
                self._floppy()
            case delivery.Replayed(iso=iso):
                output = self.folder / MEDIUM
                sha256 = legacy.boot_medium(self.session, self.effective, iso, output=output, door=self.toolbox)
                self.session.progress.note(f"boot medium: sha256 {sha256[:16]}…")
                self._floppy()
            case never:
                assert_never(never)

    def _given(self, path: str, sha256: str) -> given.Place:
        store = self._store()
        return given.Place(access=store.access, path=path, runner=store.runner, door=store.door, sha256=sha256)

    def _floppy(self) -> None:
        session = self.session
        request = floppy.Request(
            answers=self.folder / ANSWERS,
            root=session.workspace.root,
            output=self.folder / FLOPPY,
            epoch=session.lock.source_date_epoch,
            log=self.folder / "logs/media.log",
        )
        used = floppy.compose(request, runner=session.runner, door=self.toolbox)
        session.progress.note(f"{FLOPPY.rpartition('/')[2]}: {used / 1024:.0f} of 1440 KB")

    def _composed(self) -> None:
        session, effective = self.session, self.effective
        vendor = media.vendor(
            session.lock, release=effective.image.os.release, workspace=session.workspace, fetch=session.fetch
        )
        guests, suite = effective.site.guests, effective.image.os.suite
        media.check_mirror(
            vendor, mirror=guests.mirror, suite=suite, proxy=guests.http_proxy, runner=session.runner, door=self.toolbox
        )
        request = media.Request(
            vendor=vendor,
            answers=media.answers(self.folder / ANSWERS),
            root=session.workspace.root,
            output=self.folder / MEDIUM,
            epoch=session.lock.source_date_epoch,
            log=self.folder / "logs/media.log",
        )
        medium = media.compose(request, runner=session.runner, door=self.toolbox)
        session.progress.note(f"{medium.path.name}: {medium.size / 1e6:.0f} MB, sha256 {medium.sha256[:16]}…")

    def _upload(self) -> None:
        medium = self._medium()
        store = self._store()
        # Noted before it begins: whatever happens from here on, the medium is looked for and removed.
        path = upload.build_path(store, build_id=self.build.id, suffix=medium.suffix)
        self._save(replace(self.build, medium=path))
        upload.build_medium(store, medium, build_id=self.build.id)
        if self._delivery is Delivery.FLOPPY and not self.build.boot:
            self._upload_boot(store)

    def _upload_boot(self, store: upload.Store) -> None:
        """Upload the boot medium that many builds use; its name is its content's."""
        file, image = self.folder / MEDIUM, self.effective.image
        sha256 = netboot.sha256(file)
        path = upload.reusable_medium(
            store, file, stem=f"goldsmith-{image.name}", sha256=sha256, build_id=self.build.id
        )
        self._save(replace(self.build, boot=path, boot_sha256=sha256))

    @property
    def _delivery(self) -> Delivery:
        return delivery.delivery(self.effective.image)

    def _medium(self) -> Path:
        medium = self.folder / (FLOPPY if self._delivery is Delivery.FLOPPY else MEDIUM)
        if not medium.is_file():
            raise CheckError(
                "the medium of this build is gone",
                where=str(medium),
                why="its stage was finished, but the file does not exist any more",
                next="leave --build out to start a new build",
            )
        return medium

    def _boot(self) -> preflight.Medium:
        """Return the medium that the machine starts from, as it must lie on the site."""
        if self._delivery is Delivery.FLOPPY:
            return preflight.Medium.stored(self.build.boot, floppy=self.build.medium)
        return preflight.Medium.stored(self.build.medium, size=self._medium().stat().st_size)

    def _store(self) -> upload.Store:
        session, site = self.session, self.effective.site
        access = govc.Access(
            server=site.server,
            user=self.credentials.user,
            password=self.credentials.password.get_secret_value(),
            datacenter=site.placement.datacenter,
            datastore=site.placement.media_datastore,
        )
        return upload.Store(
            access=access,
            folder=site.placement.iso_folder,
            root=session.workspace.root,
            runner=session.runner,
            door=self.toolbox,
            progress=session.progress,
            log=self.folder / "logs/upload.log",
        )

    def _base(self) -> None:
        request = base.Request(
            job=self._job(self._login_key()),
            medium=self._boot(),
            finish_script=answers.finish_script(self.effective.image),
        )
        self.template = base.forge(request, self._doors())
        # Complete from here on, whatever becomes of its name.
        self._save(replace(self.build, template=self.template.name))
        name = fixed_name.give(self.session, self.effective, self.build.key)
        self._save(replace(self.build, template=name or self.template.name))

    def _docker(self) -> None:
        pair, lock, root = self._key_pair(), self.session.lock, self.session.workspace.root
        request = docker.Request(
            job=self._job(self.folder / KEY),
            public_key=pair.public,
            base_key=inputs.base(self.effective, lock=lock, root=root).key,
            full=self.full,
        )
        self.template = docker.forge(request, self._doors())
        self._save(replace(self.build, template=self.template.name))

    def _job(self, private_key: Path) -> forging.Job:
        session, effective = self.session, self.effective
        return forging.Job(
            build=self.build,
            image=effective.image,
            site=effective.site,
            user=self.credentials.user,
            password=self.credentials.password.get_secret_value(),
            root=session.workspace.root,
            folder=self.folder,
            private_key=private_key,
            timeouts=self._timeouts(),
            commit=session.commit(),
            host=session.host,
            keep_failed=self.keep_failed,
        )

    def _doors(self) -> forging.Doors:
        return forging.Doors(
            connect=lambda: self.session.connect(self.effective.site, self.credentials),
            toolbox=self.toolbox,
            runner=self.session.runner,
            progress=self.session.progress,
            now=self.session.now,
            installing=partial(self.session.installing, self.effective.site),
        )

    def _login_key(self) -> Path:
        """Return the key to log in with: the build's own, or the operator's, which the toolbox sees as a copy."""
        theirs = self.effective.site.guests.ssh_private_key_file
        if theirs is None:
            return self.folder / KEY
        copy = self.folder / OPERATORS_KEY
        write_if_changed(copy, theirs.read_bytes(), mode=SECRET_MODE)
        return copy

    def _timeouts(self) -> packer.Timeouts:
        """Return how long Packer waits; the lab, where an installation takes a minute, gives up sooner."""
        session, environment = self.session, self.session.environment
        usual = packer.Timeouts(ip_wait="10m", ssh="5m") if session.lab_of(self.effective.site) else packer.Timeouts()
        try:
            return packer.Timeouts(
                ip_wait=environment.get("GOLDSMITH_IP_WAIT_TIMEOUT") or usual.ip_wait,
                ip_settle=usual.ip_settle,
                ssh=environment.get("GOLDSMITH_SSH_TIMEOUT") or usual.ssh,
                shutdown=environment.get("GOLDSMITH_SHUTDOWN_TIMEOUT") or usual.shutdown,
            )
        except ValueError as error:
            raise ConfigurationError(
                "a time-out cannot be read",
                where="GOLDSMITH_IP_WAIT_TIMEOUT, GOLDSMITH_SSH_TIMEOUT or GOLDSMITH_SHUTDOWN_TIMEOUT",
                why=str(error),
                next="write it as 90s, 60m or 1h30m, or unset it",
            ) from None

    def _save(self, build: Build) -> None:
        self.build = self.session.builds.save(build)
