"""Values of the right type that a role or the engine would refuse in the clone are refused before it is made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.config import role_values

HERE = "everybody with a clone"


@pytest.mark.parametrize(
    ("name", "value", "key", "words"),
    [
        ("docker_engine_proxies", {"http-proxy": "http://u:p@proxy:3128"}, ".http-proxy", HERE),
        ("docker_engine_proxies", {"http-proxy": "u:p@proxy:3128"}, ".http-proxy", HERE),
        ("docker_engine_repo_url", "https://u:p@download.example/linux", "", HERE),
        ("docker_engine_daemon_extra", {"x": ["http://u:p@h"]}, ".x[0]", HERE),
        ("docker_engine_registry_mirrors", ["mirror.example"], "[0]", "http or https URL"),
        ("docker_engine_registry_mirrors", ["https://mirror.example/v2"], "[0]", "without a path"),
        ("docker_engine_log_opts", {"max-file": 3}, ".max-file", "must be text, in quotes: '3'"),
        ("docker_engine_registry_cas", {"r:5000": 1}, ".r:5000", "must be text"),
        ("docker_engine_address_pools", [{"base": "10.201.0.0", "size": 24}], "[0].size", "from 32 to 32"),
        ("docker_engine_address_pools", [{"base": "10.201.0.1/16", "size": 24}], "[0].base", "a network"),
        ("docker_engine_address_pools", [{"base": "10.201.0.0/16", "size": 8}], "[0].size", "from 16 to 32"),
        ("docker_engine_ulimits", {"nofile": {"Soft": 1, "Hard": 2}}, ".nofile", 'Name = "nofile"'),
        ("docker_engine_ulimits", {"nofile": {"Name": "nproc", "Soft": 1, "Hard": 2}}, ".nofile", 'Name = "nofile"'),
        ("docker_engine_packages", [], "", "at least one"),
        ("docker_engine_packages", [{"name": "docker.io", "version": ""}], "[0]", "an exact version"),
        ("docker_engine_repo_key_fingerprint", "9DC8", "", "40 hexadecimal digits"),
        ("docker_audit_permissions", "write", "", "letters of r, w, x and a"),
        ("data_disk_mount", "/srv/docker-data", "", "small letters"),
        ("data_disk_binds", {"docker": "/var/lib/Docker"}, ".docker", "small letters"),
        ("host_kernel_sysctl_net", {"vm.max_map_count": 1}, ".vm.max_map_count", "host_kernel_sysctl_global"),
    ],
)
def test_values_that_would_be_refused_in_the_clone(name: str, value: Any, key: str, words: str) -> None:
    """Each is named with its place in the value and what is allowed; a login is not repeated."""
    [(where, text)] = role_values.mistakes(name, value)
    assert where == name + key
    assert words in text
    assert "u:p" not in text


@given(user=st.from_regex(r"[A-Za-z0-9%]{1,8}", fullmatch=True), secret=st.from_regex(r"[^\s/@]{0,8}", fullmatch=True))
def test_no_login_passes_anywhere(user: str, secret: str) -> None:
    """Whatever the login and however deep the URL lies."""
    value = {"a": [{"b": f"http://{user}:{secret}@host/"}]}
    assert [key for key, _ in role_values.mistakes("docker_engine_daemon_extra", value)] == [
        "docker_engine_daemon_extra.a[0].b"
    ]


@given(st.integers(0, 32), st.integers(-1, 40))
def test_pools_are_cut_into_pieces_that_fit(prefix: int, size: int) -> None:
    """A piece is no larger than its pool, and no smaller than one address."""
    found = list(role_values.mistakes("docker_engine_address_pools", [{"base": f"0.0.0.0/{prefix}", "size": size}]))
    assert (found == []) == (prefix <= size <= 32)
