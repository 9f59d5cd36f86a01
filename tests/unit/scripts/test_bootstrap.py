"""The environment is made whole or not at all, from exactly the locked packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from goldsmith.errors import CheckError, ConfigurationError, GoldsmithError, ToolError, UnreachableError
from goldsmith.host.runner import Command, Completed
from scripts.bootstrap import STAMP, install, is_ready, setup, venv_package
from tests.unit.fakes import FakeProgress, UnscriptedCommandError

DONE = Completed(returncode=0, stdout="")


class VenvRunner:
    """Makes what ``python -m venv`` makes, and answers pip; nothing else may be run."""

    def __init__(self, pip: Completed = DONE) -> None:
        self.pip = pip
        self.asked: list[Command] = []

    def run(self, command: Command, **_options: Any) -> Completed:
        """Act for the two known modules."""
        self.asked.append(command)
        match command.argv[1:4]:
            case ("-I", "-m", "venv"):
                python = Path(command.argv[4]) / "bin/python"
                python.parent.mkdir(parents=True)
                python.touch(mode=0o755)
                return DONE
            case ("-I", "-m", "pip"):
                return self.pip
            case _:
                raise UnscriptedCommandError(command.replay())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a checkout with a lock, in a folder with a space in its name."""
    folder = tmp_path / "my checkout"
    folder.mkdir()
    (folder / "requirements.txt").write_text("invoke==1 --hash=sha256:00\n")
    return folder


def make(root: Path, runner: VenvRunner | None = None) -> FakeProgress:
    progress = FakeProgress()
    setup(root, runner=runner or VenvRunner(), progress=progress, environment={})
    return progress


def folders(root: Path) -> set[str]:
    return {path.name for path in root.glob(".venv.*") if path.is_dir()}


def test_the_first_run_makes_the_environment(root: Path) -> None:
    """Afterwards it is ready, and the next run makes nothing."""
    progress = make(root)
    assert is_ready(root)
    assert progress.steps == [("environment", "first run; about a minute")]
    runner = VenvRunner()
    assert make(root, runner).steps == []
    assert runner.asked == []


def test_only_locked_packages_are_installed_and_only_there() -> None:
    """Every file is checked; settings that lead elsewhere are switched off, all others stay."""
    command = install(Path("/v"), Path("/r.txt"))
    assert {"--require-hashes", "--no-user"} <= set(command.argv)
    assert command.env["PIP_TARGET"] == command.env["PIP_PREFIX"] == ""
    assert not {"PIP_INDEX_URL", "PIP_CERT", "PIP_PROXY"} & set(command.env)


def test_a_changed_lock_makes_a_new_environment(root: Path) -> None:
    """The one before stays for those who still run in it, older ones go."""
    make(root)
    first = folders(root)
    (root / "requirements.txt").write_text("invoke==2 --hash=sha256:00\n")
    assert not is_ready(root)
    make(root)
    second = folders(root) - first
    assert first < folders(root)
    (root / "requirements.txt").write_text("invoke==3 --hash=sha256:00\n")
    make(root)
    assert first.isdisjoint(folders(root))
    assert second < folders(root)


def test_an_environment_made_by_hand_is_set_aside(root: Path) -> None:
    """A folder .venv that somebody made is not deleted by the run that replaces it."""
    (root / ".venv").mkdir()
    (root / ".venv/mine").touch()
    make(root)
    assert is_ready(root)
    assert list(root.glob(".venv.*/mine"))


def test_a_checkout_that_moved_is_not_ready(root: Path) -> None:
    """Scripts of an environment hold its absolute path."""
    make(root)
    moved = root.rename(root.with_name("elsewhere"))
    assert not is_ready(moved)
    make(moved)
    assert is_ready(moved)


def test_a_python_that_is_gone_is_noticed(root: Path) -> None:
    """An upgrade of the system takes away the Python an environment was made with."""
    make(root)
    (root / ".venv/bin/python").unlink()
    assert not is_ready(root)
    make(root)
    assert is_ready(root)


def test_leftovers_of_a_killed_run_do_not_count(root: Path) -> None:
    """A half-made folder without a stamp is neither used nor kept."""
    (root / ".venv.dead/bin").mkdir(parents=True)
    (root / ".venv.link").symlink_to(".venv.dead")
    make(root)
    assert is_ready(root)
    assert ".venv.dead" not in folders(root)


@pytest.mark.parametrize(
    ("stderr", "family", "shown"),
    [
        (
            "WARNING: Retrying after connection broken\nERROR: No matching distribution found",
            UnreachableError,
            "broken",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n  Expected sha256 00\n  Got 11",
            CheckError,
            "Expected sha256",
        ),
        ("ERROR: OSError: [Errno 28] No space left on device", ToolError, "Errno 28"),
        ("pip broke", UnreachableError, "pip broke"),
    ],
    ids=["no network", "another file", "disk full", "anything else"],
)
def test_a_failure_leaves_what_was_there(root: Path, stderr: str, family: type[GoldsmithError], shown: str) -> None:
    """The old environment stays in place, nothing half-made stays, and the error fits the cause."""
    make(root)
    before = folders(root)
    (root / "requirements.txt").write_text("invoke==2 --hash=sha256:00\n")
    with pytest.raises(family, match=shown):
        make(root, VenvRunner(Completed(returncode=1, stdout="", stderr=stderr)))
    assert folders(root) == before
    assert (root / ".venv" / STAMP).exists()


def test_retries_of_pip_do_not_fill_the_screen(root: Path) -> None:
    """First and last complaints are kept."""
    stderr = "\n".join(f"WARNING: {number}" for number in range(99))
    with pytest.raises(UnreachableError) as caught:
        make(root, VenvRunner(Completed(returncode=1, stdout="", stderr=stderr)))
    assert len(caught.value.render().splitlines()) < 16
    assert "WARNING: 0\n" in caught.value.why
    assert caught.value.why.endswith("WARNING: 98")


DEBIAN = Path("/usr/bin/python3.11")


def test_debian_gets_the_missing_module() -> None:
    """The package is that of this very Python."""
    assert venv_package(DEBIAN, distribution="debian", version=(3, 11), is_root=True, forbidden=False) == (
        "python3.11-venv"
    )


@pytest.mark.parametrize(
    ("python", "distribution", "is_root", "forbidden", "hint"),
    [
        (DEBIAN, "debian", False, False, "sudo apt-get install python3.11-venv"),
        (DEBIAN, "ubuntu", True, True, "GOLDSMITH_NO_INSTALL"),
        (DEBIAN, "fedora", True, False, "ensurepip"),
        (Path("/opt/python/bin/python3.11"), "debian", True, False, "use a Python"),
    ],
    ids=["not root", "forbidden", "no Debian", "not Debian's Python"],
)
def test_elsewhere_the_operator_is_told(
    python: Path,
    distribution: str,
    is_root: bool,  # noqa: FBT001 - a table
    forbidden: bool,  # noqa: FBT001 - a table
    hint: str,
) -> None:
    """One screen with four parts, status 2."""
    with pytest.raises(ConfigurationError) as caught:
        venv_package(python, distribution=distribution, version=(3, 11), is_root=is_root, forbidden=forbidden)
    assert hint in caught.value.render()


def test_the_environment_is_entered_through_a_relative_link(root: Path) -> None:
    """So a checkout can be looked at under another path, for instance in a container."""
    make(root)
    assert not (root / ".venv").readlink().is_absolute()
