"""Values of role variables that have the right type, and that the role or the engine would refuse in the clone."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_LOGIN = re.compile(r"://[^/\s]*@")
_MIRROR = re.compile(r"https?://[A-Za-z0-9._-]+(?::\d{1,5})?/?|https?://\[[0-9a-fA-F:]+\](?::\d{1,5})?/?")
_MOUNT = re.compile(r"(?:/[a-z0-9_]+)+")
_NETWORK_VALUE = re.compile(r"net\.(?:ipv4|ipv6|bridge|netfilter)\..+")
_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f] ?){40}")
_LIMIT = {"Name", "Soft", "Hard"}


def mistakes(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the dotted key of what cannot be used in the value of variable *name*, and what is allowed there."""
    if rule := _RULES.get(name):
        yield from rule(name, value)
    for key, text in _texts(name, value):
        if _LOGIN.search(text):
            yield key, "holds a login, which everybody with a clone could read; no role takes one"


def _texts(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for part, one in pairs:
            yield from _texts(f"{key}.{part}" if isinstance(value, dict) else f"{key}[{part}]", one)


def _matching(pattern: re.Pattern[str], allowed: str) -> Callable[[str, Any], Iterator[tuple[str, str]]]:
    """Return the rule that each text in a value matches *pattern* as a whole."""

    def rule(name: str, value: Any) -> Iterator[tuple[str, str]]:
        for key, text in _texts(name, value):
            if not pattern.fullmatch(text):
                yield key, f"must be {allowed}"

    return rule


def _proxies(name: str, value: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, text in value.items():
        if "@" in text and not _LOGIN.search(text):
            yield f"{name}.{key}", "holds a login, which everybody with a clone could read; no role takes one"


def _all_text(name: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, one in value.items():
        if not isinstance(one, str):
            yield f"{name}.{key}", f"must be text, in quotes: {str(one)!r}"


def _of_networks(name: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in value:
        if not _NETWORK_VALUE.fullmatch(key):
            yield (
                f"{name}.{key}",
                "is not of net.ipv4, net.ipv6, net.bridge or net.netfilter: see host_kernel_sysctl_global",
            )


def _pools(name: str, value: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for number, pool in enumerate(value):
        try:
            base = ipaddress.ip_network(pool["base"])
        except ValueError:
            yield f"{name}[{number}].base", "must be a network, such as 10.201.0.0/16"
        else:
            if not base.prefixlen <= pool["size"] <= base.max_prefixlen:
                yield f"{name}[{number}].size", f"must be a length from {base.prefixlen} to {base.max_prefixlen}"


def _limits(name: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, one in value.items():
        if not isinstance(one, dict) or set(one) != _LIMIT or one["Name"] != key:
            yield f"{name}.{key}", f'must be a table with Name = "{key}", Soft and Hard'


def _packages(name: str, value: list[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    if not value:
        yield name, "must name at least one package"
    for number, one in enumerate(value):
        if not one["name"] or not one["version"]:
            yield f"{name}[{number}]", "needs a name and an exact version"


_RULES: Mapping[str, Callable[[str, Any], Iterator[tuple[str, str]]]] = {
    "data_disk_binds": _matching(_MOUNT, "a path of small letters, digits and underlines, such as /var/lib/docker"),
    "data_disk_mount": _matching(_MOUNT, "a path of small letters, digits and underlines, such as /srv/dockerdata"),
    "docker_audit_permissions": _matching(re.compile(r"[rwxa]+"), "letters of r, w, x and a"),
    "docker_engine_address_pools": _pools,
    "docker_engine_log_opts": _all_text,
    "docker_engine_packages": _packages,
    "docker_engine_proxies": _proxies,
    "docker_engine_registry_cas": _all_text,
    "docker_engine_registry_mirrors": _matching(_MIRROR, "an http or https URL of a host, without a path"),
    "docker_engine_repo_key_fingerprint": _matching(_FINGERPRINT, "a fingerprint of 40 hexadecimal digits"),
    "docker_engine_ulimits": _limits,
    "host_kernel_sysctl_net": _of_networks,
}
