"""Phase 2 begins with the right base, lets its build in through guestinfo, and tells Ansible what the image says."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith import forging
from goldsmith.builds import Build
from goldsmith.errors import ConfigurationError, MissingObjectError, ToolError
from goldsmith.host.runner import Completed
from goldsmith.model import Docker, Image, Os, Site
from goldsmith.stages import docker
from goldsmith.vcenter import notes
from goldsmith.vcenter.inventory import Machine, Power
from goldsmith.work import Work
from tests.unit.fakes import FakeProgress, FakeRunner
from tests.unit.stages.test_base import PASSWORD, Toolbox
from tests.unit.vcenter.fakes import BEGAN, BUILD, OTHER_BUILD, PLACEMENT, FakeVCenter, finished

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.vcenter.marks import Template

KEY = "ba" * 32
BASE = f"debian-13-base-{OTHER_BUILD}"
NAME = f"debian-13-docker-{BUILD}"
PUBLIC = f"ssh-ed25519 AAAA goldsmith-build-{BUILD}"
IMAGE = Image(
    name="debian-13",
    os=Os(family="debian", release="13", suite="trixie", installer="preseed", guest_type="debian12_64Guest"),
    docker=Docker(variables={"docker_engine_swarm": True, "guest_seal_keep_apt_proxy": True}),
    packages=("curl",),
)
SITE = Site(
    name="lab",
    server="vc.example.com",
    placement=PLACEMENT,
)


class Bench:
    """A site with a base, a build, and all doors; Packer prints *output* and ends with *status*."""

    def __init__(self, root: Path, *, status: int = 0, output: str = "") -> None:
        self.vcenter = FakeVCenter()
        self.progress = FakeProgress()
        self.runner = FakeRunner({"packer": lambda _: self._packer()})
        self._status, self._output = status, output
        folder = root / "build" / BUILD
        job = forging.Job(
            build=Build(id=BUILD, image="debian-13", site="lab", key="ab" * 32, inputs="base=ba", phase="docker"),
            image=IMAGE,
            site=SITE,
            user="builder",
            password=PASSWORD,
            root=root,
            folder=folder,
            private_key=folder / "keys/id",
            host="here",
        )
        self.request = docker.Provisioning(job=job, public_key=PUBLIC, base_key=KEY)

    def base(self, ref: str = "vm-9", *, name: str = BASE, build: str = OTHER_BUILD, **changed: Any) -> Machine:
        """Put a finished base on the site."""
        return self.vcenter.add(finished(build, key=KEY, **{"ref": ref, "name": name, **changed}))

    def _packer(self) -> Completed:
        note = notes.under_way(Work(BUILD), name=NAME, host="here", began=BEGAN)
        done = self._status == 0
        power = Power.OFF if done else Power.ON
        self.vcenter.add(
            Machine(
                ref="vm-1",
                name=NAME,
                instance_uuid="uuid-1",
                note=note,
                is_template=done,
                has_snapshot=done,
                power=power,
            )
        )
        return Completed(returncode=self._status, stdout=self._output)

    def forge(self) -> Template:
        """Run the stage."""
        effects = forging.Effects(
            connect=self.vcenter.connect,
            toolbox=Toolbox(),
            runner=self.runner,
            progress=self.progress,
            now=lambda: datetime(2026, 11, 23, 16, tzinfo=UTC),
        )
        return docker.forge(self.request, effects)

    def given(self) -> dict[str, Any]:
        """Return Packer's variables."""
        values: dict[str, Any] = json.loads(self.request.job.variable_file.read_text(encoding="utf-8"))
        return values


def test_the_newest_base_with_the_key_and_a_snapshot_is_cloned(tmp_path: Path) -> None:
    """Of several bases with the key the newest whole one counts, by its path; another key never does."""
    bench = Bench(tmp_path)
    bench.base()
    newer = bench.base("vm-8", name="debian-13-base-20261123-090000-0123abcd", build="20261123-090000-0123abcd")
    bench.base("vm-7", name=f"debian-13-base-{BUILD}", build=BUILD, has_snapshot=False)
    bench.base("vm-6", name="somebody-s-choice", build=BUILD)
    made = bench.forge()
    assert bench.given()["source_template"] == f"/DC0/vm/goldsmith/{newer.name}"
    assert (made.name, made.attributes.phase, made.attributes.key) == (NAME, "docker", "ab" * 32)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (None, "the base template is gone"),
        ({"has_snapshot": False}, "the base template has no snapshot"),
        ({"attributes": {}}, "the base template is gone"),
        ({"folder": "vm-f"}, "the base template is not the site's"),
        ({"name": "renamed"}, "the base template is not the site's"),
        ({"instance_uuid": "another"}, "the base template is not the site's"),
    ],
    ids=["deleted", "no snapshot", "no attributes", "moved", "renamed", "copied"],
)
def test_without_a_base_nothing_starts(tmp_path: Path, changed: dict[str, Any] | None, what: str) -> None:
    """A base that vanished since the plan, or lost its snapshot, is told before Packer starts."""
    bench = Bench(tmp_path)
    if changed is not None:
        bench.base(**changed)
    with pytest.raises(MissingObjectError, match=what) as caught:
        bench.forge()
    assert bench.runner.asked == []
    assert "packer-base --rebuild" in caught.value.render()


