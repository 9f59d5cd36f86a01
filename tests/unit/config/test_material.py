"""Certificates and keys that a configuration names are read before anything relies on them."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from goldsmith.config import load
from goldsmith.errors import ConfigurationError
from tests.unit.config.loaded import CERTIFICATES, NOW, ORIGIN, SITE, refusal, site_file

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.host.workspace import Workspace


def test_an_error_names_the_ca_file_that_counts(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable goes before the site's own file, so what is wrong with its file is told of the variable."""
    monkeypatch.chdir(workspace.root)
    monkeypatch.setenv("HOME", str(workspace.root))
    site_file(workspace, SITE.replace("[placement]", 'ca_file = "mine.pem"\n[placement]'))
    told = refusal(workspace, "oslo", {"GOLDSMITH_CA_FILE": "~/missing.pem"})
    assert f"GOLDSMITH_CA_FILE: {workspace.root}/missing.pem cannot be read" in told
    assert "config/sites/oslo.toml:3: " in refusal(workspace, "oslo", {})


@pytest.mark.parametrize("variable", ["GOLDSMITH_CA_FILE", "SSH_PRIVATE_KEY_FILE", "GUEST_CERTIFICATES"])
def test_a_file_that_cannot_be_there_is_told(workspace: Workspace, tmp_path: Path, variable: str) -> None:
    """In the home of nobody; and a pipe, which would be waited at for ever."""
    os.mkfifo(tmp_path / "pipe")
    for file, why in (("~nobody-of-this-name/x", "cannot be read"), (tmp_path / "pipe", "is a pipe")):
        assert why in refusal(workspace, None, ORIGIN | {variable: str(file)})


def test_a_lab_takes_no_ca_from_the_environment_wherever_it_lies(workspace: Workspace) -> None:
    """What does not count cannot be wrong."""
    environment = {"GOLDSMITH_CA_FILE": "~nobody-of-this-name/x"}
    assert load("lab", None, workspace=workspace, environment=environment, now=NOW).site.is_lab


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        pytest.param("corporate-root.crt", "", id="good"),
        pytest.param("server.crt", "is not that of a CA", id="no CA"),
        pytest.param("missing.crt", "cannot be read", id="missing"),
        pytest.param("key.crt", "holds a private key", id="private key"),
        pytest.param("text.crt", "holds no certificate", id="no PEM"),
        pytest.param("damaged.crt", "certificate 2 cannot be decoded", id="damaged"),
    ],
)
def test_corporate_certificates(workspace: Workspace, file: str, expected: str) -> None:
    """A certificate file is looked into before a machine is to trust it."""
    folder = site_file(workspace, SITE + f'[guests]\ncertificates = ["{file}"]\n').parent
    good = (CERTIFICATES / "corporate-root.crt").read_text(encoding="ascii")
    for name in ("corporate-root.crt", "server.crt"):
        shutil.copy(CERTIFICATES / name, folder)
    (folder / "key.crt").write_text("-----BEGIN PRIVATE KEY-----\n", encoding="ascii")
    (folder / "text.crt").write_text("nothing\n", encoding="ascii")
    (folder / "damaged.crt").write_text(good + good.replace("MIIBrT", "MIIBxx"), encoding="ascii")
    if expected:
        assert expected in refusal(workspace, "oslo", {})
    else:
        assert load("oslo", None, workspace=workspace, environment={}, now=NOW).site.guests.certificates


def test_an_expired_certificate(workspace: Workspace) -> None:
    """A CA whose time is over is refused with the day it ended."""
    folder = site_file(workspace, SITE + '[guests]\ncertificates = ["corporate-root.crt"]\n').parent
    shutil.copy(CERTIFICATES / "corporate-root.crt", folder)
    with pytest.raises(ConfigurationError, match="has expired: certificate 1 was valid until 2046-11-18"):
        load("oslo", None, workspace=workspace, environment={}, now=datetime(2050, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA operator", id="cut off"),
        pytest.param("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIPgFz4NkPuD7rZbDG888Y4n73c5SEh4b8oTc9IKdaIw/", id="another type"),
        pytest.param("ssh-dss AAAAB3NzaC1kc3M=", id="unsafe type"),
        pytest.param("-----BEGIN OPENSSH PRIVATE KEY-----", id="a private key"),
        pytest.param("", id="empty"),
    ],
)
def test_bad_authorized_keys(workspace: Workspace, key: str) -> None:
    """A line that sshd would ignore is refused, for it would lock its owner out."""
    site_file(workspace, SITE + f'[guests]\nauthorized_keys = ["{key}"]\n')
    text = refusal(workspace, "oslo", {})
    assert "guests.authorized_keys[0]" in text
    assert "BEGIN OPENSSH" not in text
