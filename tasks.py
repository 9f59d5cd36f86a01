"""Verbs for operators: flags in, one call to goldsmith.app, errors to exit codes.

`./inv` runs them on a bare checkout, `invoke` inside the environment. Nothing
heavy is imported before a verb runs, so that listing them is instant.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit
from invoke.tasks import task

if TYPE_CHECKING:
    from collections.abc import Callable

_WHICH = {
    "image": "the image to build: a file in config/images (default: debian-13)",
    "site": "the site: a file in config/sites, or lab (default: GOLDSMITH_SITE, VSPHERE_SERVER's, lab)",
}
_JSON = {"json": "print JSON for machines"}
_DRY = {"dry_run": "say what would be done, and do nothing"}
_RUN = {
    **_WHICH,
    **_DRY,
    "rebuild": "run even when nothing has changed",
    "max_age": "run when the newest template is older than this: 12h, 7d, 2w",
    "keep_failed": "keep the VM of a failed build, to look at it",
    "no_wait": "end with status 7 instead of waiting for another build of this image and site",
}
_BUILD = {"build": "id of the build to continue (default: the newest unfinished one, else a new one)"}
_FULL = {"full": "make a full clone of the base, which shares no disk with it, instead of a linked one (for release)"}


_NO_READER = 128 + signal.SIGPIPE
"""As a shell reports a program that wrote to a pipe nobody read."""


def _have_streams() -> None:
    """Give the verbs somewhere to write to when the caller has closed stdout or stderr."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open as long as we run


def verb(function: Callable[..., Any]) -> Callable[..., None]:
    """Give a verb goldsmith.app in place of Invoke's context, and turn errors and signals into exit codes.

    Tracebacks are for bugs.
    """

    @functools.wraps(function)
    def guarded(_context: Any, **flags: Any) -> None:
        from goldsmith.errors import Exit as Code
        from goldsmith.errors import GoldsmithError
        from goldsmith.signals import PROCESS, Terminated

        _have_streams()
        try:
            PROCESS.install()
            from goldsmith import app

            function(app, **flags)
            sys.stdout.flush()  # here, where a reader that is gone can be told from a bug
        except BrokenPipeError:
            # As with `| head`: whoever read this has seen enough.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise Exit(code=_NO_READER) from None
        except GoldsmithError as error:
            sys.stderr.write(f"\n{error.render()}\n")
            raise Exit(code=error.exit_code) from None
        except KeyboardInterrupt:
            sys.stderr.write("\ninterrupted; this run has ended what it had started, but for what is named above\n")
            raise Exit(code=Code.INTERRUPTED) from None
        except Terminated:
            sys.stderr.write("\nterminated; this run has ended what it had started, but for what is named above\n")
            raise Exit(code=Code.TERMINATED) from None

    return guarded


@task(help={**_WHICH, **_JSON})
@verb
def config(app: Any, image: str = "", site: str = "", json: bool = False) -> None:
    """Print the effective configuration, and where each value came from."""
    app.config(app.Request(image=image, site=site, json=json))


@task(help={**_WHICH, **_JSON, **_FULL, "rebuild": _RUN["rebuild"], "max_age": _RUN["max_age"]})
@verb
def plan(
    app: Any,
    image: str = "",
    site: str = "",
    json: bool = False,
    rebuild: bool = False,
    max_age: str = "",
    full: bool = False,
) -> None:
    """Print the stages, which of them would run, and why."""
    app.plan(app.Request(image=image, site=site, json=json, rebuild=rebuild, max_age=max_age, full=full))


@task(help=_DRY)
@verb
def build_image(app: Any, dry_run: bool = False) -> None:
    """Build the toolbox image from the lock, unless it is there."""
    app.build_image(app.Request(dry_run=dry_run))


@task
@verb
def shell(app: Any) -> None:
    """Open a shell in the toolbox, with the repository at /data."""
    app.shell(app.Request())


@task(help={**_DRY, "identity": "leave the pins as they are; only record what the images come out as here"})
@verb
def lock(app: Any, dry_run: bool = False, identity: bool = False) -> None:
    """Write docker/lock.json again from Debian's index, pip and Go (for maintainers)."""
    app.lock(app.Request(dry_run=dry_run, identity=identity))


@task(help={**_WHICH, **_BUILD, **_DRY})
@verb
def render(app: Any, image: str = "", site: str = "", build: str = "", dry_run: bool = False) -> None:
    """Render the answers of a build, with a fresh SSH key."""
    app.render(app.Request(image=image, site=site, build=build, dry_run=dry_run))


@task(help={**_WHICH, **_BUILD, **_DRY})
@verb
def iso_build(app: Any, image: str = "", site: str = "", build: str = "", dry_run: bool = False) -> None:
    """Compose the boot medium of a build."""
    app.iso_build(app.Request(image=image, site=site, build=build, dry_run=dry_run))


