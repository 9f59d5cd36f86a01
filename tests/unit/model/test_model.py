"""The types at the edge take what is meant and nothing that could break out of its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter, ValidationError

from goldsmith import model
from goldsmith.model import values

SHELL = set("\"'\\$`\n\r\t\x00<>|&; ")

GOOD: list[tuple[str, Any, str]] = [
    ("host", values.HostName, "10.0.0.1"),
    ("port", values.HostPort, "vcenter.example.com:8443"),
    ("domain", values.NoProxy, ".example.com"),
    ("network", values.NoProxy, "10.0.0.0/8"),
    ("everything", values.NoProxy, "*"),
    ("IPv6", values.NoProxy, "::1"),
    ("IPv6 network", values.NoProxy, "fd00::/8"),
    ("port left out", values.HostPort, "vc"),
    ("underline", values.HostPort, "vc_01.corp.example"),
    ("IPv6 with port", values.HostPort, "[2001:db8::10]:443"),
    ("IPv4", values.HostPort, "10.0.0.1:8443"),
    ("mirror", values.MirrorUrl, "http://mirror.lab.test:8080/debian"),
    ("security", values.SecurityUrl, "http://mirror.example.com/x/debian-security"),
    ("proxy login", values.ProxyUrl, "http://user:p%40ss@proxy.example.com:3128"),
    ("package", values.PackageName, "g++-14"),
    ("locale", values.Locale, "en_US.UTF-8"),
    ("user", values.UserName, "automationuser"),
    ("keyboard", values.Keyboard, "fr(latin9)"),
    ("zone", values.TimeZone, "Etc/GMT+3"),
]
BAD: list[tuple[str, Any, str]] = [
    ("two dots", values.HostName, "a..b"),
    ("dash last", values.HostName, "a-"),
    ("too long", values.HostName, ".".join(["a" * 60] * 5)),
    ("URL", values.HostPort, "https://vcenter.example.com"),
    ("URL's path", values.HostPort, "vcenter.example.com/sdk"),
    ("login", values.HostPort, "u@vcenter.example.com"),
    ("no address", values.HostPort, "[2001:db8::10::]:443"),
    ("a zone", values.HostPort, "[fe80::1%eth0]"),
    ("no IPv6", values.HostPort, "[10.0.0.1]"),
    ("two dots last", values.HostPort, "vc.."),
    ("IPv6 port", values.HostPort, "[::1]:0"),
    ("star within", values.NoProxy, "a.*.example"),
    ("too long a prefix", values.NoProxy, "fd00::/129"),
    ("a list", values.NoProxy, "a b"),
    ("Windows's word", values.NoProxy, "<local>"),
    ("port 0", values.HostPort, "a:0"),
    ("port 65536", values.HostPort, "a:65536"),
    ("other digits", values.HostPort, "a:\uff11"),
    ("newline at the end", values.HostName, "a\n"),
    ("https mirror", values.MirrorUrl, "https://mirror.example.com/debian"),
    ("mirror with login", values.MirrorUrl, "http://u:p@mirror.example.com/debian"),
    ("security elsewhere", values.SecurityUrl, "http://mirror.example.com/security"),
    ("proxy with path", values.ProxyUrl, "http://proxy.example.com/x"),
    ("upper-case package", values.PackageName, "Vim"),
    ("option as package", values.PackageName, "-y"),
    ("latin1", values.Locale, "en_US.ISO-8859-1"),
    ("upper-case user", values.UserName, "Root"),
    ("blank in a zone", values.TimeZone, "Europe/New York"),
    ("open parenthesis", values.Keyboard, "fr(latin9"),
    ("no layout", values.Keyboard, "(latin9)"),
    ("colon", values.FullName, "a:b"),
    ("blank first", values.FullName, " a"),
]


@pytest.mark.parametrize(("kind", "text"), [pytest.param(kind, text, id=name) for name, kind, text in GOOD])
def test_what_is_meant_is_taken(kind: Any, text: str) -> None:
    """A usual value passes unchanged."""
    assert TypeAdapter(kind).validate_python(text) == text


@pytest.mark.parametrize(("kind", "text"), [pytest.param(kind, text, id=name) for name, kind, text in BAD])
def test_what_is_not_meant_is_refused(kind: Any, text: str) -> None:
    """An odd value is refused, and the message says what is allowed."""
    with pytest.raises(ValidationError, match=r"must be|without|none of"):
        TypeAdapter(kind).validate_python(text)


ADAPTERS = {
    name: TypeAdapter(getattr(values, name))
    for name in ("HostName", "HostPort", "MirrorUrl", "ProxyUrl", "PackageName", "UserName", "TemplateName", "TimeZone")
}


@pytest.mark.parametrize("name", ADAPTERS)
@given(prefix=st.sampled_from(["", "a", "http://a", "http://a/"]), text=st.text(max_size=8))
def test_nothing_that_a_shell_reads_passes(name: str, prefix: str, text: str) -> None:
    """No accepted value holds a character that a shell, preseed or apt would give a meaning."""
    try:
        accepted = ADAPTERS[name].validate_python(prefix + text)
    except ValidationError:
        return
    assert accepted.isascii()
    assert not SHELL & set(accepted)


@pytest.mark.parametrize(
    ("kind", "text", "made"),
    [
        (values.HostPort, "vcenter.example.com.", "vcenter.example.com"),
        (values.HostPort, "vcenter.example.com.:8443", "vcenter.example.com:8443"),
        (values.HostPort, "2001:db8::10", "[2001:db8::10]"),
        (values.HostPort, "[2001:db8::10]", "[2001:db8::10]"),
        (values.NoProxy, "*.corp.example", ".corp.example"),
        (values.NoProxy, "corp.example.", "corp.example"),
        (values.NoProxy, "[::1]", "::1"),
    ],
)
def test_what_is_written_in_several_ways_becomes_one(kind: Any, text: str, made: str) -> None:
    """Every program on the way reads the one that is made of it."""
    assert TypeAdapter(kind).validate_python(text) == made


@given(address=st.ip_addresses(v=6), port=st.integers(1, 65535))
def test_any_ipv6_address_is_a_server(address: object, port: int) -> None:
    """With a port or without, in brackets or not; and it is taken apart again."""
    made = ADAPTERS["HostPort"].validate_python(f"[{address}]:{port}")
    assert values.host_and_port(made) == (str(address), str(port))
    assert values.host_and_port(ADAPTERS["HostPort"].validate_python(str(address))) == (str(address), "")
    assert TypeAdapter(values.NoProxy).validate_python(str(address)) == str(address)


@given(st.text("[]:.abc0129%_-/*", max_size=14))
def test_a_server_that_is_accepted_is_accepted_again(text: str) -> None:
    """What is made of it is a fixed point, and has a host."""
    for kind in (values.HostPort, values.NoProxy):
        adapter: TypeAdapter[str] = TypeAdapter(kind)
        try:
            made = adapter.validate_python(text)
        except ValidationError:
            continue
        assert adapter.validate_python(made) == made
        assert values.host_and_port(made)[0] or kind is values.NoProxy


def test_a_locale_is_completed() -> None:
    """The encoding may be left out."""
    assert TypeAdapter(values.Locale).validate_python("da_DK") == "da_DK.UTF-8"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("!", id="locked"),
        pytest.param(f"$6$salt${'a' * 86}", id="SHA-512"),
        pytest.param(f"$6$rounds=5000$salt${'a' * 86}", id="rounds"),
        pytest.param(f"$y$j9T$salt${'a' * 43}", id="yescrypt"),
    ],
)
def test_safe_hashes_are_taken(text: str) -> None:
    """Locked, SHA-512 and yescrypt."""
    adapter: TypeAdapter[SecretStr] = TypeAdapter(values.CryptedPassword)
    assert adapter.validate_python(text).get_secret_value() == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("$1$salt$hash", id="md5"),
        pytest.param("secret", id="plain"),
        pytest.param("", id="empty"),
        pytest.param(f"$6$salt${'a' * 86}\n", id="newline"),
        pytest.param(f"$6$salt${'a' * 85}", id="cut off"),
    ],
)
def test_other_hashes_are_refused(text: str) -> None:
    """What is unsafe, plain or damaged."""
    with pytest.raises(ValidationError, match="must be a SHA-512"):
        TypeAdapter(values.CryptedPassword).validate_python(text)


def test_a_key_may_have_options() -> None:
    """Options that sshd takes before a key are kept, quoted blanks included."""
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPgFz4NkPuD7rZbDG888Y4n73c5SEh4b8oTc9IKdaIw/"
    line = f'from="10.0.0.0/8",command="a b" {key} somebody at work'
    assert TypeAdapter(values.AuthorizedKey).validate_python(line) == line


def test_a_file_s_name_is_no_key() -> None:
    """Who gives the name of a file learns that its lines are wanted."""
    with pytest.raises(ValidationError, match=r"not a file's name: give its lines"):
        TypeAdapter(values.AuthorizedKey).validate_python("~/.ssh/id_ed25519.pub")


@pytest.mark.parametrize(("memory", "fine"), [(4096, True), (4095, False), (4098, False), (1024, True), (1020, False)])
def test_memory_is_what_vsphere_takes(memory: int, *, fine: bool) -> None:
    """A multiple of 4 MiB: vSphere refuses others after the upload."""
    if fine:
        assert model.Hardware.model_validate({"memory_mib": memory}).memory_mib == memory
    else:
        with pytest.raises(ValidationError):
            model.Hardware.model_validate({"memory_mib": memory})


@pytest.mark.parametrize("folder", ["/absolute", "a/../b", "a\nb", "a;b"])
def test_media_folders_stay_inside(folder: str) -> None:
    """The folder of media lies below the datastore's root."""
    placement = {"datacenter": "a", "cluster": "b", "datastore": "c", "network": "d"}
    with pytest.raises(ValidationError, match="must be a folder on the datastore"):
        model.Placement.model_validate({**placement, "iso_folder": folder})


