from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from goldsmith.toolbox import context
from goldsmith.toolbox.context import Context
from tests.unit.toolbox import packages

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.host.workspace import Workspace

EPOCH = 86400
EXCLUDES = "path-exclude=/usr/share/doc/*\npath-include=/usr/share/doc/*/copyright\npath-exclude=/usr/share/man/*\n"


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return packages.workspace(tmp_path)


@pytest.fixture
def target(space: Workspace) -> Context:
    folder = space.cache / "context"
    folder.mkdir()
    return Context(folder=folder, workspace=space, epoch=EPOCH)


def test_locked_files_are_linked(target: Context, space: Workspace) -> None:
    """A gigabyte of packages costs no space twice."""
    source = packages.cached(space, b"wheel")
    target.wheels([packages.wheel_row(b"wheel")])
    [linked] = (target.folder / "wheels").glob("*.whl")
    assert linked.stat().st_ino == source.stat().st_ino


def test_pip_installs_all_but_itself(target: Context, space: Workspace) -> None:
    """Pip's own wheel is there to run from, and is not asked for."""
    rows = [packages.wheel_row(b"1", name="pip"), packages.wheel_row(b"2", name="jinja2")]
    for data in (b"1", b"2"):
        packages.cached(space, data)
    target.wheels(rows)
    assert (
        target.folder / "wheels" / "requirements.txt"
    ).read_text() == f"jinja2==1.0 --hash=sha256:{rows[1].sha256}\n"


def test_modes_and_times_are_the_same_everywhere(target: Context, space: Workspace) -> None:
    """Whatever the umask and the time of the checkout, the context has one form; only what can be run stays so."""
    source = space.root / "docker"
    source.mkdir()
    for name, mode in (("a.sh", 0o750), ("b.cfg", 0o600)):
        (source / name).write_text("")
        (source / name).chmod(mode)
    target.copy(source, "d")
    target.freeze()
    stats = {path.name: path.stat() for path in [target.folder, *target.folder.rglob("*")]}
    assert {name: stat.st_mode & 0o777 for name, stat in stats.items()} == {
        "context": 0o755,
        "d": 0o755,
        "a.sh": 0o755,
        "b.cfg": 0o644,
    }
    assert {stat.st_mtime for stat in stats.values()} == {EPOCH}


def test_the_seed_has_no_excluded_files_and_none_twice(target: Context, space: Workspace) -> None:
    """Files that dpkg would leave out are left out of what comes before dpkg as well."""
    data = packages.package({"usr/bin/x": b"1", "usr/share/doc/x/readme": b"2", "usr/share/man/x.1": b"3"})
    other = packages.package({"usr/bin/x": b"other"})
    for one in (data, other):
        packages.cached(space, one)
    rows = [packages.deb_row(data), packages.deb_row(other, name="other")]
    target.seed(rows, context.exclusions(EXCLUDES))
    with tarfile.open(target.folder / "seed.tar") as seed:
        assert seed.getnames() == ["usr/bin/x"]
        assert (seed.extractfile("usr/bin/x") or io.BytesIO()).read() == b"1"


def test_the_seed_is_the_same_each_time(target: Context, space: Workspace) -> None:
    """The archive depends on the packages alone."""
    data = packages.package({"usr/bin/x": b"1"})
    packages.cached(space, data)
    archives = []
    for _ in range(2):
        target.seed([packages.deb_row(data)])
        archives.append((target.folder / "seed.tar").read_bytes())
    assert archives[0] == archives[1]


def test_every_modules_licence_comes_along(target: Context, space: Workspace) -> None:
    """The texts at the top of each module are kept under its name and version, and no other files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("LICENSE", "NOTICE.txt", "main.go", "vendor/LICENSE"):
            archive.writestr(f"example.com/Mod@v1.0.0/{name}", name)
    packages.cached(space, out.getvalue())
    target.licences([packages.go_row(out.getvalue()), packages.go_row(b"m", "example.com/x/@v/v1.mod")])
    found = sorted(path.relative_to(target.folder).as_posix() for path in target.folder.rglob("*") if path.is_file())
    assert found == ["licences/go/example.com/Mod@v1.0.0/LICENSE", "licences/go/example.com/Mod@v1.0.0/NOTICE.txt"]
