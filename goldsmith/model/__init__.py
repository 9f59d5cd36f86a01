"""The frozen types everything else takes: a site, an image, and their parts.

Parsed once at the edge (``goldsmith.config``); unknown keys are refused.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from goldsmith.model.values import (
    AuthorizedKey,
    CryptedPassword,
    DatastorePath,
    FullName,
    HostName,
    HostPort,
    InventoryName,
    IsoUrl,
    Keyboard,
    Line,
    Locale,
    MediaFolder,
    MirrorUrl,
    NoProxy,
    PackageName,
    Password,
    ProxyUrl,
    SecurityUrl,
    Sha256,
    SigningKey,
    Slug,
    TemplateName,
    TimeZone,
    UserName,
    must,
)
from goldsmith.signing import PublicKey


class Spec(BaseModel):
    """Base of all configuration types: immutable, closed, without coercion surprises."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, validate_default=True)


INSTALLERS = tuple(
    sorted(folder.parent.name for folder in (Path(__file__).parents[1] / "installers").glob("*/__init__.py"))
)
"""What ``os.installer`` may say: an installer is a folder of ``goldsmith/installers``."""


def _known_installer(value: str) -> str:
    if value not in INSTALLERS:
        # The same kind of error as an enumeration's, which is what this is, with its names read from the disk.
        raise PydanticCustomError("enum", "must be one of {expected}", {"expected": ", ".join(INSTALLERS)})
    return value


class Firmware(StrEnum):
    """What the VM boots with; the words are the vSphere plugin's."""

    BIOS = "bios"
    EFI = "efi"
    EFI_SECURE = "efi-secure"


class Credentials(Spec):
    """What opens a site and what goes into a guest's shadow file; never stored by the suite."""

    user: InventoryName
    password: Password
    password_hash: CryptedPassword = SecretStr("!")


class Placement(Spec):
    """Where on the vCenter builds happen; names as the inventory shows them."""

    datacenter: InventoryName
    cluster: InventoryName
    datastore: InventoryName
    network: InventoryName
    """A network's name or its inventory path ``/<datacenter>/network/<network>``."""
    folder: Line = ""
    """VM folder below ``/<datacenter>/vm``; empty is that folder itself."""
    resource_pool: Line = ""
    """Pool below the cluster; empty is the cluster's own."""
    iso_datastore: Line = ""
    """Datastore of boot media; empty is *datastore*."""
    iso_folder: MediaFolder = PurePosixPath("goldsmith")
    """Folder of boot media on that datastore."""
    iso_path: DatastorePath | Literal[""] = ""
    """A boot medium made by hand that lies there already, for installers whose answers are on another medium."""
    iso_sha256: Sha256 | Literal[""] = ""
    """What that medium must be, where somebody knows; it is read whole and compared."""
    template_name: TemplateName | Literal[""] = ""
    """The fixed name of the newest base; empty leaves every template its own, unique one."""

    @property
    def media_datastore(self) -> str:
        """The datastore boot media are uploaded to."""
        return self.iso_datastore or self.datastore


class Guests(Spec):
    """What a site's machines need to know of its network."""

    mirror: MirrorUrl = "http://ftp.debian.org/debian"
    """The distribution's archive, for the installer and the installed system; what it serves is signed."""
    ubuntu_mirror: MirrorUrl | Literal[""] = ""
    """The same for images of Ubuntu; empty is the image's ``os.mirror``."""
    security_mirror: SecurityUrl | Literal[""] = ""
    """The archive of security updates; empty asks for none, nor for updates between point releases."""
    ntp_servers: tuple[HostName, ...] = ()
    """Time servers of the installer and of the machine; empty leaves the distribution's own."""
    http_proxy: ProxyUrl | Literal[""] = ""
    """Used by the installer, by apt, and by everything in the machine that reads the environment."""
    https_proxy: ProxyUrl | Literal[""] = ""
    no_proxy: tuple[NoProxy, ...] = ()
    certificates: tuple[Path, ...] = ()
    """Corporate CA certificates (PEM files) that machines trust; relative to the site's file."""
    authorized_keys: tuple[AuthorizedKey, ...] = ()
    """The operators' own SSH keys; they stay in the template."""
    ssh_private_key_file: Path | None = None
    """An operator's private key to log in with, instead of the build's own; relative to the site's file."""


class Site(Spec):
    """One vCenter and the places in it."""

    name: Slug
    server: HostPort
    """The vCenter's host name or address, with ``:port`` where it is not 443."""
    ca_file: Path | None = None
    """PEM file of the CA that signed the vCenter's certificate; the system's trust store otherwise."""
    placement: Placement
    guests: Guests = Guests()
    signing_keys: tuple[SigningKey, ...] = ()
    """The public keys that templates and records are signed with; with any, what is not signed counts for nothing."""

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """The keys, read."""
        return tuple(map(PublicKey.parse, self.signing_keys))

    @property
    def is_lab(self) -> bool:
        """Whether this is the built-in simulated vCenter."""
        return self.name == "lab"


