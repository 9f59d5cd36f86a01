"""The frozen types everything else takes: a site, an image, and their parts.

Parsed once at the edge (``goldsmith.config``); unknown keys are refused.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints


class Spec(BaseModel):
    """Base of all configuration types: immutable, closed, without coercion surprises."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, validate_default=True)


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,38}[a-z0-9])?$")]
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")]
HostPort = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?$")]
PackageName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}_[A-Z]{2}(\.UTF-8)?$")]
UserName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")]
# No spaces, quotes or control characters: URLs travel through preseed, shell and apt alike.
Url = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9._~:/?#\[\]@!&()*+,;=%-]+$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of printable text."""
InventoryName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", min_length=1, max_length=255)]


class Installer(StrEnum):
    """Which unattended installer an image uses; decides the answers' format and their delivery."""

    PRESEED = "preseed"


class Firmware(StrEnum):
    """What the VM boots with; the words are the vSphere plugin's."""

    BIOS = "bios"
    EFI = "efi"
    EFI_SECURE = "efi-secure"


def _crypted(value: SecretStr) -> SecretStr:
    """Accept ``!`` (locked), yescrypt and SHA-512 hashes as crypt(5) writes them."""
    text = value.get_secret_value()
    if text in ("!", "*") or re.fullmatch(r"\$6\$(rounds=\d{4,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}", text):
        return value
    if re.fullmatch(r"\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{0,86}\$[./A-Za-z0-9]{43}", text):
        return value
    msg = (
        "must be a SHA-512 ($6$…) or yescrypt ($y$…) hash, or '!' for a locked password; "
        "make one with: openssl passwd -6"
    )
    raise ValueError(msg)


CryptedPassword = Annotated[SecretStr, AfterValidator(_crypted)]


class Credentials(Spec):
    """What opens a site and what goes into a guest's shadow file; never stored by the suite."""

    user: Line
    password: SecretStr
    password_hash: CryptedPassword = SecretStr("!")


class Placement(Spec):
    """Where on the vCenter builds happen; names as the inventory shows them."""

    datacenter: InventoryName
    cluster: InventoryName
    datastore: InventoryName
    network: InventoryName
    """A network's name or its inventory path ``/<datacenter>/network/<network>``."""
    folder: str = ""
    """VM folder below ``/<datacenter>/vm``; empty is that folder itself."""
    resource_pool: str = ""
    """Pool below the cluster; empty is the cluster's own."""
    iso_datastore: str = ""
    """Datastore of boot media; empty is *datastore*."""
    iso_folder: PurePosixPath = PurePosixPath("goldsmith")
    """Folder of boot media on that datastore."""

    @property
    def media_datastore(self) -> str:
        """The datastore boot media are uploaded to."""
        return self.iso_datastore or self.datastore


class Guests(Spec):
    """What a site's machines need to know of its network."""

    mirror: Url = "http://ftp.debian.org/debian"
    """The distribution's archive, for the installer and the installed system."""
    security_mirror: Url | Literal[""] = ""
    """The archive of security updates; empty asks for none."""
    ntp_servers: tuple[HostName, ...] = ()
    http_proxy: Url | Literal[""] = ""
    https_proxy: Url | Literal[""] = ""
    no_proxy: tuple[HostPort, ...] = ()
    certificates: tuple[Path, ...] = ()
    """Corporate CA certificates (PEM files) that guests trust; relative to the site's file."""
    authorized_keys: tuple[Line, ...] = ()
    """The operators' own SSH keys; they stay in the template."""


class Site(Spec):
    """One vCenter and the places in it."""

    name: Slug
    server: HostPort
    """The vCenter's host name, with ``:port`` where it is not 443."""
    ca_file: Path | None = None
    """PEM file of the CA that signed the vCenter's certificate; the system's trust store otherwise."""
    placement: Placement
    guests: Guests = Guests()

    @property
    def is_lab(self) -> bool:
        """Whether this is the built-in simulated vCenter."""
        return self.name == "lab"


class Os(Spec):
    """The operating system an image installs."""

    family: Literal["debian"]
    release: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?$")]
    suite: Annotated[str, StringConstraints(pattern=r"^[a-z]+$")]
    installer: Installer
    guest_type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+Guest$", max_length=64)]
    """vSphere's guest identifier; Debian 13 runs as ``debian12_64Guest`` until vSphere knows it."""


class Localisation(Spec):
    """Language, keyboard and clock of the installed system."""

    locale: Locale = "en_US.UTF-8"
    extra_locales: tuple[Locale, ...] = ()
    keyboard: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,8}$")] = "us"
    timezone: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]+(/[A-Za-z0-9_+-]+){0,2}$")] = "Etc/UTC"


class Account(Spec):
    """The user that automation logs in as; it may use sudo without a password."""

    name: UserName = "automationuser"
    full_name: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f:,\"'\\]*$", max_length=100)] = (
        "Automation user"
    )


class Hardware(Spec):
    """The virtual machine a base is installed on."""

    cpus: int = Field(default=2, ge=1, le=128)
    memory_mib: int = Field(default=4096, ge=1024, le=1_048_576)
    disk_mib: int = Field(default=51_200, ge=8192, le=16_777_216)
    disk_controller: Literal["pvscsi", "lsilogic", "lsilogic-sas"] = "pvscsi"
    network_card: Literal["vmxnet3", "e1000e"] = "vmxnet3"
    firmware: Firmware = Firmware.EFI_SECURE


class Image(Spec):
    """One operating system as it is to be installed."""

    name: Slug
    os: Os
    localisation: Localisation = Localisation()
    account: Account = Account()
    hardware: Hardware = Hardware()
    packages: tuple[PackageName, ...]
    """Installed by the installer, besides what being clone-ready needs."""
