"""Verbs for operators: flags in, one call to goldsmith.verbs, an exit code out.

`./inv` runs them on a bare checkout, `invoke` inside the environment. Nothing
heavy is imported before a verb runs, so that listing them is instant.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit
from invoke.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Flag:
    """A flag of verbs; its name is that of a field of ``goldsmith.verbs.flags.Request``."""

    name: str
    help: str
    default: str | bool = ""
    many: bool = False
    """Whether it may be repeated."""


IMAGE = Flag("image", "the image to build: a file in config/images (default: debian-13)")
SITE = Flag("site", "the site: a file in config/sites, or lab (default: GOLDSMITH_SITE, VSPHERE_SERVER's, lab)")
JSON = Flag("json", "print JSON for machines", default=False)
DRY = Flag("dry_run", "say what would be done, and do nothing", default=False)
REBUILD = Flag("rebuild", "run even when nothing has changed", default=False)
MAX_AGE = Flag("max_age", "run when the newest template is older than this: 12h, 7d, 2w")
KEEP = Flag("keep_failed", "keep the machines of a failed run, to look at them", default=False)
NO_WAIT = Flag("no_wait", "end with status 7 instead of waiting for another build of image and site", default=False)
BUILD = Flag("build", "id of the build to continue (default: the newest unfinished one, else a new one)")
FULL = Flag("full", "make a full clone of the base, which shares no disk with it (for release)", default=False)
IDENTITY = Flag("identity", "leave the pins as they are; only record what the images come out as here", default=False)
TEMPLATE = Flag("template", "name of the template (default: the image's newest one that did not fail)")
PHASE = Flag("phase", "base or docker: only templates of this phase")
NEWEST = Flag("newest", "print only the name of the newest verified one (a Docker host, unless --phase)", default=False)
EVERYWHERE = Flag(
    "everywhere", "show what others have of this suite, too: elsewhere, foreign, or only claimed", default=False
)
FILE = Flag("file", "where the private key goes: a file that does not exist")
CHECKS = Flag("checks", "further testinfra modules of yours, relative to the repository; may be repeated", many=True)
VCENTERS = Flag("vcenters", "how many simulated vCenters to run", default="1")

_PIECE = (IMAGE, SITE, BUILD, DRY)
_WHOLE = (IMAGE, SITE, REBUILD, MAX_AGE, KEEP, NO_WAIT, DRY)


def verb(room: str, *flags: Flag, looks: bool = False) -> Callable[[Callable[[], None]], Task[Any]]:
    """Make the verb that has a function's name and docstring, with *flags*; ``goldsmith/verbs/<room>.py`` has its body.

    One that only *looks* does nothing but print its result. Invoke reads a task's flags from its signature,
    which is made of them here.
    """

    def made(stub: Callable[[], None]) -> Task[Any]:
        def body(_context: Any, **given: Any) -> None:
            from goldsmith.verbs.ending import carry_out

            listed = {flag.name: tuple(given[flag.name] or ()) for flag in flags if flag.many}
            if code := carry_out(room, stub.__name__, given | listed, looks=looks):
                raise Exit(code=code)

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters = [inspect.Parameter("context", kind)]
        parameters += [
            inspect.Parameter(flag.name, kind, default=None if flag.many else flag.default) for flag in flags
        ]
        body.__name__, body.__doc__ = stub.__name__, stub.__doc__
        vars(body)["__signature__"] = inspect.Signature(parameters)
        helps = {flag.name: flag.help for flag in flags}
        return Task(body, help=helps, iterable=[flag.name for flag in flags if flag.many])

    return made


@verb("site", IMAGE, SITE, JSON, looks=True)
def config() -> None:
    """Print the effective configuration, and where each value came from."""


@verb("builds", IMAGE, SITE, JSON, REBUILD, MAX_AGE, FULL, looks=True)
def plan() -> None:
    """Print the stages, which of them would run, and why."""


@verb("toolbox", DRY)
def build_image() -> None:
    """Build the toolbox image from the lock, unless it exists."""


@verb("toolbox")
def shell() -> None:
    """Open a shell in the toolbox, with the repository at /data."""


@verb("toolbox", DRY, IDENTITY)
def lock() -> None:
    """Write docker/lock.json again from Debian's index, pip and Go (for maintainers)."""


@verb("builds", *_PIECE)
def render() -> None:
    """Render the answers of a build, with a fresh SSH key."""


@verb("builds", *_PIECE)
def iso_build() -> None:
    """Make the media that a build installs from."""


@verb("builds", *_PIECE)
def iso_upload() -> None:
    """Upload the media of a build to the site's datastore."""


@verb("builds", *_WHOLE, BUILD)
def packer_base() -> None:
    """Forge the base template: all stages up to phase 1, as far as they are needed."""


@verb("builds", *_WHOLE, BUILD, FULL)
def packer_docker() -> None:
    """Forge the Docker template: the base if it is missing or stale, then phase 2 on a clone of it."""


@verb("builds", *_WHOLE, FULL)
def build() -> None:
    """Run every stage of an image that is needed."""


@verb("site", IMAGE, SITE)
def preflight() -> None:
    """Check that the site has every object and privilege a build needs."""


@verb("templates", IMAGE, SITE, TEMPLATE, PHASE, CHECKS, KEEP, DRY, JSON)
def verify() -> None:
    """Boot two clones of a template, check and compare them, and mark it as verified or failed."""


@verb("templates", IMAGE, SITE, PHASE, NEWEST, EVERYWHERE, JSON, looks=True)
def templates() -> None:
    """List the site's templates that this suite made."""


@verb("audit", IMAGE, SITE, TEMPLATE, JSON, looks=True)
def audit() -> None:
    """Compare a template with its record, its package list and what it was made of, and name what was changed."""


@verb("audit", FILE)
def signing_key() -> None:
    """Make a key that signs templates and records; the site names its public half."""


@verb("clean", SITE, DRY, JSON)
def clean() -> None:
    """List, then remove, what dead builds left on the site and on this machine."""


@verb("lab", VCENTERS)
def lab_up() -> None:
    """Start the simulated vCenter (its guests are privileged containers: root on this machine)."""


@verb("lab")
def lab_down() -> None:
    """Stop the simulated vCenter and forget everything in it."""


@verb("lab", JSON, looks=True)
def lab_status() -> None:
    """Show the simulated vCenter: addresses, login, virtual machines."""
