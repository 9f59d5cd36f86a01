"""Runs the README's two commands where nothing is set up: in a pristine Debian 12 with an engine of its own.

The root is made by mmdebstrap and runs as a privileged container of this machine's
engine, with a volume for its own engine's data and a network namespace of its own
(an engine that shares one with another deletes the other's bridge). What leads to
the outside - apt's mirrors, pip's settings, proxies, CAs - is taken from this machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import secrets
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from goldsmith.errors import CheckError, Exit, GoldsmithError, RefusedError  # noqa: E402 - needs the path above
from goldsmith.host import start  # noqa: E402
from goldsmith.host.progress import Lines, Progress  # noqa: E402
from goldsmith.host.runner import Command, ProcessRunner, Runner  # noqa: E402
from goldsmith.host.signals import PROCESS, Terminated  # noqa: E402
from goldsmith.toolbox import apt, engine  # noqa: E402
from goldsmith.toolbox.mirrors import Mirrors  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RELEASE = "bookworm"
PACKAGES = "git,python3,ca-certificates"
"""What the README asks for; all else the two commands bring along."""
HOME = "/root/goldsmith"
CERTIFICATES = Path("/usr/local/share/ca-certificates")
PIP_FILES = (Path("/etc/pip.conf"), Path("/etc/xdg/pip/pip.conf"))
_PASSED = re.compile(
    r"PIP_\w+|(https?|no|all|ftp)_proxy|(SSL|REQUESTS|CURL)_(CERT|CA)\w+|GO(PROXY|SUMDB|NOSUMDB|PRIVATE)"
    r"|GOLDSMITH_DEBIAN_\w+",
    re.IGNORECASE,
)
_APT_SETTING = re.compile(r'^Acquire::(?:(?:https?|ftp)::|Check-|Retries|AllowInsecure)[^ ]* "[^"]+";$')


@dataclass(frozen=True)
class Step:
    """A command as the README has it, and what its transcript must show a user."""

    line: str
    shows: tuple[str, ...] = ()
    """Regular expressions, each to be found in one line."""


TEMPLATE = r"debian-13-base-\d{8}-\d{6}-[0-9a-f]{8}"
STEPS = (
    Step("./inv packer-base", (r"• environment \(first run", r"• Docker engine \(none on this machine", TEMPLATE)),
    Step(
        "./nox",
        tuple(rf"\* {name}: success" for name in ("lint", "types", "contracts", "unit", "lab", "integration")),
    ),
)
_ENGINE = (
    "import os; from goldsmith.host.progress import Lines; from goldsmith.host.runner import ProcessRunner; "
    "from goldsmith.toolbox import engine; print(engine.ensure(ProcessRunner(), os.environ, Lines()))"
)
LAUNCHERS = (
    Step("./inv", (r"• environment \(first run", "packer-base")),
    Step("./inv config", ("lab",)),
    Step(f'.venv/bin/python -c "{_ENGINE}"', (r"• Docker engine \(none on this machine", r"Engine\(cli=")),
    Step("docker info", ("Storage Driver: overlay2",)),
    Step("./nox --list", ("integration",)),
)


@dataclass(frozen=True)
class Result:
    """How a step went."""

    line: str
    status: int
    seconds: float
    transcript: str
    missing: tuple[str, ...]


def missing(step: Step, text: str) -> tuple[str, ...]:
    """Return what *text* lacks, or shows and must not."""
    lacking = tuple(pattern for pattern in step.shows if not re.search(pattern, text))
    return (*lacking, "no traceback") if "Traceback (most recent call last)" in text else lacking


def sources(mirrors: Mirrors) -> bytes:
    """Return apt's sources of the pristine root: the mirrors of this machine."""
    return (
        f"deb {mirrors.debian} {RELEASE} main\n"
        f"deb {mirrors.debian} {RELEASE}-updates main\n"
        f"deb {mirrors.security} {RELEASE}-security main\n"
    ).encode()


def apt_settings(dump: str) -> str:
    """Return those of apt's settings that lead to the outside: proxies, certificates, checks of dates."""
    return "".join(f"{line}\n" for line in dump.splitlines() if _APT_SETTING.match(line))


def passed(environment: Mapping[str, str]) -> list[str]:
    """Return the names of the variables that lead to the outside."""
    return sorted(name for name, value in environment.items() if value and _PASSED.fullmatch(name))


