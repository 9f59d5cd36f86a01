"""What goes wrong between here and a vCenter is said in four parts, with the right exit code."""

from __future__ import annotations

import ssl
from http.client import BadStatusLine
from pathlib import Path
from types import SimpleNamespace

import pytest

from goldsmith.errors import ConfigurationError, Exit, GoldsmithError, RefusedError, ToolError, UnreachableError
from goldsmith.vcenter import faults, session

SERVER = "vc.example.com:8443"


class NoPermission(Exception):  # noqa: N818 - a fault's name, as pyVmomi has it
    """Looks like pyVmomi's fault of this name."""

    msg = "Permission to perform this operation was denied."
    privilegeId = "Network.Assign"  # noqa: N815 - the API's name
    object = SimpleNamespace(_moId="network-7")


class NotAuthenticated(Exception):  # noqa: N818 - a fault's name, as pyVmomi has it
    """Looks like pyVmomi's fault of this name."""

    msg = "The session is not authenticated."


class InvalidPowerState(Exception):  # noqa: N818 - a fault's name, as pyVmomi has it
    """Looks like any other of pyVmomi's faults."""

    msg = "The attempted operation cannot be performed."
    faultMessage = (SimpleNamespace(message="the machine is on"),)  # noqa: N815 - the API's name


def _explained(error: Exception, ca_file: Path | None = None) -> GoldsmithError:
    with pytest.raises(GoldsmithError) as caught, faults.explained(SERVER, ca_file):
        raise error
    return caught.value


@pytest.mark.parametrize(
    "error",
    [ConnectionRefusedError(111, "refused"), TimeoutError("timed out"), BadStatusLine("503"), OSError(101, "no route")],
    ids=lambda error: type(error).__name__,
)
def test_a_vcenter_that_does_not_answer(error: Exception) -> None:
    """Refused, silent and babbling servers are unreachable, and named."""
    told = _explained(error)
    assert (type(told), told.exit_code) == (UnreachableError, Exit.UNREACHABLE)
    assert SERVER in told.what
    assert type(error).__name__ in told.why


def _certificate_error(text: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, text)
    error.verify_message = text
    return error


def test_an_untrusted_certificate() -> None:
    """An unknown authority is refused, with the way to get hold of it."""
    told = _explained(_certificate_error("unable to get local issuer certificate"), Path("corporate.pem"))
    assert told.exit_code is Exit.UNREACHABLE
    assert "https://vc.example.com/certs/download.zip" in told.next
    assert "GOLDSMITH_CA_FILE" in told.next
    assert "corporate.pem" in told.where


def test_a_certificate_of_another_name() -> None:
    """Where only the name is wrong, no authority has to be fetched."""
    told = _explained(_certificate_error("Hostname mismatch, certificate is not valid for 'vc.example.com'."))
    assert "download.zip" not in told.next
    assert "the name that stands in the certificate" in told.next


def test_a_denied_privilege() -> None:
    """A privilege that is denied later than the preflight is named with its object."""
    told = _explained(NoPermission())
    assert isinstance(told, ToolError)
    assert "Network.Assign" in told.what
    assert "network-7" in told.where


def test_an_ended_session() -> None:
    """A session that the server ended is a matter of reaching it."""
    assert isinstance(_explained(NotAuthenticated()), UnreachableError)


def test_any_other_fault() -> None:
    """Other faults keep their name and everything they say."""
    told = _explained(InvalidPowerState())
    assert told.why.splitlines() == [
        "InvalidPowerState: The attempted operation cannot be performed.",
        "the machine is on",
    ]


def test_bugs_stay_bugs() -> None:
    """What is no fault of the vCenter's is not dressed up as one."""
    with pytest.raises(ZeroDivisionError), faults.explained(SERVER):
        raise ZeroDivisionError


def test_errors_of_our_own_pass() -> None:
    """An error that has its four parts already keeps them."""
    error = RefusedError("busy")
    assert _explained(error) is error


@pytest.mark.parametrize(
    ("server", "parts"),
    [("vc", ("vc", 443)), ("vc:8443", ("vc", 8443)), ("[::2]", ("::2", 443)), ("[::2]:8", ("::2", 8))],
)
def test_server(server: str, parts: tuple[str, int]) -> None:
    """The port is HTTPS's unless it is named."""
    assert faults.split_server(server) == parts


def test_every_certificate_is_verified() -> None:
    """Without a file of ours the system's trust store counts, with name and chain."""
    context = session.trust(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "not PEM"])
def test_a_file_that_holds_no_certificate(tmp_path: Path, content: str | None) -> None:
    """A CA file that cannot be used is a mistake in the configuration, named with its path."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        session.trust(path)
    assert str(path) in caught.value.where
