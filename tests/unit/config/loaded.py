"""Configurations for tests: the origin's variables, a site's file, and what is told of those that are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldsmith.config import load
from goldsmith.errors import MAX_LINES, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.host.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]
CERTIFICATES = ROOT / "tests" / "recorded" / "certificates"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
HASH = "$6$example$qxJKSNBLbKQxqLCb2dCNvU0LpRrryL8zvttVk4XH1qOw.BvcOrtYJlSQpel8dWNpl7xWL93RYfWHbD5Vj4AGU/"
ORIGIN = {
    "VSPHERE_SERVER": "vcenter.example.com",
    "VSPHERE_USER": "builder@vsphere.local",
    "VSPHERE_PASSWORD": "correct horse",
    "CLUSTER": "Cluster",
    "DATACENTER": "Datacenter",
    "DATASTORE": "datastore1",
    "NETWORK": "VM Network",
}
SITE = """
server = "vcenter.example.com"
[placement]
datacenter = "Datacenter"
cluster = "Cluster"
datastore = "datastore1"
network = "VM Network"
"""


def site_file(workspace: Workspace, text: str, name: str = "oslo") -> Path:
    """Write the file of a site, and return it."""
    path = workspace.root / "config" / "sites" / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(workspace: Workspace, site: str | None, environment: Mapping[str, str], *, image: str | None = None) -> str:
    """Return what is told of a configuration that is refused; it fits a screen."""
    with pytest.raises(ConfigurationError) as caught:
        load(site, image, workspace=workspace, environment=environment, now=NOW)
    text = str(caught.value)
    assert len(text.splitlines()) <= MAX_LINES
    return text
