"""The stages of one build, each fed from the build's folder and leaving its result there."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, assert_never

from goldsmith import builds, forging
from goldsmith.errors import CheckError, ConfigurationError
from goldsmith.flow import inputs
from goldsmith.flow.order import timeouts
from goldsmith.host import reading
from goldsmith.host.workspace import SECRET_MODE, write_if_changed
from goldsmith.installers import answers, door
from goldsmith.media import make
from goldsmith.media.attachments import Slot
from goldsmith.media.workbench import Workbench
from goldsmith.plan import Stage
from goldsmith.stages import base, docker, upload
from goldsmith.templates import fixed_name
from goldsmith.tools import sshkey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from goldsmith.builds import Build
    from goldsmith.installers.door import Installer
    from goldsmith.media.store import Store
    from goldsmith.model import Placement
    from goldsmith.plan import Inputs
    from goldsmith.toolbox.containers import SiteDoor
    from goldsmith.vcenter.marks import Template
    from goldsmith.wiring import OnSite

KEY = "keys/id_ed25519"
OPERATORS_KEY = "keys/operator"


@dataclass
class Steps:
    """Carries out the stages of *build* one after the other; *build* always tells how far it came."""

    on: OnSite
    build: Build
    inputs: Mapping[str, Inputs]
    """What decides each phase, as it was planned."""
    keep_failed: bool = False
    full: bool = False
    """Whether phase 2 makes a template that shares no disk with its base."""
    template: Template | None = field(default=None, init=False)

    @property
    def folder(self) -> Path:
        """The build's folder."""
        return self.on.session.builds.folder(self.build)

    @cached_property
    def toolbox(self) -> SiteDoor:
        """The toolbox as this site's builds use it."""
        return self.on.toolbox(self.build.id)

    @cached_property
    def installer(self) -> Installer:
        """What installs the image."""
        return door.of(self.on.image)

    @cached_property
    def workbench(self) -> Workbench:
        """What answers are proved and media are made with."""
        session = self.on.session
        return Workbench(
            image=self.on.image,
            site=self.on.site,
            folder=self.folder,
            workspace=session.workspace,
            lock=session.lock,
            fetch=session.fetch,
            runner=session.runner,
            progress=session.progress,
            door=self.toolbox,
            seeing=self.toolbox.seeing,
            store=self._store,
        )

    def run(self, stage: Stage) -> None:
        """Run one stage, and note that it is done and how long it took."""
        began = time.monotonic()
        self._do(stage)
        builds.note_seconds(self.folder, stage.value, time.monotonic() - began)
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

    def remove_media(self) -> None:
        """Remove the media with answers from the datastore, if they were ever put there."""
        for medium in self.build.secret_media:
            upload.remove(self._store(), medium.stored)
            kept = tuple(replace(one, stored="") if one == medium else one for one in self.build.attached)
            self.build = replace(self.build, attached=kept)
        self._save(self.build)

    def _answers(self) -> None:
        pair = self._key_pair()
        key = answers.build_key(pair.public, self.build.id)
        rendered = inputs.rendered(self.on.effective, build_key=key)
        if rendered.instead(key).digest() != self.inputs["base"].parts["answers"]:
            raise ConfigurationError(
                "the answers changed while the build ran",
                where="kickstart/, or a certificate that the site names",
                why="the template would not be what its key says",
                next="run the same command again: it plans with what is there now",
            )
        rendered.write(self.folder / make.ANSWERS)
        self.installer.prove(self.on.image, self.on.site, rendered, self.workbench)

    def _key_pair(self) -> sshkey.KeyPair:
        pair = sshkey.generate(f"{answers.BUILD_KEY_COMMENT}{self.build.id}")
        self.on.session.redact.add(pair.private)
        (self.folder / KEY).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_if_changed(self.folder / KEY, pair.private, mode=SECRET_MODE)
        return pair

    def _media(self) -> None:
        boot = self.installer.boot(self.on.image, self.on.site.placement)
        made = make.make(boot, self.installer.carrier(self.on.image), self.workbench)
        self._save(replace(self.build, attached=made))

    def _upload(self) -> None:
        """Upload what was made; where a medium with answers will lie is noted before it is there."""
        store = self._store()
        for medium in self.build.attached:
            if medium.slot is Slot.SETTING or not medium.file:
                continue
            file = self._made(medium.file)
            if medium.secret:
                path = upload.build_path(store, build_id=self.build.id, suffix=file.suffix)
                self._note(medium.file, path)
                upload.build_medium(store, file, build_id=self.build.id)
            else:
                stem = f"goldsmith-{self.on.image.name}"
                path = upload.reusable_medium(store, file, stem=stem, sha256=medium.sha256, build_id=self.build.id)
                self._note(medium.file, path)

    def _note(self, file: str, path: str) -> None:
        kept = tuple(replace(one, stored=path) if one.file == file else one for one in self.build.attached)
        self._save(replace(self.build, attached=kept))

    def _made(self, file: str) -> Path:
        path = self.folder / file
        if not path.is_file():
            raise CheckError(
                "the medium of this build is gone",
                where=str(path),
                why="its stage was finished, but the file does not exist any more",
                next="leave --build out to start a new build",
            )
        return path

    def _store(self) -> Store:
        log = self.folder / "logs/upload.log"
        datastore = self._uploaded_to() or self.on.finder.places().paths.media_datastore
        return self.on.store(self.on.finder.placement.iso_folder, datastore, door=self.toolbox, log=log)

    def _placement(self) -> Placement:
        there = self._uploaded_to()
        placement = self.on.finder.places().placement
        return placement.model_copy(update={"iso_datastore": there}) if there else placement

    def _uploaded_to(self) -> str:
        """Return the datastore that the media lie on, where an earlier run has chosen another one of a cluster."""
        stored = next((one.stored for one in self.build.attached if one.stored), "")
        name = stored.partition("] ")[0].removeprefix("[")
        return "" if name == self.on.finder.places().media_datastore.spelt else name

    def _base(self) -> None:
        for medium in self.build.attached:
            if medium.file:
                self._made(medium.file)
        order = base.Installation(
            job=self._job(self._login_key()),
            attached=self.build.attached,
            finish_script=self.installer.guest(self.on.image).finish_script,
        )
        self.template = base.forge(order, self._effects())
        # Complete from here on, whatever becomes of its name.
        self._save(replace(self.build, template=self.template.name))
        name = fixed_name.give(self.on, self.build.key)
        self._save(replace(self.build, template=name or self.template.name))

    def _docker(self) -> None:
        order = docker.Provisioning(
            job=self._job(self.folder / KEY),
            public_key=self._key_pair().public,
            base_key=self.inputs["base"].key,
            full=self.full,
        )
        self.template = docker.forge(order, self._effects())
        self._save(replace(self.build, template=self.template.name))

    def _job(self, private_key: Path) -> forging.Job:
        session, credentials = self.on.session, self.on.credentials
        return forging.Job(
            build=self.build,
            image=self.on.image,
            site=self.on.site.model_copy(update={"placement": self._placement()}),
            user=credentials.user,
            password=credentials.password.get_secret_value(),
            root=session.workspace.root,
            folder=self.folder,
            private_key=private_key,
            timeouts=timeouts(session.environment, lab=self.on.lab is not None),
            commit=session.commit,
            host=session.host,
            keep_failed=self.keep_failed,
            signer=self.on.effective.signer,
        )

    def _effects(self) -> forging.Effects:
        session = self.on.session
        return forging.Effects(
            connect=self.on.connect,
            toolbox=self.toolbox,
            runner=session.runner,
            progress=session.progress,
            now=session.now,
            installing=self.on.installing,
        )

    def _login_key(self) -> Path:
        """Return the key to log in with: the build's own, or the operator's, which the toolbox sees as a copy."""
        theirs = self.on.site.guests.ssh_private_key_file
        if theirs is None:
            return self.folder / KEY
        copy = self.folder / OPERATORS_KEY
        write_if_changed(copy, reading.private_key(reading.content(theirs)), mode=SECRET_MODE)
        return copy

    def _save(self, build: Build) -> None:
        self.build = self.on.session.builds.save(build)
