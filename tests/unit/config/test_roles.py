"""An image's variables for the playbooks are those that the roles declare, or refused before anything is started."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.config import roles
from goldsmith.config.files import Table, lines
from goldsmith.config.problems import Problems
from tests.unit.installers.images import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

SPECS = sorted(ROOT.glob(roles.SPECS))


def found(text: str) -> list[str]:
    """Return what is noted of variables, written as in an image's file."""
    whole = f"[docker.variables]\n{text}\n"
    places = {key: f"image.toml:{line}" for key, line in lines(whole)}
    problems = Problems()
    table = Table(source="image.toml", values=tomllib.loads(whole), places=places, folder=ROOT)
    roles.check(table, root=ROOT, problems=problems)
    return problems.found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('docker_engine_registry_mirror = ["https://m"]', "did you mean 'docker_engine_registry_mirrors'?"),
        ("guest_seal_keep_apt_proxies = true", "is not a variable of any role; did you mean 'guest_seal_keep_apt_"),
        ("docker_engine_flavour_packages = []", "is not a variable of any role"),
        ("guest_seal_items = []", "is not a variable of any role"),
        ('ansible_become_password = "x"', "is not a variable of any role"),
        ('docker_engine_flavour = "mcr"', "is set by docker.engine"),
        ('data_disk_device = "/dev/sdc"', "is set by docker.data_disk_device"),
        ('guest_inventory_to = "/tmp"', "is set by each build"),
        ('docker_engine_registry_mirrors = "https://m"', "= 'https://m' must be a list"),
        ("docker_engine_registry_mirrors = [1]", "docker_engine_registry_mirrors[0] = 1 must be text"),
        ('docker_engine_swarm = "yes"', "= 'yes' must be true or false"),
        ("guest_base_lock_timeout = true", "= True must be a whole number"),
        ('guest_base_lock_timeout = "300"', "= '300' must be a whole number"),
        ("docker_engine_userns_remap = 1", "= 1 must be text"),
        ('docker_engine_ulimits = ["nofile"]', "must be a table"),
        ('data_disk_fstype = "ntfs"', "must be one of 'ext4', 'xfs'"),
        ('docker_engine_proxies = {http_proxy = "http://p:1"}', "docker_engine_proxies.http_proxy is unknown; did you"),
        ('docker_engine_packages = [{name = "a"}]', "docker_engine_packages[0].version is missing"),
        ('docker_engine_address_pools = [{base = "10.0.0.0/8", size = "24"}]', "[0].size = '24' must be a whole"),
        ('guest_seal_extra_items = [{id = "a", why = "b", in_clone = "gone"}]', "[0].in_clone = 'gone' must be one of"),
    ],
)  # fmt: skip
def test_what_no_role_could_use_is_refused(text: str, expected: str) -> None:
    """Misspelt names, names that something else sets, and wrong types at any depth, with the line in the file."""
    [problem] = found(text)
    assert problem.startswith("image.toml:2: docker.variables.")
    assert expected in problem


@pytest.mark.parametrize(
    "text",
    [
        'docker_engine_registry_mirrors = ["https://mirror.example", "http://10.0.0.1:5000/"]',
        'docker_engine_proxies = {http-proxy = "http://proxy:3128", no-proxy = "localhost,.example.com"}',
        "docker_engine_swarm = true\nguest_base_cache_valid = 0",
        'docker_engine_storage_driver = ""',
        'docker_engine_ulimits = {nofile = {Name = "nofile", Soft = 65536, Hard = 524288}}',
        'docker_engine_packages = [{name = "docker.io", version = "26.1.5+dfsg1-9"}]',
        'docker_engine_log_opts = {max-size = "10m", max-file = "3"}',
        '[docker.variables.docker_engine_registry_cas]\n"registry.example:5000" = "config/ca.pem"',
        'guest_seal_extra_items = [{id = "a", why = "b", remove = ["/x"], in_clone = "absent"}]',
    ],
)
def test_what_the_roles_declare_is_taken(text: str) -> None:
    """A usual value of each kind passes."""
    assert found(text) == []


@pytest.mark.parametrize(
    "values", [{}, {"docker": 1}, {"docker": {}}, {"docker": {"variables": {}}}, {"docker": {"variables": ["x"]}}]
)
def test_nothing_is_read_where_an_image_names_no_variables(values: dict[str, Any]) -> None:
    """An image without variables costs nothing; what is no table is told by whoever reads the image."""
    problems = Problems()
    roles.check(Table(source="x", values=values, places={}, folder=ROOT), root=ROOT / "nowhere", problems=problems)
    assert problems.found == []


def declared(text: str) -> Iterator[tuple[str, Any]]:
    for entry in yaml.safe_load(text)["argument_specs"].values():
        yield from entry["options"].items()


@pytest.mark.parametrize("file", SPECS, ids=lambda path: path.parts[-3])
def test_a_role_declares_what_it_has_defaults_for(file: object) -> None:
    """Names and defaults are the same: a variable that is added or renamed is declared, too; and each has a meaning."""
    [path] = [one for one in SPECS if one == file]
    defaults = yaml.safe_load((path.parents[1] / "defaults/main.yml").read_text(encoding="utf-8"))
    options = dict(declared(path.read_text(encoding="utf-8")))
    assert options.keys() == defaults.keys()
    assert all(option["description"] for option in options.values())


def test_every_role_declares_its_variables() -> None:
    """No role is left out."""
    assert [path.parts[-3] for path in SPECS] == sorted(path.parts[-2] for path in ROOT.glob("ansible/roles/*/tasks"))


def test_the_defaults_are_of_the_declared_types() -> None:
    """What the roles have by default passes the same check, where it is no expression."""
    for path in SPECS:
        options = roles.options(ROOT)
        defaults = yaml.safe_load((path.parents[1] / "defaults/main.yml").read_text(encoding="utf-8"))
        for name, value in defaults.items():
            if not (isinstance(value, str) and "{{" in value):
                assert list(roles._mistakes(name, value, options[name])) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(sorted(roles.options(ROOT))), value=_JSON)
def test_whatever_is_given_is_told_or_taken(name: str, value: Any) -> None:
    """Any value of any variable ends in sentences or in nothing, never in another error."""
    for key, text in roles._of_value(name, value, roles.options(ROOT)[name]):
        assert key.startswith(name)
        assert text
