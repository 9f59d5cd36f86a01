"""The page about a template as a browser shows it: at a desk and on a phone, by day and by night."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests import debian, samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PICTURES = samples.ROOT / "build" / "report"
"""Where they are kept, to be looked at."""
SCREENS = {"desktop": (1280, 4800), "phone": (390, 7000)}
SCHEMES = {"light": 1, "dark": 0}
"""As Chromium counts them."""
READABLE = 4.5
"""The contrast that WCAG asks of text."""
MEASURE = r"""<script>document.addEventListener("DOMContentLoaded", () => {
  const fold = (open) => document.querySelectorAll("details").forEach((one) => { one.open = open; });
  fold(true);
  const all = [...document.querySelectorAll("body *")].filter((one) => one.tagName !== "SCRIPT");
  const parts = (color) => color.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const paper = (one) => {
    const color = parts(getComputedStyle(one).backgroundColor);
    return color[3] === 0 && one.parentElement ? paper(one.parentElement) : color;
  };
  const contrast = (one) => {
    const [a, b] = [light(parts(getComputedStyle(one).color)), light(paper(one))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const written = all.filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  document.body.dataset.measured = JSON.stringify({
    inner: innerWidth, scroll: document.documentElement.scrollWidth,
    wide: all.filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5).map((one) => one.outerHTML),
    pale: written.filter((one) => contrast(one) < READABLE).map((one) => one.outerHTML),
    paper: getComputedStyle(document.documentElement).backgroundColor,
    scripts: document.scripts.length, text: document.body.innerText });
  fold(false);
});</script>""".replace("READABLE", str(READABLE))


def _browser() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def browser() -> str:
    """Return the browser's program; as root on Debian it is installed."""
    debian.need("chromium", there=lambda: _browser() is not None)
    found = _browser()
    assert found
    return found


@pytest.fixture
def show(browser: str, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return what shows a page in the browser, keeps a picture of it, and returns what was measured."""

    def run(page: str, picture: Path, *, screen: str, scheme: str) -> dict[str, Any]:
        width, height = SCREENS[screen]
        # A window is never narrower than 500 pixels: a frame is.
        inner, outer = tmp_path / "inner.html", tmp_path / "outer.html"
        inner.write_text(page.replace("</head>", MEASURE + "</head>"), encoding="utf-8")
        outer.write_text(
            '<body style="margin:0">'
            f'<iframe id="f" src="inner.html" style="border:0;width:{width}px;height:{height}px"></iframe>'
            "<script>onload = () => { document.body.dataset.measured = "
            'document.getElementById("f").contentDocument.body.dataset.measured; };</script>'
        )
        argv = (
            *(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--allow-file-access-from-files", "--virtual-time-budget=5000"),
            *(f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}", f"--window-size={max(width, 500)},{height}"),
            *(f"--screenshot={picture}", "--dump-dom", outer.as_uri()),
        )
        dom = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=300).stdout
        found: dict[str, Any] = json.loads(html.unescape(re.findall(r'data-measured="([^"]*)"', dom)[0]))
        return found

    return run


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", samples.PAGES)
def test_the_page_fits_and_can_be_read(
    name: str, screen: str, scheme: str, show: Callable[..., dict[str, Any]]
) -> None:
    """Nothing is wider than the screen, no text is pale on its ground, and no script of a guest runs."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / f"{name}-{screen}-{scheme}.png"
    measured = show(samples.PAGES[name](), picture, screen=screen, scheme=scheme)
    assert measured["inner"] == SCREENS[screen][0]
    assert measured["wide"] == []
    assert measured["scroll"] <= measured["inner"]
    assert measured["pale"] == []
    assert measured["scripts"] == 1, "the one that measures"
    assert (measured["paper"] == "rgb(255, 255, 255)") is (scheme == "light")
    for row in samples.checks("base" if name == "first" else "docker"):
        assert row.says in measured["text"]
    assert picture.stat().st_size > 10_000


def test_the_text_of_guests_is_shown_as_it_is(show: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """Markup is text, controls and marks of direction are spelt out, and the folded half of a list is there too."""
    text = show(samples.failed(), tmp_path / "page.png", screen="phone", scheme="light")["text"]
    assert "<script>alert(1)</script> & [U+001B][31mred [U+202E]gnp.exe[U+202C] שלום [U+D800]" in text
    assert "python3-yaml" in text
    assert "0123abcd" * 8 in text


def test_paper_shows_what_is_folded(browser: str, tmp_path: Path) -> None:
    """Printed, the page is longer by what a screen folds away."""
    whole = samples.failed()
    sheets = []
    for page in (whole, re.sub(r"<details>.*?</details>", "", whole, flags=re.DOTALL)):
        source, target = tmp_path / "page.html", tmp_path / "page.pdf"
        source.write_text(page, encoding="utf-8")
        argv = (browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--print-to-pdf={target}", source.as_uri())
        subprocess.run(argv, capture_output=True, check=True, timeout=300)
        sheets.append(len(re.findall(rb"/Type /Page\b", target.read_bytes())))
    assert sheets[0] > sheets[1] > 0