class Os(Spec):
    """The operating system an image installs."""

    family: Annotated[str, must(r"[a-z][a-z0-9-]{1,30}", "a distribution's name in small letters, such as debian")]
    """Which ones, with which releases and suites, is the installer's to say."""
    release: Annotated[str, must(r"[0-9]+(?:\.[0-9]+)?", "a release number, such as 13")]
    suite: Annotated[str, must(r"[a-z]*", "the archive's name of the release, such as trixie")] = ""
    """Empty for a distribution whose releases have no other name than their number."""
    installer: Annotated[str, AfterValidator(_known_installer)]
    """Which unattended installer: it decides the answers' format and what carries them."""
    guest_type: Annotated[
        str, must(r"[A-Za-z0-9_]{1,59}Guest", "one of vSphere's guest identifiers, such as debian12_64Guest")
    ]
    """vSphere's guest identifier; Debian 13 runs as ``debian12_64Guest`` until vSphere knows it."""
    mirror: MirrorUrl | Literal[""] = ""
    """The archive of a distribution that is not Debian, where the site names none."""


class Localisation(Spec):
    """Language, keyboard and clock of the installed system."""

    locale: Locale = "en_US.UTF-8"
    extra_locales: tuple[Locale, ...] = ()
    keyboard: Keyboard = "us"
    timezone: TimeZone = "Etc/UTC"

    @property
    def layout(self) -> str:
        """The keyboard without its variant."""
        return self.keyboard.partition("(")[0]

    @property
    def variant(self) -> str:
        """The variant of the keyboard's layout; empty where it has none."""
        return self.keyboard.partition("(")[2].removesuffix(")")


class Account(Spec):
    """The user that automation logs in as; it may use sudo without a password."""

    name: UserName = "automationuser"
    full_name: FullName = "Automation user"


class Hardware(Spec):
    """The virtual machine a base is installed on."""

    cpus: int = Field(strict=True, default=2, ge=1, le=128)
    memory_mib: int = Field(strict=True, default=4096, ge=1024, le=1_048_576, multiple_of=4)
    """vSphere takes multiples of 4 alone."""
    disk_mib: int = Field(strict=True, default=51_200, ge=8192, le=16_777_216)
    disk_controller: Literal["pvscsi", "lsilogic", "lsilogic-sas"] = "pvscsi"
    network_card: Literal["vmxnet3", "e1000e"] = "vmxnet3"
    firmware: Firmware = Firmware.EFI_SECURE


class DockerImage(Spec):
    """A container image that a Docker host has from the start: pulled by digest, or loaded from an archive."""

    tag: Annotated[str, must(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,254}", "an image's name with its tag")]
    ref: Annotated[str, must(r"\S+@sha256:[0-9a-f]{64}", "a reference with a digest: HOST/NAME@sha256:...")] | None = (
        None
    )
    archive: Line = ""
    """An archive that ``docker save`` wrote, relative to the repository; its ``sha256`` is needed."""
    sha256: Sha256 | Literal[""] = ""
    id: Annotated[
        str, must(r"(?:sha256:[0-9a-f]{64})?", "an image's ID: sha256: and 64 digits and letters from a to f")
    ] = ""

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.ref is None and not (self.archive and self.sha256 and self.id):
            msg = "must have a ref with a digest, or archive, sha256 and id"
            raise ValueError(msg)
        if self.ref is not None and self.archive:
            msg = "must have either a ref or an archive"
            raise ValueError(msg)
        return self


class Docker(Spec):
    """Phase 2: the Docker host that is made of a base."""

    data_disk_mib: int = Field(strict=True, default=20_480, ge=1024, le=16_777_216)
    """Size of the disk that holds images and containers."""
    data_disk_device: Annotated[str, must(r"/dev/[A-Za-z0-9/._:-]+", "a block device, such as /dev/sdb")] = "/dev/sdb"
    """How the guest sees that disk; the lab has a path of its own."""
    engine: Literal["docker.io", "docker-ce", "mcr"] = "docker.io"
    """Which engine: a file of variables in ``ansible/families/<family>/vars/engines``."""
    images: tuple[DockerImage, ...] = ()
    variables: dict[str, JsonValue] = {}
    """More variables of the playbooks; the roles say which there are, and their types (``goldsmith.config.roles``)."""


class Iso(Spec):
    """The vendor's boot medium that a boot medium is made from: a file or an address, and what it must be."""

    path: Path | None = None
    """A file of this machine; relative to the image's file."""
    url: IsoUrl | Literal[""] = ""
    sha256: Sha256
    """Of the whole file."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.path is None) == (not self.url):
            msg = "must name either a path or a url"
            raise ValueError(msg)
        return self


class Image(Spec):
    """One operating system as it is to be installed."""

    name: Slug
    os: Os
    delivery: Literal["initrd", "floppy", "cd", "guestinfo"] | None = None
    """How the answers reach the installer; left out, the installer decides."""
    iso: Iso | None = None
    """For installers whose boot medium is the vendor's: what it is made from, unless the site has one."""
    localisation: Localisation = Localisation()
    account: Account = Account()
    hardware: Hardware = Hardware()
    docker: Docker = Docker()
    packages: tuple[PackageName, ...]
    """Installed by the installer, besides what being clone-ready needs."""
