"""What can break while a build runs: each ends in one error that says what broke, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import ROOT
from tests.integration.inventory import difference, docker, folders
from tests.integration.proxy import Forwarder
from tests.integration.test_interruptions import stands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.bystander import Bystander, Run
    from tests.integration.conftest import Result

SOON = {"GOLDSMITH_IP_WAIT_TIMEOUT": "5m", "GOLDSMITH_SSH_TIMEOUT": "3s"}
"""Long enough for an installation on a busy machine; nothing here waits for it to run out but SSH's."""


@pytest.fixture(autouse=True)
def untouched(bystander: Bystander) -> Iterator[None]:
    """Compare everything that a build can leave before and after each test."""
    before = bystander.inventory()
    yield
    assert difference(before, bystander.inventory()) == ""


def failed(result: Result, code: int, *words: str) -> dict[str, str]:
    """Check that a verb ended with *code* and one error that has *words*; return its parts."""
    error = result.error()
    assert result.code == code, result.err
    assert result.out == ""
    told = "\n".join(error.values())
    for word in words:
        assert word in told, result.err
    return error


def installing(bystander: Bystander) -> tuple[Run, dict[str, Any]]:
    """Start a build and wait until its installer has begun; return the run, and what the lab knows of the machine.

    The lab tells all that happened since it was made: what was there before the run began is other tests'.
    """
    admin = bystander.admin()
    seen = max((event["seq"] for event in admin.events()), default=0)
    run = bystander.start("packer-base", "--rebuild", **SOON)
    while run.process.poll() is None:
        for event in admin.events(since=seen, wait=True):
            seen = event["seq"]
            if event["detail"] == {"event": "installing"}:
                [row] = [row for row in admin.vms() if row["name"] == event["object"]]
                return run, row
    raise AssertionError(run.said)


# -- the installation -------------------------------------------------------------------------


def test_the_installers_own_words(bystander: Bystander) -> None:
    """A package that does not exist stops the installer, as it should; the error says so in English at once."""
    image = bystander.root / "config/images/unknown-package.toml"
    text = (bystander.root / "config/images/debian-13.toml").read_text()
    text = text.replace("packages = []", 'packages = ["no-such-package", "htop"]')
    image.write_text(text.replace('locale = "en_US.UTF-8"', 'locale = "de_DE.UTF-8"'))
    try:
        result = bystander.operator.run("packer-base", "--image", "unknown-package", **SOON)
    finally:
        image.unlink()
    failed(result, 4, "the installer gave up", "Unable to locate package no-such-package", "config/images/")


def test_ssh_never_comes_up(bystander: Bystander) -> None:
    """An address that answers no SSH ends the build after SSH's own time, with the line to try it by hand."""
    run, machine = installing(bystander)
    # What the tools of an installed system would say, while the installer still runs.
    docker("exec", machine["container"], "sh", "-c", 'echo \'@lab {"event":"tools-running"}\' >/proc/1/fd/1')
    failed(run.end(), 4, "does not answer by SSH", "nc -vz")


def test_a_guest_that_powers_off_by_itself(bystander: Bystander) -> None:
    """A machine that goes off while Packer waits for it is noticed, long before Packer would give up."""
    run, machine = installing(bystander)
    docker("stop", "--time", "5", machine["container"])
    failed(run.end(), 4, "the guest powered off by itself", "powered off")


def test_the_medium_is_gone(bystander: Bystander) -> None:
    """A boot medium that vanishes between the upload and the power-on is named."""
    admin = bystander.admin()
    admin.put_barrier("power", method="PowerOnVM_Task")
    run = bystander.start("packer-base", "--rebuild", **SOON)
    try:
        stands(admin, "power", run)
        with bystander.lab.connect() as vcenter:
            nodes = {node.name: node for node in vcenter.nodes()}
            [medium] = vcenter.files(nodes["lab-ds"], "goldsmith", "*.iso")
            vcenter.delete_file(nodes["DC0"], nodes["lab-ds"], medium.path)
    finally:
        admin.release("power")
    failed(run.end(), 4, "could not attach something", medium.path)


