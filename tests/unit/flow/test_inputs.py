"""A key changes when the guest's bits would, and only then."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from goldsmith import config
from goldsmith.config.secrets import PASSWORD_HASH, Found
from goldsmith.errors import ConfigurationError
from goldsmith.flow import inputs
from goldsmith.host.workspace import Workspace
from goldsmith.model import DockerImage
from goldsmith.toolbox import lock as locks

if TYPE_CHECKING:
    from collections.abc import Callable

    from goldsmith.config import Effective
    from goldsmith.plan import Inputs
    from goldsmith.toolbox.lock import GoRow, Lock

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def lock() -> Lock:
    return locks.load(ROOT / "docker" / "lock.json")


@pytest.fixture
def effective(tmp_path: Path) -> Effective:
    return config.load("lab", None, workspace=Workspace(root=ROOT, cache=tmp_path), environment={})


def changed(before: Inputs, after: Inputs) -> tuple[str, ...]:
    return after.changed_since(before.summary())


def with_image(effective: Effective, **changes: Any) -> Effective:
    return replace(effective, image=effective.image.model_copy(update=changes))


def with_guests(effective: Effective, **changes: Any) -> Effective:
    site = effective.site
    return replace(effective, site=site.model_copy(update={"guests": site.guests.model_copy(update=changes)}))


def with_placement(effective: Effective, **changes: Any) -> Effective:
    site = effective.site
    return replace(effective, site=site.model_copy(update={"placement": site.placement.model_copy(update=changes)}))


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda e: with_image(e, packages=(*e.image.packages, "jq")), ("answers",)),
        (lambda e: with_image(e, hardware=e.image.hardware.model_copy(update={"cpus": 8})), ("hardware",)),
        (lambda e: with_guests(e, ntp_servers=("ntp9.example.com",)), ("answers",)),
        (
            lambda e: replace(e, secrets={PASSWORD_HASH: Found(SecretStr("$6$x$" + "a" * 86), "environment")}),
            ("answers",),
        ),
        (lambda e: with_placement(e, datastore="elsewhere", folder="other", cluster="c2"), ()),
        (lambda e: replace(e, site=e.site.model_copy(update={"server": "vc9.example.com"})), ()),
    ],
    ids=["package", "cpus", "ntp", "password hash", "placement", "server"],
)
def test_what_decides_the_guest_changes_the_key(
    effective: Effective, lock: Lock, change: Callable[[Effective], Effective], parts: tuple[str, ...]
) -> None:
    """Packages, hardware, site values and the hash rebuild; where a template is placed does not."""
    before, after = (inputs.base(e, lock=lock, root=ROOT) for e in (effective, change(effective)))
    assert changed(before, after) == parts
    assert (before.key == after.key) == (not parts)


def with_version(lock: Lock, module: str, old: str, new: str) -> Lock:
    """Return *lock* with another version of a Go module in its toolbox."""

    def row(row: GoRow) -> GoRow:
        path = row.path.replace(f"{module}/@v/{old}", f"{module}/@v/{new}")
        return row.model_copy(update={"path": path})

    toolbox = lock.sections.toolbox
    toolbox = toolbox.model_copy(update={"go": tuple(map(row, toolbox.go))})
    return lock.model_copy(update={"sections": lock.sections.model_copy(update={"toolbox": toolbox})})


def test_packer_counts_and_govc_does_not(effective: Effective, lock: Lock) -> None:
    """Of the toolbox only the tools that shape a guest count: relocking the others rebuilds no template."""
    before = inputs.base(effective, lock=lock, root=ROOT)
    packer = with_version(lock, "github.com/hashicorp/packer", "v1.16.0", "v1.16.9")
    govc = with_version(lock, "github.com/vmware/govmomi", "v0.56.0", "v0.99.0")
    assert changed(before, inputs.base(effective, lock=packer, root=ROOT)) == ("tools",)
    assert govc != lock
    assert changed(before, inputs.base(effective, lock=govc, root=ROOT)) == ()


def test_jq_does_not_count(effective: Effective, lock: Lock) -> None:
    """A toolbox with another jq makes the same templates."""
    toolbox = lock.sections.toolbox
    debs = tuple(row.model_copy(update={"sha256": "0" * 64}) if row.name == "jq" else row for row in toolbox.debs)
    assert debs != toolbox.debs
    other = lock.model_copy(
        update={"sections": lock.sections.model_copy(update={"toolbox": toolbox.model_copy(update={"debs": debs})})}
    )
    before, after = (inputs.base(effective, lock=x, root=ROOT) for x in (lock, other))
    assert before == after


def test_the_installers_pins_count(effective: Effective, lock: Lock) -> None:
    """Another installer is another template."""
    media = lock.sections.media
    debs = (media.debs[0].model_copy(update={"sha256": "0" * 64}), *media.debs[1:])
    other = lock.model_copy(
        update={"sections": lock.sections.model_copy(update={"media": media.model_copy(update={"debs": debs})})}
    )
    before, after = (inputs.base(effective, lock=x, root=ROOT) for x in (lock, other))
    assert changed(before, after) == ("installer",)


def test_comments_in_packers_files_do_not_count(effective: Effective, lock: Lock, tmp_path: Path) -> None:
    """Explaining the HCL better rebuilds nothing; changing it does."""
    shutil.copytree(ROOT / "packer", tmp_path / "packer")
    file = tmp_path / "packer" / "base.pkr.hcl"
    before = inputs.base(effective, lock=lock, root=tmp_path)
    file.write_text("# a better explanation\n" + file.read_text())
    assert inputs.base(effective, lock=lock, root=tmp_path) == before
    file.write_text(file.read_text() + "locals {\n  more = true\n}\n")
    assert changed(before, inputs.base(effective, lock=lock, root=tmp_path)) == ("packer",)


def docker(effective: Effective, lock: Lock, *, root: Path = ROOT) -> Inputs:
    return inputs.docker(effective, lock=lock, root=root, parent=inputs.base(effective, lock=lock, root=root))


MCR = {
    "docker_engine_repo_url": "https://repos.example.com/ubuntu",
    "docker_engine_repo_key_file": "tests/recorded/docker/repository.asc",
    "docker_engine_repo_key_fingerprint": "0" * 40,
    "docker_engine_packages": [{"name": "docker-ee", "version": "1"}],
}


def with_docker(effective: Effective, **changes: Any) -> Effective:
    return with_image(effective, docker=effective.image.docker.model_copy(update=changes))


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda e: with_image(e, packages=(*e.image.packages, "jq")), ("base",)),
        (lambda e: with_docker(e, variables={"docker_engine_swarm": True}), ("variables",)),
        (lambda e: with_docker(e, engine="mcr", variables=MCR), ("files", "variables")),
        (lambda e: with_docker(e, data_disk_mib=4096), ("disk",)),
        (lambda e: with_placement(e, datastore="elsewhere"), ()),
    ],
    ids=["package", "variable", "engine", "disk", "placement"],
)
def test_what_decides_the_docker_host_changes_its_key(
    effective: Effective, lock: Lock, change: Callable[[Effective], Effective], parts: tuple[str, ...]
) -> None:
    """A package changes the base and with it the host; what only Ansible is told leaves the base alone."""
    other = change(effective)
    assert changed(docker(effective, lock), docker(other, lock)) == parts
    base, again = (inputs.base(e, lock=lock, root=ROOT) for e in (effective, other))
    assert (base == again) == ("base" not in parts)


def test_a_linked_template_is_no_full_one(effective: Effective, lock: Lock) -> None:
    """Asked for a full clone, a plan names that as what changed since a linked one, and the other way round."""
    base = inputs.base(effective, lock=lock, root=ROOT)
    linked, full = (inputs.docker(effective, lock=lock, root=ROOT, parent=base, full=full) for full in (False, True))
    assert changed(linked, full) == changed(full, linked) == ("full-clone",)


def test_what_the_playbooks_are_given_counts_by_its_content(effective: Effective, lock: Lock, tmp_path: Path) -> None:
    """Another CA of a registry under the same name makes another host."""
    for name in ("packer", "ansible", "kickstart"):
        shutil.copytree(ROOT / name, tmp_path / name)
    told = with_docker(effective, variables={"docker_engine_registry_cas": {"registry.example.com:5000": "ca.pem"}})
    before = docker(effective, lock, root=tmp_path)
    pem = (ROOT / "tests/recorded/certificates/corporate-root.crt").read_text()
    (tmp_path / "ca.pem").write_text(pem)
    one = docker(told, lock, root=tmp_path)
    assert changed(before, one) == ("files", "variables")
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match=r"ca\.pem holds no certificate"):
        docker(told, lock, root=tmp_path)
    (tmp_path / "ca.pem").write_text(f"another\n{pem}")
    assert changed(one, docker(told, lock, root=tmp_path)) == ("files",)


@pytest.mark.parametrize("name", ["missing.pem", "/etc/hostname", "../elsewhere.pem"])
def test_a_file_that_the_toolbox_cannot_see_is_refused(
    effective: Effective, lock: Lock, tmp_path: Path, name: str
) -> None:
    """A missing file, and one outside of the repository, are named before anything is done."""
    for folder in ("packer", "ansible", "kickstart"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    archive = DockerImage(tag="one:1", archive=name, sha256="0" * 64, id=f"sha256:{'0' * 64}")
    for told in ({"variables": {"docker_engine_repo_key_file": name}}, {"images": (archive,)}):
        with pytest.raises(ConfigurationError) as caught:
            docker(with_docker(effective, **told), lock, root=tmp_path)
        assert name in caught.value.why


@pytest.mark.parametrize("name", MCR)
def test_an_engine_without_what_it_needs_is_refused(effective: Effective, lock: Lock, name: str) -> None:
    """Its role would say so in the clone; the base alone is forged without it."""
    lacking = with_docker(effective, engine="mcr", variables={key: value for key, value in MCR.items() if key != name})
    with pytest.raises(ConfigurationError) as caught:
        docker(lacking, lock)
    assert name in caught.value.why
    assert inputs.base(lacking, lock=lock, root=ROOT) == inputs.base(effective, lock=lock, root=ROOT)


def test_roles_and_phase_two_s_hcl_count_for_phase_two_only(effective: Effective, lock: Lock, tmp_path: Path) -> None:
    """Changing a role or docker.pkr.hcl repeats phase 2 only; a comment in them repeats nothing."""
    for name in ("packer", "ansible", "kickstart"):
        shutil.copytree(ROOT / name, tmp_path / name)
    base, host = inputs.base(effective, lock=lock, root=tmp_path), docker(effective, lock, root=tmp_path)
    for name, text, parts in (
        ("packer/docker.pkr.hcl", "# a comment\n", ()),
        ("packer/docker.pkr.hcl", "locals {\n  more = true\n}\n", ("packer",)),
        ("ansible/roles/docker_engine/defaults/main.yml", "# a comment\n", ("packer",)),
        ("ansible/roles/docker_engine/defaults/main.yml", "docker_engine_more: 1\n", ("packer", "roles")),
    ):
        with (tmp_path / name).open("a") as file:
            file.write(text)
        assert changed(host, docker(effective, lock, root=tmp_path)) == parts
        assert inputs.base(effective, lock=lock, root=tmp_path) == base


def test_ansible_counts_for_phase_two_only(effective: Effective, lock: Lock) -> None:
    """Another ansible-core may make another host; the base does not know it."""
    toolbox = lock.sections.toolbox
    wheels = tuple(
        row.model_copy(update={"version": "9.9.9"}) if row.name == "ansible-core" else row for row in toolbox.wheels
    )
    toolbox = toolbox.model_copy(update={"wheels": wheels})
    other = lock.model_copy(update={"sections": lock.sections.model_copy(update={"toolbox": toolbox})})
    assert changed(docker(effective, lock), docker(effective, other)) == ("tools",)
