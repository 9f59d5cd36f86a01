"""Makes ``.venv`` from the locked requirements; started by the launchers when it is missing or out of date.

Runs on a bare Python 3.11: of goldsmith it uses only what needs nothing but the
standard library. A new environment grows in a folder of its own and becomes
``.venv`` by one rename, so a run that is killed leaves nothing half-made, and
what uses the old environment at this moment keeps it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from goldsmith.errors import CheckError, ConfigurationError, Exit, GoldsmithError, ToolError, UnreachableError  # noqa: E402 - needs the path above, because Python runs isolated
from goldsmith.host import redact, start  # noqa: E402
from goldsmith.host.progress import Lines, Progress  # noqa: E402
from goldsmith.host.runner import Command, Completed, ProcessRunner, Runner  # noqa: E402
from goldsmith.host.signals import PROCESS, Terminated  # noqa: E402
from goldsmith.host.workspace import holding  # noqa: E402
from goldsmith.toolbox import apt  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping

STAMP = "goldsmith-stamp"
REQUIREMENTS = "goldsmith-requirements.txt"
_SHOWN = 8
_PIP_ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_CONSTRAINT")
"""Settings that make pip install somewhere else or not at all; pip takes an empty value for none.

Everything else (indexes, proxies, CAs, timeouts, caches) is the operator's and stays.
"""


def make_venv(python: Path, folder: Path) -> Command:
    """Return the command that makes an empty virtual environment with pip."""
    return Command(argv=(str(python), "-I", "-m", "venv", str(folder)))


def install(folder: Path, requirements: Path) -> Command:
    """Return the command that fills *folder* with exactly the locked packages."""
    return Command(
        argv=(
            str(folder / "bin/python"), "-I", "-m", "pip", "install",
            "--require-hashes",
            "--no-user",  # a pip.conf may ask for --user, which a venv refuses
            "--no-input",
            "--disable-pip-version-check",
            "--requirement", str(requirements),
        ),
        env=dict.fromkeys(_PIP_ELSEWHERE, ""),
        fetches=True,
    )  # fmt: skip


def is_ready(root: Path) -> bool:
    """Tell what ``is_ready`` in launch.sh tells: the environment fits this folder and this lock."""
    venv = root / ".venv"
    try:
        made_in = (venv / STAMP).read_text().rstrip("\n")
        same = (venv / REQUIREMENTS).read_bytes() == (root / "requirements.txt").read_bytes()
    except OSError:
        return False
    return same and made_in == str(root) and os.access(venv / "bin/python", os.X_OK)


def setup(root: Path, *, runner: Runner, progress: Progress, environment: Mapping[str, str]) -> None:
    """Make the environment, unless somebody else did while this run waited for its turn."""
    waits = partial(progress.note, "another run makes the environment; waiting for it")
    with holding(root / ".venv.lock", what="environment", on_wait=waits):
        if is_ready(root):
            return
        reason = "requirements.txt or Python changed" if (root / ".venv").exists() else "first run; about a minute"
        with progress.step("environment", reason):
            python = Path(sys.executable).resolve()  # a name like python3 may mean another version tomorrow
            ensure_venv_module(python, runner=runner, progress=progress, environment=environment)
            _replace(root, python, runner)


def ensure_venv_module(python: Path, *, runner: Runner, progress: Progress, environment: Mapping[str, str]) -> None:
    """Install what Debian leaves out of Python: the module that puts pip into a virtual environment."""
    if find_spec("ensurepip") is not None:
        return
    system = apt.release(_read(Path("/etc/os-release")))
    package = venv_package(
        python,
        distribution=system.get("ID", ""),
        version=sys.version_info[:2],
        is_root=apt.is_root(),
        forbidden=apt.is_forbidden(environment),
    )
    progress.note(f"apt-get install {package} (GOLDSMITH_NO_INSTALL=1 forbids)")
    if runner.run(apt.install(package), check=False).returncode == 0:
        return
    runner.run(apt.update(), check=False)  # the indexes were missing or old; one broken source of many need not matter
    try:
        runner.run(apt.install(package))
    except ToolError as error:
        raise UnreachableError(
            f"the Debian package {package} cannot be installed",
            where=error.where,
            why=error.why,
            next="check the network and /etc/apt; then run the same command again",
        ) from None


def venv_package(python: Path, *, distribution: str, version: tuple[int, int], is_root: bool, forbidden: bool) -> str:
    """Return the package to install; raises ``ConfigurationError`` where that may not or cannot be done."""
    package = f"python{version[0]}.{version[1]}-venv"
    packaged = distribution in apt.FAMILY and python.is_relative_to("/usr/bin")
    if packaged and is_root and not forbidden:
        return package
    raise ConfigurationError(
        "this Python cannot make a virtual environment",
        where=str(python),
        why="its module ensurepip is missing"
        + (", and GOLDSMITH_NO_INSTALL forbids installing it" if forbidden else ""),
        next=f"sudo apt-get install {package}" if packaged else "use a Python that has the modules venv and ensurepip",
    )


def _replace(root: Path, python: Path, runner: Runner) -> None:
    # A pip that outlived a killed run writes into its own folder, never into this one.
    folder = root / f".venv.{secrets.token_hex(4)}"
    try:
        lock = (root / "requirements.txt").read_bytes()
        _checked(root, runner, make_venv(python, folder))
        (folder / REQUIREMENTS).write_bytes(lock)
        _checked(root, runner, install(folder, folder / REQUIREMENTS))
        (folder / STAMP).write_text(f"{root}\n")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _publish(root, folder)


def _publish(root: Path, folder: Path) -> None:
    """Make *folder* the environment, keep the one before for who still runs in it, remove the older ones."""
    venv, link = root / ".venv", root / ".venv.link"
    previous = venv.resolve() if venv.exists() else None
    if venv.is_dir() and not venv.is_symlink():
        previous = venv.rename(root / f".venv.{secrets.token_hex(4)}")
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name)
    link.replace(venv)
    for other in root.glob(".venv.*"):
        if other.is_dir() and not other.is_symlink() and other not in {folder, previous}:
            shutil.rmtree(other, ignore_errors=True)


def _checked(root: Path, runner: Runner, command: Command) -> None:
    completed = runner.run(command, check=False)
    if completed.returncode != 0:
        raise _failure(root, completed)


def _failure(root: Path, completed: Completed) -> GoldsmithError:
    text = f"{completed.stdout}\n{completed.stderr}"
    where = str(root / "requirements.txt")
    if "DO NOT MATCH THE HASHES" in text:
        told = [line.strip() for line in text.splitlines() if "sha256" in line or "==" in line.partition(" from ")[0]]
        return CheckError(
            "a downloaded package is not the locked one",
            where=where,
            why="\n".join(line for line in told if not line.startswith("Collecting")),
            next="do not use it: find out whether the package index, or the way to it, replaces files",
        )
    if "No space left on device" in text:
        return ToolError(
            "no space left while making the environment",
            where=f"{root} or {tempfile.gettempdir()}",
            why=_complaints(text),
            next="free about 500 MB, or set TMPDIR; then run the same command again",
        )
    return UnreachableError(
        "the locked Python packages could not be installed",
        where=where,
        why=_complaints(text),
        next="check the network, and pip's settings: PIP_INDEX_URL, PIP_CERT, HTTPS_PROXY, pip.conf;\n"
        "then run the same command again",
    )


def _complaints(text: str) -> str:
    """Return pip's complaints: the first tell the cause, the last what came of it, between are retries."""
    lines = [line for line in text.splitlines() if line.startswith(("ERROR", "Error", "WARNING"))]
    lines = list(dict.fromkeys(lines or text.strip().splitlines()))
    return "\n".join(lines if len(lines) <= _SHOWN else [*lines[: _SHOWN // 2], "...", *lines[-_SHOWN // 2 :]])


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def main() -> int:
    """Make the environment and return the exit code."""
    start.settle()
    PROCESS.install()
    redact.PROCESS.add_logins(os.environ.values())
    sys.stderr = redact.filtered(sys.stderr, redact.PROCESS)
    try:
        setup(ROOT, runner=ProcessRunner(redact.PROCESS), progress=Lines(), environment=os.environ)
    except GoldsmithError as error:
        sys.stderr.write(f"{error.render()}\n")
        return error.exit_code
    except OSError as error:
        refused = ToolError(
            "the environment cannot be made",
            where=str(ROOT),
            why=str(error),
            next="let this user write into the repository, see that there is space, and run the same command again",
        )
        sys.stderr.write(f"{refused.render()}\n")
        return refused.exit_code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Terminated as ended:
        return 128 + ended.number
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(main())
