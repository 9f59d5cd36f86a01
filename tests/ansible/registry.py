"""A real registry with TLS on a machine of the lab: Debian's docker-registry, with a throw-away CA."""

from __future__ import annotations

import base64
import ipaddress
import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from tests.integration.guests import Guest

PORT = 5000
_CONFIGURATION = f"""\
version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/docker-registry
http:
  addr: :{PORT}
  tls:
    certificate: /etc/docker/registry/server.pem
    key: /etc/docker/registry/server.key
"""


@dataclass(frozen=True)
class Registry:
    """One that answers."""

    name: str
    """Host and port, as references begin."""
    ca: str
    """The certificate of its CA, PEM."""


def put(guest: Guest, path: str, content: bytes) -> None:
    """Write a file on a guest."""
    text = base64.b64encode(content).decode()
    guest.sh(f"mkdir -p {shlex.quote(path.rpartition('/')[0])}; echo {text} | base64 -d >{path}")


def serve(guest: Guest) -> Registry:
    """Start a registry on *guest*, from the lab's packages."""
    ca, certificate, key = _certificates(guest.address)
    put(guest, "/etc/docker/registry/server.pem", certificate)
    put(guest, "/etc/docker/registry/server.key", key)  # of a machine that lives for a minute
    guest.sh("apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq install docker-registry >/dev/null")
    put(guest, "/etc/docker/registry/config.yml", _CONFIGURATION.encode())
    answers = f"curl --silent --insecure --fail --max-time 2 https://127.0.0.1:{PORT}/v2/"
    guest.sh(f"systemctl restart docker-registry; timeout 60 sh -c 'until {answers}; do sleep 0.2; done'")
    return Registry(f"{guest.address}:{PORT}", ca.decode())


def push(guest: Guest, registry: Registry, archive: bytes, tag: str) -> str:
    """Push an image from an archive to *registry*, by the engine of *guest*; return its digest there."""
    put(guest, f"/etc/docker/certs.d/{registry.name}/ca.crt", registry.ca.encode())
    put(guest, "/root/pushed.tar", archive)
    there = f"{registry.name}/{tag}"
    said = guest.sh(f"docker load --quiet --input /root/pushed.tar; docker tag {tag} {there}; docker push {there}")
    [digest] = re.findall(r" digest: (sha256:[0-9a-f]{64})", said)
    return str(digest)


def _certificates(address: str) -> tuple[bytes, bytes, bytes]:
    """Return a CA's certificate, and a server's certificate and key, for two hours."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "goldsmith test CA")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)

    def begun(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=2))
        )

    ca = begun(ca_name, ca_key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    server = begun(name, key.public_key()).add_extension(alternative, critical=False)
    return (
        ca.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM),
        server.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