class Machine:
    """The pristine machine: a container, its volume and its image, removed together."""

    def __init__(self, runner: Runner, docker: engine.Engine, folder: Path) -> None:
        self.runner, self.docker, self.folder = runner, docker, folder
        self.name = f"goldsmith-fresh-{folder.name}"

    def call(self, *arguments: str, check: bool = True) -> str:
        """Run docker and return what it printed."""
        return self.runner.run(Command(argv=self.docker.argv(*arguments)), check=check).stdout

    def make(self) -> None:
        """Make the root and start it."""
        tar = self.folder / "root.tar"
        settings = apt_settings(self.runner.run(Command(argv=("apt-config", "dump"))).stdout)
        (self.folder / "00fresh").write_text(settings)
        self.runner.run(
            Command(
                argv=(
                    "mmdebstrap", "--variant=minbase", f"--include={PACKAGES}",
                    f"--aptopt={self.folder / '00fresh'}",
                    "--dpkgopt=force-unsafe-io",  # a root that is lost is made again
                    RELEASE, str(tar), "-",
                ),
                stdin=sources(Mirrors.here()),
                fetches=True,
            ),
            log=self.folder / "mmdebstrap.log",
        )  # fmt: skip
        self.call("import", str(tar), self.name)
        tar.unlink()
        find_links = Path(os.environ.get("PIP_FIND_LINKS", ""))
        wheels = (
            ["--volume", f"{find_links}:{find_links}:ro"] if find_links.is_absolute() and find_links.is_dir() else []
        )
        self.call(
            "run", "--detach", "--init", "--privileged",
            "--name", self.name, "--hostname", "fresh", "--label", "goldsmith=1",
            "--volume", f"{self.name}:/var/lib/docker",  # overlay on overlay does not work
            *wheels,
            self.name, "sleep", "infinity",
        )  # fmt: skip

    def fill(self) -> None:
        """Copy in the committed tree, and what leads to the outside."""
        clone = self.folder / "clone"
        self.runner.run(Command(argv=("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone))))
        self.call("cp", f"{clone}/.", f"{self.name}:{HOME}")
        shutil.rmtree(clone)
        self.call("exec", self.name, "chown", "-R", "root:root", HOME)  # git distrusts a stranger's repository
        for file in PIP_FILES:
            if file.is_file():
                self.call("exec", self.name, "mkdir", "-p", str(file.parent))
                self.call("cp", str(file), f"{self.name}:{file}")
        if any(CERTIFICATES.glob("**/*.crt")):
            self.call("cp", f"{CERTIFICATES}/.", f"{self.name}:{CERTIFICATES}")
            self.call("exec", self.name, "update-ca-certificates")

    def run(self, number: int, step: Step) -> Result:
        """Run *step* as root in the repository, show and keep what it prints."""
        log = self.folder / f"{number}-{re.sub(r'[^a-z]+', '-', step.line[:24].lower()).strip('-')}.log"
        log.write_text("")
        variables = [word for name in passed(os.environ) for word in ("--env", name)]
        started = time.monotonic()
        argv = self.docker.argv("exec", "--workdir", HOME, *variables, self.name, "sh", "-c", step.line)
        completed = self.runner.run(
            Command(argv=argv, fetches=True),
            check=False,
            log=log,
            on_line=lambda line: print(f"  | {line}", flush=True),  # noqa: T201 - a transcript is what this prints
        )
        seconds = round(time.monotonic() - started, 1)
        return Result(step.line, completed.returncode, seconds, str(log), missing(step, log.read_text()))

    def remove(self) -> None:
        """Remove container, volume and image."""
        self.call("rm", "--force", "--volumes", self.name, check=False)
        self.call("volume", "rm", "--force", self.name, check=False)
        self.call("image", "rm", "--force", self.name, check=False)


@contextlib.contextmanager
def pristine(runner: Runner, progress: Progress, folder: Path, *, keep: bool) -> Iterator[Machine]:
    """Make the machine, and remove it at the end unless it is to be kept."""
    docker = engine.local(engine.ensure(runner, os.environ, progress))
    machine = Machine(runner, docker, folder)
    try:
        with progress.step("pristine machine", f"Debian {RELEASE} with {PACKAGES}"):
            machine.make()
            machine.fill()
        yield machine
    finally:
        if keep:
            names = f"docker rm -fv {machine.name}; docker volume rm {machine.name}; docker image rm {machine.name}"
            progress.note(f"kept: docker exec -it {machine.name} bash\nto remove it: {names}")
        else:
            machine.remove()


def prepare(runner: Runner, progress: Progress) -> None:
    """See that the root can be made on this machine."""
    if not apt.is_root():
        raise RefusedError("only root can make a pristine root", next="run the same command as root")
    if shutil.which("mmdebstrap"):
        return
    if apt.is_forbidden(os.environ) or not shutil.which("apt-get"):
        raise RefusedError(
            "mmdebstrap is missing", why="it makes the pristine root", next="install the Debian package mmdebstrap"
        )
    with progress.step("mmdebstrap", "missing; GOLDSMITH_NO_INSTALL=1 forbids installing"):
        runner.run(apt.update(), check=False)
        runner.run(apt.install("mmdebstrap"))


def judge(results: list[Result], folder: Path) -> None:
    """Keep the summary; raise ``CheckError`` for a step that failed or hides from a user what matters."""
    (folder / "summary.json").write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    for result in results:
        if result.status or result.missing:
            raise CheckError(
                f"{result.line.split(' -c ')[0]} on a pristine machine ended with status {result.status}",
                where=result.transcript,
                why="\n".join(f"its transcript lacks: {pattern}" for pattern in result.missing) or "see its transcript",
                next="read the transcript; --keep leaves the machine to look at",
            )


def main(arguments: list[str] | None = None) -> int:
    """Run the steps and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only-launchers", action="store_true", help="try the launchers and the engine alone")
    parser.add_argument("--keep", action="store_true", help="keep the machine, to look at it")
    options = parser.parse_args(arguments)
    start.settle()
    PROCESS.install()  # ended either way, it removes its machine
    runner, progress = ProcessRunner(), Lines(sys.stdout)
    folder = ROOT / "build/fresh" / secrets.token_hex(4)
    folder.mkdir(parents=True)
    results: list[Result] = []
    try:
        prepare(runner, progress)
        with pristine(runner, progress, folder, keep=options.keep) as machine:
            for number, step in enumerate(LAUNCHERS if options.only_launchers else STEPS, start=1):
                with progress.step(step.line.split(" -c ")[0]):
                    results.append(machine.run(number, step))
                if results[-1].status:
                    break
        judge(results, folder)
    except GoldsmithError as error:
        sys.stderr.write(f"{error.render()}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Terminated as ended:
        return 128 + ended.number
    for result in results:
        progress.note(f"{result.seconds:>8.1f} s  {result.line.split(' -c ')[0]}  ({result.transcript})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
