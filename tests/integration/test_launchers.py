"""The launchers as a user starts them: real shells and processes, in a small checkout without any packages."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOW = """\
#!/bin/sh
echo "name=${0##*/}"
for argument in "$@"; do echo "argument=$argument"; done
echo "cwd=$(pwd)"
echo "VIRTUAL_ENV=$VIRTUAL_ENV"
echo "first=${PATH%%:*}"
echo "PYTHONPATH=${PYTHONPATH-unset} PYTHONHOME=${PYTHONHOME-unset}"
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a checkout with the launchers and an empty lock, below a folder with a space."""
    root = tmp_path / "my repository"
    root.mkdir()
    for name in ("inv", "nox", "scripts", "goldsmith"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, root / name)
    (root / "requirements.txt").write_text("# no packages\n")
    return root


@pytest.fixture
def ready(repository: Path) -> Path:
    """Return a checkout whose environment fits, with programs that show how they were started."""
    venv = repository / ".venv"
    (venv / "bin").mkdir(parents=True)
    script(venv / "bin/nox", SHOW)
    script(venv / "bin/python", SHOW)
    shutil.copy(repository / "requirements.txt", venv / "goldsmith-requirements.txt")
    (venv / "goldsmith-stamp").write_text(f"{repository}\n")
    return repository


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def start(*argv: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run *argv* with nothing of this run's environment but PATH."""
    path = os.environ["PATH"]
    return subprocess.run(
        argv, cwd=cwd, env={"PATH": path, **environment}, capture_output=True, text=True, check=False, timeout=300
    )


def verbs(root: Path) -> list[str]:
    """Return what ./inv puts before the words of its caller."""
    return ["-P", f"{root}/scripts/inv.py", "--search-root", str(root)]


def shown(done: subprocess.CompletedProcess[str], key: str) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [line.removeprefix(f"{key}=") for line in done.stdout.splitlines() if line.startswith(f"{key}=")]


def test_arguments_arrive_as_they_were_given(ready: Path) -> None:
    """Spaces, empty words and patterns survive."""
    done = start(ready / "inv", "a b", "", "*", "$HOME", cwd=ready)
    assert shown(done, "argument") == [*verbs(ready), "a b", "", "*", "$HOME"]


def test_without_arguments_the_verbs_are_listed(ready: Path) -> None:
    """A newcomer's first try shows what there is."""
    assert shown(start(ready / "inv", cwd=ready), "argument")[-1] == "--list"


def test_nox_is_led_to_the_checks_of_its_own_checkout(ready: Path, tmp_path: Path) -> None:
    """From any folder."""
    done = start(ready / "nox", "-s", "unit", cwd=tmp_path)
    assert shown(done, "argument") == ["-f", f"{ready}/noxfile.py", "-s", "unit"]


def test_every_way_to_name_a_launcher_works(ready: Path, tmp_path: Path) -> None:
    """By a relative path, through links, with sh, by PATH; the folder of the caller stays current."""
    (tmp_path / "links").mkdir()
    (tmp_path / "links/one").symlink_to("two")
    (tmp_path / "links/two").symlink_to(Path("..") / ready.name / "inv")
    for argv, cwd, environment in (
        (("./inv",), ready, {}),
        (("sh", "inv"), ready, {}),
        (("../my repository/inv",), tmp_path / "links", {}),
        (("links/one",), tmp_path, {}),
        (("inv",), tmp_path, {"PATH": f"{ready}:{os.environ['PATH']}"}),
        (("./my repository/inv",), tmp_path, {"CDPATH": "/:/usr"}),
    ):
        program = (
            shutil.which(argv[0], path=environment.get("PATH", os.environ["PATH"])) if argv[0] == "inv" else argv[0]
        )
        done = start(str(program), *argv[1:], cwd=cwd, **environment)
        assert shown(done, "argument")[:4] == verbs(ready), argv
        assert shown(done, "cwd") == [str(cwd)], argv


def test_foreign_python_settings_do_not_get_in(ready: Path) -> None:
    """Another project's environment, home and modules are left outside; the locked tools come first on PATH."""
    done = start(ready / "inv", cwd=ready, PYTHONPATH="/x", PYTHONHOME="/x", VIRTUAL_ENV="/x")
    assert shown(done, "PYTHONPATH") == ["unset PYTHONHOME=unset"]
    assert shown(done, "VIRTUAL_ENV") == [f"{ready}/.venv"]
    assert shown(done, "first") == [f"{ready}/.venv/bin"]


