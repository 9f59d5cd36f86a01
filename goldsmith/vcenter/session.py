"""Logging in to a vCenter, verified and with a deadline, and what its failures mean in our words."""

from __future__ import annotations

import contextlib
import ssl
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from goldsmith.errors import ConfigurationError, GoldsmithError, ToolError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from goldsmith.vcenter.client import Client

DEADLINE_SECONDS = 20.0
"""How long one request may take; tasks are waited for in slices of half of it."""
API_VERSION = "vim.version.version11"
"""vSphere 6.5: every call of the suite exists there, and each later vCenter accepts it."""
_HTTPS = 443


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


def split_server(server: str) -> tuple[str, int]:
    """Split ``host[:port]``."""
    host, _, port = server.partition(":")
    return host, int(port) if port else _HTTPS


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
        context.load_verify_locations(ca_file)
    except OSError as error:
        raise ConfigurationError(
            "the file of the vCenter's certificate authority cannot be used",
            where=f"ca_file = {ca_file}",
            why=str(error.strerror or error) if not isinstance(error, ssl.SSLError) else "it holds no PEM certificate",
            next="name a PEM file: text with -----BEGIN CERTIFICATE-----",
        ) from None
    return context


@contextlib.contextmanager
def explained(server: str, ca_file: Path | None = None) -> Iterator[None]:
    """Turn what pyVmomi and the network raise within the block into errors of four parts."""
    try:
        yield
    except GoldsmithError:
        raise
    except ssl.SSLCertVerificationError as error:
        raise _untrusted(server, ca_file, error) from None
    except (OSError, HTTPException) as error:
        raise _unreachable(server, error) from None
    except Exception as error:
        # pyVmomi's faults have no common base that could be named without importing it.
        if not hasattr(error, "msg"):
            raise
        raise _refused(server, error) from None


def _unreachable(server: str, error: Exception) -> UnreachableError:
    return UnreachableError(
        f"the vCenter {server} does not answer",
        where=f"https://{server}/sdk",
        why=f"{type(error).__name__}: {error}" if str(error) else type(error).__name__,
        next="check the name, the network (VPN, firewall) and whether the vCenter's services run; then try again",
    )


def _untrusted(server: str, ca_file: Path | None, error: ssl.SSLCertVerificationError) -> UnreachableError:
    host, port = split_server(server)
    if "match" in error.verify_message:  # the chain is fine, the name is not
        advice = "use the name that stands in the certificate as the site's server"
    else:
        advice = (
            f"fetch the vCenter's authority from https://{host}/certs/download.zip (or see it with:\n"
            f"openssl s_client -connect {host}:{port} -showcerts </dev/null), compare its fingerprint with\n"
            "what the vCenter's owner tells, and name the PEM file as the site's ca_file or in GOLDSMITH_CA_FILE"
        )
    return UnreachableError(
        f"the certificate of the vCenter {server} cannot be verified",
        where=f"https://{server}/sdk, trusting the system's authorities" + (f" and {ca_file}" if ca_file else ""),
        why=error.verify_message or str(error),
        next=advice,
    )


def _refused_login(server: str, user: str) -> UnreachableError:
    return UnreachableError(
        f"the vCenter {server} refuses the login",
        where=f"user {user}",
        why="user name or password are wrong, or the account is locked",
        next="check VSPHERE_USER and VSPHERE_PASSWORD (or the file that VSPHERE_PASSWORD_FILE names)",
    )


def _refused(server: str, fault: Any) -> GoldsmithError:
    """Explain a vSphere fault by its type's name, since the types are not imported here."""
    kind = type(fault).__name__.rsplit(".", 1)[-1]
    text = str(fault.msg or "").strip()
    if kind == "NotAuthenticated":
        return UnreachableError(
            f"the vCenter {server} ended the session",
            where=f"https://{server}/sdk",
            why=text or "it was idle too long, or was closed by an administrator",
            next="run the same command again",
        )
    if kind == "NoPermission":
        return ToolError(
            f"the user lacks the privilege {fault.privilegeId}",
            where=f"{server}, object {getattr(fault.object, '_moId', '?')}",
            why=text or "permission to perform this operation was denied",
            next="grant it; docs/reference/privileges.md lists all that are needed",
        )
    said = (str(message.message or "").strip() for message in getattr(fault, "faultMessage", None) or ())
    details = [line for line in dict.fromkeys(said) if line and line != text]
    return ToolError(
        "the vCenter refuses a request",
        where=f"https://{server}/sdk",
        why="\n".join([f"{kind}: {text}" if text else kind, *details]),
        next="the vCenter's task list shows the same failure with its context",
    )
