"""Renders what the installer finds in its initrd: the answers, and the files and scripts that go with them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

from goldsmith.delivery import check_floppy_space
from goldsmith.errors import ConfigurationError
from goldsmith.plan import digest, significant
from goldsmith.spec import Installer
from goldsmith.tools import kickseed, preseed, questions
from goldsmith.tools.templating import render as render_template
from goldsmith.workspace import SECRET_MODE, write_if_changed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import SecretStr

    from goldsmith.spec import Image, Site

TEMPLATES = Path(__file__).resolve().parents[2] / "kickstart" / "preseed"
KICKSEED = TEMPLATES.with_name("kickseed")
CLONE_READY = TEMPLATES / "clone-ready.sh"
"""The script that runs last on a base, as root over SSH: it makes the machine ready to be cloned."""
ALWAYS = (
    "openssh-server",
    "sudo",
    "cloud-init",
    "cloud-guest-utils",
    "open-vm-tools",
    "chrony",
    "ca-certificates",
    "locales",
    "console-setup",
    "keyboard-configuration",
    "dbus",  # hostnamectl and systemctl --user need it; without recommended packages nothing brings it
    "e2fsprogs",
)
"""What a machine needs to be logged in to, cloned and customised; every image has it."""
BUILD_KEY_COMMENT = "goldsmith-build-"
"""Begins the comment of a build's key; clone-ready.sh removes the lines that end with it."""
PLACEHOLDER_KEY = (
    "ssh-ed25519 "
    + base64.b64encode(b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + bytes(32)).decode()
    + f" {BUILD_KEY_COMMENT}placeholder"
)
"""Stands for the build's key where answers are rendered to be hashed."""

_AT_ROOT = ("preseed.cfg",)
_BESIDE = ("late.sh", "inside.sh")


@dataclass(frozen=True)
class Answers:
    """Rendered files by their path in the installer's initrd; they hold secrets."""

    files: Mapping[str, str]

    def digest(self) -> str:
        """Return the sha256 of all that matters in them: comments do not."""
        return digest({name: significant(text) for name, text in self.files.items()})

    def write(self, folder: Path) -> tuple[str, ...]:
        """Make *folder* hold exactly these files, readable by their owner alone; return what was written or removed."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        stale = [path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink()]
        stale = [path for path in stale if path.relative_to(folder).as_posix() not in self.files]
        for path in stale:
            path.unlink()
        written = [name for name, text in self.files.items() if write_if_changed(folder / name, text, mode=SECRET_MODE)]
        return (*written, *(path.relative_to(folder).as_posix() for path in stale))


def build_key(public_key: str, build_id: str) -> str:
    """Return the line of ``authorized_keys`` for a build's own public key, marked so that sealing finds it."""
    kind, data, *_ = public_key.split()
    return f"{kind} {data} {BUILD_KEY_COMMENT}{build_id}"


def finish_script(image: Image) -> Path:
    """Return the script that runs last on a base of *image*."""
    return CLONE_READY if image.os.installer is Installer.PRESEED else KICKSEED / CLONE_READY.name


def packages(image: Image) -> tuple[str, ...]:
    """Return every package the installer is asked for, each once."""
    return tuple(dict.fromkeys((*ALWAYS, *image.packages)))


def render(
    image: Image,
    site: Site,
    *,
    password_hash: SecretStr,
    build_key: str = PLACEHOLDER_KEY,
    certificates: Mapping[str, str] | None = None,
    templates: Path | None = None,
) -> Answers:
    """Return the answers for installing *image* on *site*, checked; the same inputs give the same text.

    *certificates* are the corporate CAs as ``goldsmith.config.certificates`` names them.
    Raises ``CheckError`` when the installer would not go through unattended.
    """
    certificates = dict(sorted((certificates or {}).items()))
    context = _context(image, site) | {
        "password_hash": password_hash.get_secret_value(),
        "certificates": list(certificates),
    }
    keys = "".join(f"{key}\n" for key in dict.fromkeys((*site.guests.authorized_keys, build_key)))
    match image.os.installer:
        case Installer.PRESEED:
            files = _preseed(image, context, keys=keys, certificates=certificates, folder=templates or TEMPLATES)
        case Installer.KICKSEED:
            folder = templates or KICKSEED
            files = _kickseed(image, site, context=context, keys=keys, certificates=certificates, folder=folder)
        case never:
            assert_never(never)
    # What a site does not have (time servers, proxies) leaves no file.
    return Answers({name: text for name, text in sorted(files.items()) if text.strip()})


