"""Secrets come from the environment or a file, are told by name, and never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldsmith.config import describe, load
from goldsmith.errors import ConfigurationError
from goldsmith.tools import sshkey
from tests.unit.config.loaded import HASH, ORIGIN, SITE, refusal, site_file

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.host.workspace import Workspace


def test_a_hash_that_came_by_another_way_is_enough(workspace: Workspace) -> None:
    """An empty variable beside one that is set locks nothing."""
    given = {"AUTOMATION_USER_CRYPTED_PASSWORD": HASH, "AUTOMATION_USER_CRYPTED_PASSWORD_FILE": ""}
    assert load(None, None, workspace=workspace, environment=ORIGIN | given).notes == ()


def test_secrets_may_lie_in_files(workspace: Workspace, tmp_path: Path) -> None:
    """NAME_FILE stands for NAME; the newline at the file's end does not belong to the secret."""
    (tmp_path / "password").write_text("correct horse\n", encoding="utf-8")
    (tmp_path / "hash").write_text(f"{HASH}\n", encoding="utf-8")
    environment = ORIGIN | {
        "VSPHERE_PASSWORD": "",
        "VSPHERE_PASSWORD_FILE": str(tmp_path / "password"),
        "AUTOMATION_USER_CRYPTED_PASSWORD_FILE": str(tmp_path / "hash"),
    }
    effective = load(None, None, workspace=workspace, environment=environment)
    assert effective.credentials().password.get_secret_value() == "correct horse"
    assert effective.credentials().password_hash.get_secret_value() == HASH


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        pytest.param({"VSPHERE_PASSWORD": "hunter2\nhunter2"}, "VSPHERE_PASSWORD", id="two lines"),
        pytest.param({"AUTOMATION_USER_CRYPTED_PASSWORD": "hunter2"}, "AUTOMATION_USER_CRYPTED_PASSWORD", id="plain"),
        pytest.param({"AUTOMATION_USER_CRYPTED_PASSWORD": f"{HASH}hunter2"}, "_CRYPTED_PASSWORD", id="too long"),
        pytest.param({"AUTOMATION_USER_CRYPTED_PASSWORD": "$1$hunter2$"}, "_CRYPTED_PASSWORD", id="md5"),
        pytest.param({"VSPHERE_PASSWORD_FILE": "/dev/null/x"}, "VSPHERE_PASSWORD_FILE", id="both given"),
        pytest.param(
            {"VSPHERE_PASSWORD": "", "VSPHERE_PASSWORD_FILE": "/dev/null/x"}, "VSPHERE_PASSWORD_FILE", id="no file"
        ),
    ],
)
def test_a_malformed_secret_is_named_and_never_shown(workspace: Workspace, changes: dict[str, str], name: str) -> None:
    """The error names the variable; the value is nowhere in it."""
    text = refusal(workspace, None, ORIGIN | changes)
    assert name in text
    assert "hunter2" not in text


def test_a_secret_in_a_file_is_refused_and_not_shown(workspace: Workspace) -> None:
    """A password in TOML is named, hidden, and sent to the environment."""
    site_file(workspace, 'password = "hunter2"\nuser_token = "hunter2"\n' + SITE)
    text = refusal(workspace, "oslo", {})
    assert "config/sites/oslo.toml:1: password: unknown key, and no place for a secret" in text
    assert "hunter2" not in text
    assert "secrets come from the environment only" in text


def test_a_secret_with_a_mark_of_its_encoding(workspace: Workspace, tmp_path: Path) -> None:
    """In a file or a variable, what an editor put before it is no part of it; UTF-16 is told as that."""
    given = {"VSPHERE_PASSWORD": "", "VSPHERE_PASSWORD_FILE": str(tmp_path / "password")}
    (tmp_path / "password").write_bytes(b"\xef\xbb\xbfcorrect horse\r\n")
    for environment in (ORIGIN | given, ORIGIN | {"VSPHERE_PASSWORD": "\ufeffcorrect horse"}):
        effective = load(None, None, workspace=workspace, environment=environment)
        assert effective.credentials().password.get_secret_value() == "correct horse"
    (tmp_path / "password").write_bytes("correct horse".encode("utf-16"))
    assert "is text in UTF-16" in refusal(workspace, None, ORIGIN | given)


def test_a_sites_signing_keys(workspace: Workspace, tmp_path: Path) -> None:
    """A site's file or the environment names public keys; the private one is a secret, and signs for them."""
    made, other = sshkey.generate("team-2026"), sshkey.generate("other")
    (tmp_path / "key").write_text(made.private)
    given = ORIGIN | {"GOLDSMITH_SIGNING_KEYS": f"{other.public}\n{made.public}\n", "SSH_AUTH_SOCK": ""}
    for private in ({"GOLDSMITH_SIGNING_KEY": made.private}, {"GOLDSMITH_SIGNING_KEY_FILE": str(tmp_path / "key")}):
        effective = load(None, None, workspace=workspace, environment=given | private)
        assert [str(key) for key in effective.site.keys] == ["other", "team-2026"]
        signer = effective.signer
        assert signer
        assert str(signer.public) == "team-2026"
        assert made.private in effective.confidential()
        assert made.private.splitlines()[1] not in str(describe(effective, workspace.root))
    with pytest.raises(ConfigurationError, match="nothing can be signed"):
        _ = load(None, None, workspace=workspace, environment=given).signer
    assert load(None, None, workspace=workspace, environment=ORIGIN | {"SSH_AUTH_SOCK": "/x"}).signer is None


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"GOLDSMITH_SIGNING_KEYS": "ssh-rsa AAAA x"}, "must be an ed25519 key"),
        ({"GOLDSMITH_SIGNING_KEY": "hunter2"}, "without a passphrase"),
    ],
)
def test_signing_keys_that_are_none(workspace: Workspace, environment: dict[str, str], told: str) -> None:
    """Refused while the configuration is read; a private one is not shown."""
    said = refusal(workspace, None, ORIGIN | environment)
    assert told in said
    assert "hunter2" not in said