@task(help={**_WHICH, **_BUILD, **_DRY})
@verb
def iso_upload(app: Any, image: str = "", site: str = "", build: str = "", dry_run: bool = False) -> None:
    """Upload the boot medium of a build to the site's datastore."""
    app.iso_upload(app.Request(image=image, site=site, build=build, dry_run=dry_run))


@task(help={**_RUN, **_BUILD})
@verb
def packer_base(
    app: Any,
    image: str = "",
    site: str = "",
    build: str = "",
    rebuild: bool = False,
    max_age: str = "",
    keep_failed: bool = False,
    no_wait: bool = False,
    dry_run: bool = False,
) -> None:
    """Forge the base template: all stages up to phase 1, as far as they are needed."""
    app.packer_base(
        app.Request(
            image=image,
            site=site,
            build=build,
            rebuild=rebuild,
            max_age=max_age,
            keep_failed=keep_failed,
            no_wait=no_wait,
            dry_run=dry_run,
        )
    )


@task(help={**_RUN, **_BUILD, **_FULL})
@verb
def packer_docker(
    app: Any,
    image: str = "",
    site: str = "",
    build: str = "",
    rebuild: bool = False,
    max_age: str = "",
    keep_failed: bool = False,
    no_wait: bool = False,
    dry_run: bool = False,
    full: bool = False,
) -> None:
    """Forge the Docker template: the base if it is missing or stale, then phase 2 on a clone of it."""
    app.packer_docker(
        app.Request(
            image=image,
            site=site,
            build=build,
            rebuild=rebuild,
            max_age=max_age,
            keep_failed=keep_failed,
            no_wait=no_wait,
            dry_run=dry_run,
            full=full,
        )
    )


@task(help={**_RUN, **_FULL})
@verb
def build(
    app: Any,
    image: str = "",
    site: str = "",
    rebuild: bool = False,
    max_age: str = "",
    keep_failed: bool = False,
    no_wait: bool = False,
    dry_run: bool = False,
    full: bool = False,
) -> None:
    """Run every stage of an image that is needed."""
    app.build(
        app.Request(
            image=image,
            site=site,
            rebuild=rebuild,
            max_age=max_age,
            keep_failed=keep_failed,
            no_wait=no_wait,
            dry_run=dry_run,
            full=full,
        )
    )


@task(help=_WHICH)
@verb
def preflight(app: Any, image: str = "", site: str = "") -> None:
    """Check that the site has every object and privilege a build needs."""
    app.preflight(app.Request(image=image, site=site))


@task(
    help={
        **_WHICH,
        **_DRY,
        **_JSON,
        "template": "name of the template (default: the image's newest one that did not fail)",
        "phase": "base or docker: the newest of this phase",
        "checks": "further testinfra modules of yours, relative to the repository; may be repeated",
        "keep_failed": "keep the clones when a check fails, to look at them",
    },
    iterable=["checks"],
)
@verb
def verify(
    app: Any,
    image: str = "",
    site: str = "",
    template: str = "",
    phase: str = "",
    checks: Any = None,
    keep_failed: bool = False,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Boot two clones of a template, check and compare them, and mark it as verified or failed."""
    app.verify(
        app.Request(image=image, site=site, phase=phase, keep_failed=keep_failed, dry_run=dry_run, json=json),
        template=template,
        checks=checks or (),
    )


@task(
    help={
        **_WHICH,
        **_JSON,
        "phase": "base or docker: only templates of this phase",
        "newest": "print only the name of the newest verified one (of phase docker, unless --phase is given)",
    }
)
@verb
def templates(
    app: Any, image: str = "", site: str = "", phase: str = "", newest: bool = False, json: bool = False
) -> None:
    """List the site's templates that this suite made."""
    app.templates(app.Request(image=image, site=site, phase=phase, json=json), newest=newest)


@task(help={"site": _WHICH["site"], **_DRY, **_JSON})
@verb
def clean(app: Any, site: str = "", dry_run: bool = False, json: bool = False) -> None:
    """List, then remove, what dead builds left on the site and on this machine."""
    app.clean(app.Request(site=site, dry_run=dry_run, json=json))


@task(help={"vcenters": "how many simulated vCenters to run"})
@verb
def lab_up(app: Any, vcenters: str = "1") -> None:
    """Start the simulated vCenter (its guests are privileged containers: root on this machine)."""
    app.lab_up(app.Request(), vcenters=vcenters)


@task
@verb
def lab_down(app: Any) -> None:
    """Stop the simulated vCenter and forget everything in it."""
    app.lab_down(app.Request())


@task(help=_JSON)
@verb
def lab_status(app: Any, json: bool = False) -> None:
    """Show the simulated vCenter: addresses, login, virtual machines."""
    app.lab_status(app.Request(json=json))
