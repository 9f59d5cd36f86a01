"""The two clones of a candidate: made, booted, and removed again, however that ends."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from goldsmith.errors import GoldsmithError
from goldsmith.guests.guest import WayIn
from goldsmith.host.signals import PROCESS
from goldsmith.host.workspace import SECRET_MODE, write_if_changed
from goldsmith.stages.verify.request import ALIASES, KEY
from goldsmith.tools import sshkey
from goldsmith.vcenter import clones, notes, ours
from goldsmith.vcenter.places import locate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from goldsmith.forging import Effects
    from goldsmith.stages.verify.request import Verification


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


def names(request: Verification) -> dict[str, str]:
    """Return the clones' names by their alias; they end with the run's id, which no other clones have."""
    attributes = request.template.attributes
    return {alias: f"{attributes.image}-{attributes.phase}-{alias}-{request.work.id}" for alias in ALIASES}


@dataclass
class Clones:
    """The two clones, booted."""

    addresses: Mapping[str, str]
    """By alias."""
    meanwhile: Callable[[], object] = lambda: None
    """Done while they are destroyed, which is mostly waiting; what it raises is raised when they are gone."""


@contextlib.contextmanager
def booted(request: Verification, effects: Effects, timing: Timing) -> Iterator[Clones]:
    """Make and boot the clones, yield them, and destroy them at the end.

    They are kept, and so is the key that lets people in, if the block raises a
    ``GoldsmithError`` and the request says so.
    """
    wanted = names(request)
    keep, clones = False, Clones({})
    try:
        with timing("boot"), effects.progress.step("boot two clones", f"of {request.template.name}"):
            found = _boot(request, effects, wanted)
        clones.addresses = {alias: found[name] for alias, name in wanted.items()}
        yield clones
    except GoldsmithError:
        keep = request.keep_failed
        raise
    finally:
        if keep:
            kept, key = ", ".join(wanted.values()), request.folder / KEY
            effects.progress.note(f"kept: {kept}, with the login key in {key}; './inv clean' removes them")
            clones.meanwhile()
        else:
            # Whoever is impatient meanwhile would leave clones behind.
            with PROCESS.held_off(), timing("destroy"), ThreadPoolExecutor(1) as pool:
                gone = pool.submit(_destroy, request, effects)
                _forget_key(request)
                clones.meanwhile()
                gone.result()


def _forget_key(request: Verification) -> None:
    key = request.folder / KEY
    key.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        key.parent.rmdir()  # what else lies there is a build's own


def _boot(request: Verification, effects: Effects, wanted: Mapping[str, str]) -> Mapping[str, str]:
    public = _key(request, effects)
    began = f"{effects.now():%Y-%m-%d %H:%M} UTC"
    with effects.connect() as vcenter:
        places = locate(vcenter, request.placement)
        orders = [
            clones.CloneOrder(
                source=request.template.machine,
                name=name,
                note=notes.under_way(request.work, name=name, host=request.host, began=began),
                folder=places.folder.ref,
                pool=places.pool.ref,
                datastore=places.datastore.ref,
                guestinfo=clones.guestinfo(name=hostname(alias, request), public_key=public) if public else {},
            )
            for alias, name in wanted.items()
        ]
        machines = vcenter.clone(orders)
        return vcenter.addresses(machines, seconds=request.seconds, tell=effects.progress.status)


def _key(request: Verification, effects: Effects) -> str:
    """Put the private key that opens the clones in its place; return the public half where they are to be given it."""
    match request.way_in:
        case WayIn.CLOUD_INIT:
            pair = sshkey.generate(f"goldsmith-verify-{request.template.attributes.build}")
            private, public = pair.private, pair.public
        case WayIn.OPERATORS_KEY:
            private, public = request.operators_key, ""
        case never:
            assert_never(never)
    effects.hide(private)
    key = request.folder / KEY
    key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_if_changed(key, private, mode=SECRET_MODE)
    return public


def hostname(alias: str, request: Verification) -> str:
    """Return a host name, of which a kernel takes 64 characters at most."""
    return f"{alias}-{request.work.id}"


def _destroy(request: Verification, effects: Effects) -> None:
    """Destroy the clones; trouble with it is told, and must not hide what happened before."""
    try:
        _remove(request, effects)
    except GoldsmithError as trouble:
        effects.progress.note(f"{trouble.what}: clones may be left; './inv clean' removes them")
    else:
        request.gone()


def _remove(request: Verification, effects: Effects) -> None:
    with effects.connect() as vcenter:
        # A session that ended while a clone was made could not wait for it: it may be about to appear.
        vcenter.settle(request.template.machine)
        folder = locate(vcenter, request.placement).folder
        left = [machine for machine in vcenter.machines(folder) if ours.unfinished(machine, folder) == request.work]
        for machine in left:
            with effects.progress.step(f"remove {machine.name}", "it was only to be looked at"):
                vcenter.destroy(machine)
