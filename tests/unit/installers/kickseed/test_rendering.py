"""The answers on the floppy: everything the origin set, whatever values they are made from."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import SecretStr

from goldsmith.config import certificates
from goldsmith.errors import ConfigurationError
from goldsmith.installers import answers
from goldsmith.installers.kickseed import INSTALLER
from goldsmith.model import Guests, Image
from tests.unit.installers.preseed.test_rendering import FULL, HASH, OPERATOR, site

ROOT = Path(__file__).resolve().parents[4]
IMAGE = Image.model_validate(
    {"name": "ubuntu-16.04", **tomllib.loads((ROOT / "config/images/ubuntu-16.04.toml").read_text(encoding="utf-8"))}
)


def rendered(guests: Guests = FULL, image: Image = IMAGE, secret: SecretStr = HASH) -> dict[str, str]:
    found = certificates(guests.certificates)
    given = answers.Given(password_hash=secret, certificates=found)
    return dict(INSTALLER.answers(image, site(guests), given).files)


@pytest.mark.parametrize(
    "line",
    [
        "lang en_US.UTF-8",
        "langsupport --default=en_US.UTF-8 da_DK.UTF-8",
        "keyboard dk",
        "timezone --utc Europe/Copenhagen",
        "rootpw --disabled",
        f'user automationuser --fullname "Automation user" --iscrypted --password {HASH.get_secret_value()}',
        "install",
        "text",
        "reboot",
        "url --url http://mirror.example.com/ubuntu/",
        "preseed clock-setup/utc boolean true",
        "preseed clock-setup/ntp-server string ntp1.example.com",
        "bootloader --location=mbr",
        "zerombr yes",
        "preseed partman-auto/disk string /dev/sda",
        "preseed partman-auto/method string lvm",
        "preseed partman-auto/choose_recipe select atomic",
        "preseed partman-lvm/confirm boolean true",
        "preseed partman/confirm boolean true",
        "auth --useshadow",
        "firewall --disabled",
        "skipx",
        "%post --nochroot",
        "preseed mirror/http/proxy string http://proxy.example.com:3128",
    ],
)
def test_each_directive_of_the_origin_is_there(line: str) -> None:
    """One by one, as the write-up lists them; md5 is not."""
    text = rendered()["ks.cfg"]
    assert line in text.splitlines()
    assert "md5" not in text.replace("device_remove_md", "")


def test_a_keyboard_with_a_variant() -> None:
    """Older installers are asked with both in one name, newer ones for each."""
    wanted = IMAGE.localisation.model_copy(update={"keyboard": "fr(latin9)"})
    lines = rendered(image=IMAGE.model_copy(update={"localisation": wanted}))["ks.cfg"].splitlines()
    assert "keyboard fr_latin9" in lines
    assert "preseed keyboard-configuration/layoutcode string fr" in lines
    assert "preseed keyboard-configuration/variantcode string latin9" in lines


def test_the_packages_are_the_origins() -> None:
    """All of them and no others, in the order they are written."""
    _, _, rest = rendered()["ks.cfg"].partition("%packages\n")
    listed, _, _ = rest.partition("\n\n%post")
    expected = (
        "build-essential curl dnsmasq dnsmasq-base dnsmasq-utils dnsutils htop man nfs-common ntp open-vm-tools "
        "rng-tools software-properties-common ssh unzip vim wget ca-certificates"
    )
    assert listed.split() == expected.split()


def test_what_lies_beside_it() -> None:
    """Time servers, CAs, keys, proxies and the first boot's scripts; what a site does not have leaves no file."""
    files = rendered()
    assert "server ntp2.example.com iburst" in files["files/ntp.conf"]
    assert "BEGIN CERTIFICATE" in files["files/ca/corporate-root.crt"]
    assert files["files/authorized_keys"].splitlines() == [OPERATOR, answers.PLACEHOLDER_KEY]
    assert "http_proxy=http://proxy.example.com:3128" in files["files/environment"]
    assert "env_keep" in files["files/sudoers"]
    plain = rendered(Guests())
    assert {name for name in files if name not in plain} == {
        "files/ntp.conf",
        "files/environment",
        "files/ca/corporate-root.crt",
    }


def test_a_hash_that_the_release_cannot_read() -> None:
    """A method that is younger than 16.04: refused before anything is installed."""
    with pytest.raises(ConfigurationError, match="yescrypt"):
        rendered(secret=SecretStr(f"$y$j9T$salt${'a' * 43}"))


def test_more_certificates_than_a_floppy_holds(tmp_path: Path) -> None:
    """Refused while planning: rendering is what the plan's key is made of."""
    text = (FULL.certificates[0]).read_text(encoding="utf-8")
    bundle = tmp_path / "bundle.crt"
    bundle.write_text(text * (1_500_000 // len(text)), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="do not fit onto a floppy"):
        rendered(FULL.model_copy(update={"certificates": (bundle,)}))


@settings(max_examples=30)
@for_any(
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9 .@()_+-]{0,40}[A-Za-z0-9.)])?", fullmatch=True),
    st.from_regex(r"https?://([a-z%0-9.]{1,8}:[a-z%0-9.]{1,8}@)?[a-z]{1,8}\.example\.com(:8080)?", fullmatch=True),
)
def test_values_stay_in_their_line(name: str, proxy: str) -> None:
    """Whatever a name or a proxy holds, the file has the same lines, and as many."""
    account = IMAGE.account.model_copy(update={"full_name": name})
    guests = FULL.model_copy(update={"http_proxy": proxy})
    text = rendered(guests, IMAGE.model_copy(update={"account": account}))["ks.cfg"]
    assert text.count("\n") == rendered()["ks.cfg"].count("\n")
