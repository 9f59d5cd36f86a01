"""The page about a template as a browser shows it: at a desk and on a phone, whole, without a script."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from goldsmith.records.record import Ancestor, CheckResult, Record, Source, Stage, Toolbox
from goldsmith.records.write import Previous, report
from tests import debian

if TYPE_CHECKING:
    from pathlib import Path

WIDTHS = {"desktop": (1280, 1600), "phone": (390, 2400)}
MEASURE = """<script>document.addEventListener("DOMContentLoaded", () => {
  const all = [...document.querySelectorAll("body *")];
  const wide = all.filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5);
  document.body.dataset.measured = JSON.stringify({
    inner: innerWidth, scroll: document.documentElement.scrollWidth, wide: wide.map((one) => one.tagName),
    text: document.body.innerText });
});</script>"""


def page() -> tuple[Record, str]:
    """Return a record with everything that is long or odd, and its page."""
    checks = [
        CheckResult(
            name=f"guest: check {number}", says=f"It holds & is number {number}.", outcome="passed", seconds=0.1
        )
        for number in range(20)
    ]
    checks += [
        CheckResult(name="clones: ids", says="They differ.", outcome="failed", reason="assert '" + "ab" * 80 + "'"),
        CheckResult(name="guest: clock", says="It is kept.", outcome="skipped", reason="a container <has> none"),
    ]
    one = Record(
        template="debian-13-docker-feature-long-branch-name-123456-20261123-150000-0123abcd",
        image="debian-13",
        phase="docker",
        site="lab",
        build="20261123-150000-0123abcd",
        key="0123abcd" * 8,
        inputs=dict.fromkeys(("roles", "variables", "base", "packer", "tools"), "ab" * 32),
        built="2026-11-23T15:00:00Z",
        source=Source(commit="cd" * 20, dirty=True),
        toolbox=Toolbox(reference="goldsmith-toolbox:1326e7b6d238", config_digest="sha256:" + "ef" * 32),
        lineage=(Ancestor(kind="installer", name="debian-installer", sha256="12" * 32),),
        stages=(Stage(name="docker", seconds=412.4), Stage(name="verify: boot", seconds=3.7)),
        checks=tuple(checks),
        artefacts={"sbom.cdx.json": "34" * 32},
    )
    before = {"packages": [{"name": "curl", "version": "8.14.1-2", "architecture": "amd64"}], "units": {}, "etc": {}}
    after = {
        "packages": [{"name": "curl", "version": "8.14.1-2+deb13u1", "architecture": "amd64"}],
        "units": {"docker.service": "enabled"},
        "etc": {"/etc/" + "deep/" * 20 + "file": {"mode": "0644", "owner": "root", "sha256": "56" * 32}},
    }
    previous = Previous(name="debian-13-docker-20261116-150000-0123abcd", inventory=before)
    return one, report(one, digest="78" * 32, inventory=after, previous=previous)


def _browser() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def browser() -> str:
    """Return the browser's program; as root on Debian it is installed."""
    debian.need("chromium", there=lambda: _browser() is not None)
    found = _browser()
    assert found
    return found


def run(browser: str, *words: str) -> str:
    """Run the browser once, without a window, and return what it prints."""
    argv = (browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *words)
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=300).stdout


@pytest.mark.parametrize("screen", WIDTHS)
def test_the_page_fits_and_says_everything(browser: str, screen: str, tmp_path: Path) -> None:
    """Nothing is wider than the screen, and every check and its outcome can be read there."""
    one, text = page()
    width, height = WIDTHS[screen]
    # A window is never narrower than 500 pixels: a frame is.
    inner = tmp_path / "inner.html"
    inner.write_text(text.replace("</head>", MEASURE + "</head>"))
    outer = tmp_path / "outer.html"
    outer.write_text(
        '<body style="margin:0">'
        f'<iframe id="f" src="inner.html" style="border:0;width:{width}px;height:{height}px"></iframe>'
        "<script>onload = () => { document.body.dataset.measured = "
        'document.getElementById("f").contentDocument.body.dataset.measured; };</script>'
    )
    size = f"--window-size={max(width, 500)},{height}"
    dom = run(
        browser, "--allow-file-access-from-files", size, "--virtual-time-budget=5000", "--dump-dom", outer.as_uri()
    )
    measured = json.loads(html.unescape(re.findall(r'data-measured="([^"]*)"', dom)[0]))
    assert measured["inner"] == width
    assert measured["wide"] == []
    assert measured["scroll"] <= width
    for check in one.checks:
        assert check.name in measured["text"]
        assert check.says in measured["text"]
    for word in ("passed", "failed", "skipped", "curl:amd64", "8.14.1-2+deb13u1", "docker.service", one.key):
        assert word in measured["text"]
    shot = tmp_path / f"{screen}.png"
    run(browser, size, f"--screenshot={shot}", outer.as_uri())
    assert shot.stat().st_size > 10_000


def test_the_page_is_whole_in_itself() -> None:
    """It loads nothing, runs nothing, and what came from a guest is escaped."""
    _, text = page()
    assert "<script" not in text
    assert not re.search(r"(src|href)\s*=|url\(|@import", text)
    assert "a container &lt;has&gt; none" in text
