"""The two clones of a candidate: made, booted, and removed again, however that ends."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from goldsmith.errors import GoldsmithError, MissingObjectError
from goldsmith.signals import PROCESS
from goldsmith.stages.verify.request import ALIASES, KEY
from goldsmith.tools import sshkey
from goldsmith.vcenter import clones, templates
from goldsmith.vcenter.inventory import Places, Tree, resolve
from goldsmith.workspace import SECRET_MODE, write_if_changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from goldsmith.spec import Placement
    from goldsmith.stages.verify.request import Doors, Request
    from goldsmith.vcenter.door import VCenter
    from goldsmith.vcenter.inventory import Machine
    from goldsmith.vcenter.templates import Template


class Timing:
    """Remembers how long the parts of a run took."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Remember how long the block took, under *name*."""
        began = self._clock()
        try:
            yield
        finally:
            self.seconds[name] = round(self._clock() - began, 3)

    def move(self, seconds: float, *, of: str, to: str) -> None:
        """Let *seconds* of one part count for another, as far as it took that long."""
        moved = min(seconds, self.seconds[of])
        self.seconds[of] = round(self.seconds[of] - moved, 3)
        self.seconds[to] = round(self.seconds[to] + moved, 3)


def names(template: Template) -> dict[str, str]:
    """Return the clones' names by their alias; they end with the build's id, by which ``clean`` finds them."""
    attributes = template.attributes
    return {alias: f"{attributes.image}-{attributes.phase}-{alias}-{attributes.build}" for alias in ALIASES}


@contextlib.contextmanager
def booted(request: Request, doors: Doors, timing: Timing) -> Iterator[dict[str, str]]:
    """Make and boot the clones, yield their addresses by alias, and destroy them at the end.

    They are kept, and so is the key that lets people in, if the block raises a
    ``GoldsmithError`` and the request says so.
    """
    wanted = names(request.template)
    _remove(request, doors, why="an earlier run left it")
    keep = False
    try:
        with timing("boot"), doors.progress.step("boot two clones", f"of {request.template.name}"):
            found = _boot(request, doors, wanted)
        yield {alias: found[name] for alias, name in wanted.items()}
    except GoldsmithError:
        keep = request.keep_failed
        raise
    finally:
        if keep:
            kept, key = ", ".join(wanted.values()), request.folder / KEY
            doors.progress.note(f"kept: {kept}, with the login key in {key}; './inv clean' removes them")
        else:
            # Whoever is impatient meanwhile would leave clones behind.
            with PROCESS.held_off(), timing("destroy"):
                _forget_key(request)
                _destroy(request, doors)


def _forget_key(request: Request) -> None:
    key = request.folder / KEY
    key.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        key.parent.rmdir()  # what else lies there is a build's own


def _boot(request: Request, doors: Doors, wanted: Mapping[str, str]) -> Mapping[str, str]:
    template = request.template
    pair = sshkey.generate(f"goldsmith-verify-{template.attributes.build}")
    doors.hide(pair.private)
    key = request.folder / KEY
    key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_if_changed(key, pair.private, mode=SECRET_MODE)
    began = f"{doors.now():%Y-%m-%d %H:%M} UTC"
    with doors.connect() as vcenter:
        places = _places(vcenter, request.placement)
        orders = [
            clones.Order(
                source=template.machine,
                name=name,
                note=templates.note_under_way(template.attributes.build, host=request.host, began=began),
                folder=places.folder.ref,
                pool=places.pool.ref,
                datastore=places.datastore.ref,
                guestinfo=clones.guestinfo(name=hostname(alias, template), public_key=pair.public),
            )
            for alias, name in wanted.items()
        ]
        machines = vcenter.clone(orders)
        return vcenter.addresses(machines, seconds=request.seconds, tell=doors.progress.status)


def hostname(alias: str, template: Template) -> str:
    """Return a host name, of which a kernel takes 64 characters at most."""
    return f"{alias}-{template.attributes.build}"


def _places(vcenter: VCenter, placement: Placement) -> Places:
    found = resolve(Tree(vcenter.nodes()), placement)
    if not isinstance(found, Places):
        raise MissingObjectError(
            "the site names what the vCenter does not have",
            why="\n".join(f"- {problem}" for problem in found),
            next="correct the site's file; names count exactly, upper and lower case too",
        )
    return found


def _destroy(request: Request, doors: Doors) -> None:
    """Destroy the clones; trouble with it is told, and must not hide what happened before."""
    try:
        _remove(request, doors, why="it was only to be looked at")
    except GoldsmithError as trouble:
        doors.progress.note(f"{trouble.what}: clones may be left; './inv clean' removes them")


def _remove(request: Request, doors: Doors, *, why: str) -> None:
    with doors.connect() as vcenter:
        # A session that ended while a clone was made could not wait for it: it may be about to appear.
        vcenter.settle(request.template.machine)
        places = _places(vcenter, request.placement)
        for name in names(request.template).values():
            machine = vcenter.child(places.folder, name)
            if machine and _is_clone(machine, request.template):
                with doors.progress.step(f"remove {name}", why):
                    vcenter.destroy(machine)


def _is_clone(machine: Machine, template: Template) -> bool:
    """Return whether *machine* is a clone made here: never something that only has its name."""
    ours = templates.build_under_way(machine.note) == template.attributes.build
    return ours and not machine.is_template and machine.instance_uuid != template.machine.instance_uuid