def _preseed(
    image: Image, context: Mapping[str, Any], *, keys: str, certificates: Mapping[str, str], folder: Path
) -> dict[str, str]:
    """Return the files of the initrd."""
    files = dict(_rendered(folder, context))
    files["goldsmith/authorized_keys"] = keys
    files["goldsmith/environment"] = "".join(f"{line}\n" for line in context["environment"])
    for name, text in certificates.items():
        files[f"goldsmith/root/usr/local/share/ca-certificates/goldsmith/{name}"] = text
    known = questions.read((folder / f"questions-{image.os.release}.txt").read_text(encoding="ascii"))
    preseed.check(files["preseed.cfg"], known=known, name="preseed.cfg")
    return files


def _context(image: Image, site: Site) -> dict[str, Any]:
    localisation, guests = image.localisation, site.guests
    host, _, directory = guests.mirror.removeprefix("http://").partition("/")
    security = guests.security_mirror.removeprefix("http://").rstrip("/").removesuffix("/debian-security")
    return {
        "image": image,
        "site": site,
        "locales": list(dict.fromkeys((localisation.locale, *localisation.extra_locales))),
        "host_name": image.name.replace(".", "-"),
        "mirror": {"host": host, "directory": f"/{directory.rstrip('/')}"},
        "security_host": security,
        "packages": packages(image),
        "environment": list(_proxies(site)),
    }


def _proxies(site: Site) -> Iterator[str]:
    """Yield the lines of /etc/environment: programs disagree about the case of these names, so both."""
    guests = site.guests
    for name, value in (
        ("http_proxy", guests.http_proxy),
        ("https_proxy", guests.https_proxy),
        ("no_proxy", ",".join(guests.no_proxy)),
    ):
        if value:
            yield f"{name}={value}"
            yield f"{name.upper()}={value}"


def _rendered(templates: Path, context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    names = {f"{name}.j2": name for name in _AT_ROOT} | {f"{name}.j2": f"goldsmith/{name}" for name in _BESIDE}
    for path in sorted((templates / "root").rglob("*.j2")):
        name = path.relative_to(templates).as_posix()
        names[name] = f"goldsmith/{name.removesuffix('.j2')}"
    for template, name in names.items():
        yield name, render_template(templates, template, context)


def _kickseed(
    image: Image, site: Site, *, context: Mapping[str, Any], keys: str, certificates: Mapping[str, str], folder: Path
) -> dict[str, str]:
    """Return the files of the floppy: ``ks.cfg``, and what its script takes from ``files/``."""
    _check_hash(image, context["password_hash"])
    mirror = site.guests.ubuntu_mirror or image.os.mirror or site.guests.mirror
    values = {**context, "mirror": mirror.rstrip("/") + "/", "packages": list(image.packages)}
    files = {}
    for path in sorted(folder.rglob("*.j2")):
        name = path.relative_to(folder).as_posix()
        files[name.removesuffix(".j2")] = render_template(folder, name, values, ks=kickseed.quote)
    if not site.guests.ntp_servers:
        del files["files/ntp.conf"]
    files["files/authorized_keys"] = keys
    files["files/environment"] = "".join(f"{line}\n" for line in context["environment"])
    files |= {f"files/ca/{name}": text for name, text in certificates.items()}
    check_floppy_space({name: len(text.encode()) for name, text in files.items()})
    return files


def _check_hash(image: Image, password_hash: str) -> None:
    if password_hash.startswith("$y$"):
        raise ConfigurationError(
            f"{image.os.family} {image.os.release} cannot read a yescrypt hash",
            where="AUTOMATION_USER_CRYPTED_PASSWORD",
            why="its C library is older than the method: the account's password would never fit",
            next="make a SHA-512 hash: openssl passwd -6",
        )