def test_who_may_not_clone_learns_it_first(tmp_path: Path) -> None:
    """Phase 2 asks for the privileges that cloning needs before anything is made."""
    bench = Bench(tmp_path)
    bench.base()
    bench.vcenter.denied = {"folder": {"VirtualMachine.Provisioning.DeployTemplate"}}
    with pytest.raises(ConfigurationError, match=r"DeployTemplate") as caught:
        bench.forge()
    assert "folder 'goldsmith'" in caught.value.render()
    assert bench.runner.asked == []


def test_the_key_travels_by_guestinfo(tmp_path: Path) -> None:
    """cloud-init is given the build's public key and an instance of its own; no secret is in guestinfo."""
    info = docker.guestinfo(PUBLIC, BUILD)
    userdata = base64.b64decode(info["userdata"]).decode()
    head, _, rest = userdata.partition("\n")
    assert (head, json.loads(rest)) == ("#cloud-config", {"ssh_authorized_keys": [PUBLIC]})
    assert json.loads(base64.b64decode(info["metadata"])) == {"instance-id": f"goldsmith-{BUILD}"}
    assert {info["userdata.encoding"], info["metadata.encoding"]} == {"base64"}
    bench = Bench(tmp_path)
    bench.base()
    bench.forge()
    assert bench.given()["guestinfo"] == info


@pytest.mark.parametrize("full", [False, True])
def test_a_clone_is_linked_unless_it_is_for_release(tmp_path: Path, *, full: bool) -> None:
    """Linked clones are the rule; --full makes one that shares no disk."""
    bench = Bench(tmp_path)
    bench.base()
    bench.request = replace(bench.request, full=full)
    bench.forge()
    assert bench.given()["linked_clone"] is not full


def test_ansible_is_told_what_the_image_says(tmp_path: Path) -> None:
    """The image's variables reach the playbooks in a file, the same on every site."""
    bench = Bench(tmp_path)
    bench.base()
    bench.forge()
    file = tmp_path / bench.given()["ansible_variables"]
    assert json.loads(file.read_text()) == {
        "docker_engine_swarm": True,
        "guest_seal_keep_proxy": True,  # under the name it has now
        "guest_family": "apt",
        "data_disk_device": "/dev/sdb",
        "docker_engine_flavour": "docker.io",
        "docker_images_list": [],
    }


def test_the_password_is_a_secret_of_the_run_only(tmp_path: Path) -> None:
    """Packer and govc get the login by the toolbox's secrets; nothing that stays holds the password."""
    bench = Bench(tmp_path)
    bench.base()
    bench.forge()
    [command] = bench.runner.asked
    assert (
        command.stdin
        == f"PKR_VAR_vcenter_password={PASSWORD}\0GOVC_USERNAME=builder\0GOVC_PASSWORD={PASSWORD}".encode()
    )
    assert "-only=docker.*" in command.argv
    assert PASSWORD not in f"{command} {command.replay()} {bench.request}"
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and PASSWORD in p.read_text(encoding="utf-8")]


ROLE_FAILED = """\
1,,ui,say,==> docker.vsphere-clone.docker: Running local shell script: /tmp/packer-shell1
2,,ui,message,    docker.vsphere-clone.docker: TASK [data_disk : The disk is there] ***********
3,,ui,message,    docker.vsphere-clone.docker: fatal: [192.0.2.7]: FAILED! =>
4,,ui,message,    docker.vsphere-clone.docker: /dev/sdb is neither a block device nor an image file in this guest
5,,ui,error,Script exited with non-zero exit status: 2. Allowed exit codes are: [0]"""


def test_a_role_that_fails_is_named_by_its_task(tmp_path: Path) -> None:
    """The error names the task and what it means, shows Ansible's last lines, and the clone is gone."""
    bench = Bench(tmp_path, status=1, output=ROLE_FAILED)
    bench.base()
    with pytest.raises(ToolError) as caught:
        bench.forge()
    text = caught.value.render()
    assert "Ansible failed at the task: data_disk : The disk is there: the clone does not see its data disk" in text
    assert "neither a block device" in text
    assert "logs/docker.log" in text
    assert len(text.splitlines()) <= 40
    assert [machine.name for machine in bench.vcenter.machines()] == [BASE]


def test_a_clone_without_an_address_is_not_called_an_installation(tmp_path: Path) -> None:
    """Phase 2 installs nothing: the causes are those of a clone."""
    output = "1,,ui,say,==> docker.vsphere-clone.docker: Waiting for IP...\n2,,ui,error,timeout waiting for IP address"
    bench = Bench(tmp_path, status=1, output=output)
    bench.base()
    with pytest.raises(ToolError, match="the clone never reported an address"):
        bench.forge()
    assert "start, until an address is reported" in [name for name, _ in bench.progress.steps]
