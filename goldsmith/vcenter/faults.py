"""What a vCenter's failures mean in our words, and how long a request may take."""

from __future__ import annotations

import contextlib
import ssl
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from goldsmith import terminal
from goldsmith.errors import GoldsmithError, ToolError, UnreachableError
from goldsmith.model.values import host_and_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEADLINE_SECONDS = 20.0
"""How long one request may take; tasks are waited for in slices of half of it."""
_HTTPS = 443


def split_server(server: str) -> tuple[str, int]:
    """Split ``host[:port]``; an IPv6 address, which stands in brackets there, is returned without them."""
    host, port = host_and_port(server)
    return host, int(port) if port else _HTTPS


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
    _, port = split_server(server)
    host = server.removesuffix(f":{port}")  # as it stands in a URL
    if "match" in error.verify_message:  # the chain is fine, the name is not
        advice = "use the name that stands in the certificate as the site's server"
    else:
        advice = (
            f"fetch the vCenter's authority from https://{host}/certs/download.zip (or see it with:\n"
            f"openssl s_client -connect {host}:{port} -showcerts </dev/null), compare its fingerprint with\n"
            "what the vCenter's owner says, and name the PEM file as the site's ca_file or in GOLDSMITH_CA_FILE"
        )
    return UnreachableError(
        f"the certificate of the vCenter {server} cannot be verified",
        where=f"https://{server}/sdk, trusting the system's authorities" + (f" and {ca_file}" if ca_file else ""),
        why=error.verify_message or str(error),
        next=advice,
    )


def _refused(server: str, fault: Any) -> GoldsmithError:
    """Explain a vSphere fault by its type's name, since the types are not imported here."""
    kind = type(fault).__name__.rsplit(".", 1)[-1]
    # Names are in it, which anybody may have given: each message is one line.
    text = terminal.line(str(fault.msg or "").strip())
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
    said = (terminal.line(str(message.message or "").strip()) for message in getattr(fault, "faultMessage", None) or ())
    details = [line for line in dict.fromkeys(said) if line and line != text]
    return ToolError(
        "the vCenter refuses a request",
        where=f"https://{server}/sdk",
        why="\n".join([f"{kind}: {text}" if text else kind, *details]),
        next="the vCenter's task list shows the same failure with its context",
    )