def test_a_warm_start_runs_no_python(ready: Path, tmp_path: Path) -> None:
    """With an environment that fits no Python is started to find out; each would leave a mark."""
    mark = tmp_path / "started"
    for name in ("python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"):
        script(tmp_path / "bin" / name, f"#!/bin/sh\necho {name} >>'{mark}'\nexit 1\n")
    done = start(ready / "inv", cwd=ready, PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert shown(done, "name") == ["python"]  # the environment's own, and only to run the verbs
    assert not mark.exists()


def test_a_shim_that_lies_is_passed_over(repository: Path, tmp_path: Path) -> None:
    """A python3.14 that cannot run, and a python3.13 that is older than its name, are no Python for us."""
    script(tmp_path / "bin/python3.14", "#!/bin/sh\necho 'pyenv: python3.14: command not found' >&2\nexit 127\n")
    script(tmp_path / "bin/python3.13", "#!/bin/sh\nexit 1\n")
    script(
        tmp_path / "bin/python3.12",
        f"#!/bin/sh\ncase $* in *bootstrap.py) echo chosen >'{tmp_path}/c'; exit 5;; esac\n",
    )
    done = start(repository / "inv", cwd=repository, PATH=f"{tmp_path}/bin:/usr/bin:/bin")
    assert (tmp_path / "c").exists()
    assert done.returncode == 5  # what the set-up ends with is what the user gets


def test_without_python_the_error_has_four_parts(repository: Path, tmp_path: Path) -> None:
    """Status 2, no traceback, nothing made."""
    (tmp_path / "empty").mkdir()
    done = start("/bin/sh", repository / "inv", cwd=repository, PATH=str(tmp_path / "empty"))
    assert done.returncode == 2
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["what", "where", "why", "next"]
    assert not list(repository.glob(".venv*"))


def test_ten_at_once_make_one_environment(repository: Path) -> None:
    """One makes it, nine wait; all then run."""
    started = [
        subprocess.Popen(
            [repository / "inv", "--version"], cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(10)
    ]
    said = [process.communicate(timeout=300)[1] for process in started]
    assert sum("✓ environment" in text for text in said) == 1
    assert len([path for path in repository.glob(".venv.*") if path.is_dir()]) == 1
    # Without packages there is no invoke to import; that much every one of them reached.
    assert all("No module named 'invoke'" in text for text in said)


def test_what_a_killed_run_leaves_is_no_obstacle(repository: Path) -> None:
    """Kill -9 in the middle: no environment stands there, and the next run makes it."""
    killed = subprocess.Popen(
        [repository / "inv"], cwd=repository, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    assert killed.stderr is not None
    assert "• environment" in killed.stderr.readline()  # it has begun
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    killed.stderr.close()
    assert not (repository / ".venv").exists()
    done = start(repository / "inv", cwd=repository)
    assert "✓ environment" in done.stderr
    assert (repository / ".venv/goldsmith-stamp").read_text() == f"{repository}\n"


def test_ci_runs_the_checks_without_a_terminal(ready: Path) -> None:
    """.ci/run is ./nox of its own checkout, told that it is CI."""
    shutil.copytree(ROOT / ".ci", ready / ".ci")
    script(ready / ".venv/bin/nox", '#!/bin/sh\necho "CI=$CI"; cat; echo "cwd=$(pwd)"\n')
    done = start(ready / ".ci/run", cwd=ready.parent)
    assert shown(done, "CI") == ["true"]
    assert shown(done, "cwd") == [str(ready)]


@pytest.mark.parametrize("name", ["a:b", "a\nb", "a\n"])
def test_a_folder_that_cannot_be_worked_in_is_refused(repository: Path, name: str) -> None:
    """Python makes no environment there, and lists of folders would fall apart: four parts, before anything is made."""
    root = repository.rename(repository.with_name(name))
    done = start(root / "inv", cwd=root)
    assert done.returncode == 2
    assert done.stderr.startswith("what:  ")
    assert f"where: {root}\n" in done.stderr
    assert not list(root.glob(".venv*"))


@pytest.mark.parametrize("mask", ["000", "077"])
def test_others_may_write_nothing_of_the_environment(ready: Path, mask: str) -> None:
    """Whoever can change what is run here decides what it does; a stricter mask stays as it is."""
    script(ready / ".venv/bin/python", "#!/bin/sh\numask\n")
    done = start("sh", "-c", f"umask {mask}; exec ./inv", cwd=ready)
    assert done.stdout.strip() == {"000": "0022", "077": "0077"}[mask]


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """The verbs piped into `head` end as any program does that writes to a closed pipe, without a traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run((ROOT / "inv", "--list"), stdout=writer, stderr=subprocess.PIPE, check=False, timeout=300)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")