def test_the_vcenter_goes_away(bystander: Bystander) -> None:
    """A vCenter that ends every session and refuses new ones is told; what stays behind is removed by clean."""
    admin = bystander.admin()
    admin.put_barrier("create", method="CreateVM_Task")
    run = bystander.start("packer-base", "--rebuild", **SOON)
    try:
        stands(admin, "create", run)
        admin.outage(on=True)
    finally:
        admin.release("create", refuse=True)
    result = run.end()
    admin.outage(on=False)
    assert result.error()["what"]
    assert result.code in (4, 5), result.err
    assert "'./inv clean' removes it" in result.err
    bystander.operator.done("clean")


# -- the engine -------------------------------------------------------------------------------


def test_the_engine_stops(bystander: Bystander) -> None:
    """An engine that is gone while Packer runs is told; clean removes what could not be removed then."""
    admin = bystander.admin()
    admin.put_barrier("create", method="CreateVM_Task")
    with Forwarder("/var/run/docker.sock") as engine:
        run = bystander.start("packer-base", "--rebuild", DOCKER_HOST=engine.address, **SOON)
        try:
            stands(admin, "create", run)
            engine.cut()
            result = run.end()
        finally:
            admin.release("create", refuse=True)
    failed(result, 5, "Docker engine")
    bystander.operator.done("clean")


def test_a_remote_engine(bystander: Bystander) -> None:
    """An engine that answers and does not see this repository is refused."""
    with Forwarder("/var/run/docker.sock", tcp=True) as engine:
        result = bystander.operator.run("shell", DOCKER_HOST=engine.address)
    failed(result, 7, "a remote Docker engine cannot see this repository", engine.address)


# -- the disk ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mebibytes", [20, 90], ids=["for the installer", "for the medium"])
def test_no_space_to_compose(bystander: Bystander, mebibytes: int) -> None:
    """A full disk is told as such, whoever noticed it, and no half-made medium stays."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    build = bystander.root / "build"
    build.mkdir(exist_ok=True)
    subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "small", build), check=True)
    try:
        result = bystander.operator.run("packer-base", "--rebuild")
        assert folders(bystander.root) == []
    finally:
        subprocess.run(("umount", build), check=True)
    failed(result, 4, "no space is left to compose the boot medium", "MB are free now")


# -- downloads --------------------------------------------------------------------------------


SIZES = {
    row["path"]: row["size"] for row in json.loads((ROOT / "docker/lock.json").read_text())["sections"]["media"]["debs"]
}
"""Bytes of the packages that a medium is made of, by their path on a mirror."""


class Mirror(BaseHTTPRequestHandler):
    """Serves every file wrongly, in the way its server says."""

    server: Wrong
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.server.asked.append(self.path)
        if self.server.how == "missing":
            self.send_error(404)
            return
        size = SIZES[self.path.removeprefix("/debian/")]
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(bytes(size if self.server.how == "other" else size // 2))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Wrong(ThreadingHTTPServer):
    """A mirror that is wrong: its files are ``other`` ones, ``short``, or ``missing``."""

    def __init__(self, how: str) -> None:
        super().__init__(("127.0.0.1", 0), Mirror)
        self.how = how
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        """Its root."""
        return f"http://127.0.0.1:{self.server_port}/debian"


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ("other", 6, ("is not the locked file", "locked sha256", "try another mirror")),
        ("short", 5, ("cannot be fetched", "GOLDSMITH_DEBIAN_MIRROR")),
        ("missing", 5, ("cannot be fetched", "HTTP 404", "invoke lock")),
    ],
    ids=["other bytes", "interrupted", "missing"],
)
def test_a_mirror_that_is_wrong(
    bystander: Bystander, tmp_path: Path, how: str, code: int, words: tuple[str, ...]
) -> None:
    """Nothing but the locked bytes enters the cache, and no half-fetched file stays in it."""
    site = bystander.root / "config/sites/plain.toml"
    shutil.copy(bystander.root / "config/sites/example.toml", site)
    with Wrong(how) as mirror:
        threading.Thread(target=mirror.serve_forever, daemon=True).start()
        try:
            result = bystander.operator.run(
                "iso-build",
                "--site",
                "plain",
                GOLDSMITH_CACHE_DIR=str(tmp_path),
                GOLDSMITH_DEBIAN_MIRROR=mirror.address,
                NO_PROXY="127.0.0.1",
            )
        finally:
            site.unlink()
            mirror.shutdown()
    failed(result, code, *words)
    assert mirror.asked
    assert list((tmp_path / "sha256").iterdir()) == []
    bystander.operator.done("clean")
