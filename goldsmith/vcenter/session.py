"""Logging in to a vCenter: verified, and with a deadline."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError, UnreachableError
from goldsmith.host import reading
from goldsmith.vcenter.faults import DEADLINE_SECONDS, explained, split_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from goldsmith.vcenter.client import Client

API_VERSION = "vim.version.version11"
"""vSphere 6.5: every call of the suite exists there, and each later vCenter accepts it."""


@contextlib.contextmanager
def connect(
    server: str, *, user: str, password: str, ca_file: Path | None = None, deadline: float = DEADLINE_SECONDS
) -> Iterator[Client]:
    """Log in to *server* (``host`` or ``host:port``) and log out at the block's end.

    The certificate is always verified: against the system's trust store, and
    against *ca_file* as well when it is given. *deadline* is in seconds.

    Raises ``UnreachableError`` when the vCenter does not answer in time, shows a
    certificate that cannot be verified, or refuses the login; ``ConfigurationError``
    when *ca_file* is no readable PEM file.
    """
    # pyVmomi takes 0.3 s to import: only those who need a vCenter pay for it.
    from goldsmith.vcenter.client import Client
    from goldsmith.vcenter.sdk import SoapStubAdapter, vim

    host, port = split_server(server)
    context = trust(ca_file)
    with explained(server, ca_file):
        stub = SoapStubAdapter(
            host=host,
            port=port,
            version=API_VERSION,
            sslContext=context,
            httpConnectionTimeout=deadline,
        )
        try:
            content = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
            session = content.sessionManager.Login(user, password)
        except vim.fault.InvalidLogin:
            raise _refused_login(server, user) from None
    client = Client(server, content, session, context)
    try:
        yield client
    finally:
        # The session ends by itself in half an hour: a failure here must not hide another.
        with contextlib.suppress(Exception):
            content.sessionManager.Logout()
        stub.DropConnections()


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Return a verifying TLS context: the system's authorities (or SSL_CERT_FILE's) and *ca_file*'s.

    Raises ``ConfigurationError`` when *ca_file* cannot be used.
    """
    context = ssl.create_default_context()
    if ca_file is None:
        return context
    # Operators often save the vCenter's own certificate, or an intermediate one: trusting exactly that is safe.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata="\n".join(reading.certificates(reading.content(ca_file))))
    except ValueError as error:
        raise ConfigurationError(
            "the file of the vCenter's certificate authority cannot be used",
            where=f"ca_file = {ca_file}",
            why=f"it {error}",
            next="name a PEM file: text with -----BEGIN CERTIFICATE-----",
        ) from None
    return context


def _refused_login(server: str, user: str) -> UnreachableError:
    return UnreachableError(
        f"the vCenter {server} refuses the login",
        where=f"user {user}",
        why="user name or password are wrong, or the account is locked",
        next="check VSPHERE_USER and VSPHERE_PASSWORD (or the file that VSPHERE_PASSWORD_FILE names)",
    )