DIGEST, ID = f"x/y@sha256:{'0' * 64}", f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("values_", "fine"),
    [
        ({"ref": DIGEST}, True),
        ({"archive": "a.tar", "sha256": "0" * 64, "id": ID}, True),
        ({}, False),
        ({"archive": "a.tar", "sha256": "0" * 64}, False),
        ({"archive": "a.tar", "id": ID}, False),
        ({"ref": DIGEST, "archive": "a.tar", "sha256": "0" * 64, "id": ID}, False),
        ({"ref": DIGEST, "id": "0" * 64}, False),
    ],
)
def test_a_container_image_is_pinned(values_: dict[str, str], *, fine: bool) -> None:
    """By its digest, or as an archive with the sha256 and the image's ID: the role would refuse it in the clone."""
    if fine:
        assert model.DockerImage.model_validate({"tag": "a:1", **values_}).tag == "a:1"
    else:
        with pytest.raises(ValidationError, match=r"must (have|be)"):
            model.DockerImage.model_validate({"tag": "a:1", **values_})


@pytest.mark.parametrize("value", ["2", 2.0, True, 0, 129])
def test_numbers_are_numbers(value: object) -> None:
    """Text, fractions and truth are no number of CPUs, and neither is none or too many."""
    with pytest.raises(ValidationError):
        model.Hardware.model_validate({"cpus": value})
