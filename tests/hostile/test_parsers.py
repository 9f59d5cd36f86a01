"""Whatever is read from outside, a parser returns, or says in its own error that it cannot: no input is a bug."""

from __future__ import annotations

import contextlib
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from goldsmith import plan
from goldsmith.builds import Builds
from goldsmith.config import files, material
from goldsmith.config.problems import Problems
from goldsmith.errors import GoldsmithError
from goldsmith.host.redact import Redactor
from goldsmith.host.workspace import Workspace
from goldsmith.installers.kickseed import parser as kickseed
from goldsmith.installers.preseed import grammar
from goldsmith.lab import state
from goldsmith.model.values import AuthorizedKey
from goldsmith.records import record
from goldsmith.toolbox import cpio, deb, lock, mirrors
from goldsmith.toolbox.engine import install
from goldsmith.tools import bootconfig, govc, iso9660, junit, packer_output, sshkey, xorriso
from goldsmith.tools.listener import Listener
from goldsmith.vcenter import belonging, marks, notes
from goldsmith.vcenter.inventory import Machine
from tests.unit.fakes import FakeProgress

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "tests/recorded"
BUILD = "20261123-155944-1a2b3c4d"
KEY = sshkey.generate("hostile")
RECORD = {
    "schema": 1,
    "template": "t",
    "image": "i",
    "phase": "base",
    "site": "s",
    "build": BUILD,
    "key": "0" * 64,
    "inputs": {"a": "b"},
    "built": "2026-11-23T15:59:44Z",
    "source": {},
    "toolbox": {"reference": "r"},
    "checks": [{"name": "n", "says": "s", "outcome": "passed"}],
}
STATE = {
    "id": BUILD,
    "image": "i",
    "site": "s",
    "key": "k",
    "inputs": "a=b",
    "status": "open",
    "stages": ["media"],
    "attached": [{"slot": "cdrom", "stored": "a/b.iso", "secret": True}],
}
JUNIT = (
    '<testsuites><testsuite><testcase classname="verify.test_guest" name="test_a[ssh://clone-1]" time="0.1">'
    '<properties><property name="says" value="x"/></properties><failure message="m">E   no\n</failure></testcase>'
    "</testsuite></testsuites>"
)
ISOLINUX = "default vesamenu.c32\ntimeout 0\nlabel install\n kernel /linux\n append initrd=/initrd.gz quiet --- \n"
GRUB = "set timeout=30\nmenuentry 'x' {\n linux /linux vga=788 --- quiet\n initrd /initrd.gz\n}\n"


def recorded(name: str) -> str:
    """Return the text of a file that a tool once wrote."""
    return (RECORDED / name).read_text(encoding="utf-8")


def damaged(*good: str) -> SearchStrategy[str]:
    """Return texts that were good once: pieces cut out, doubled, swapped, or replaced by others and by anything."""
    odd = st.sampled_from(
        ["", "\0", "\n", "\r\n", "\x1b[2J", "\u2028", "\ud800", "é", "9" * 400, "[" * 3000, "::error::"]
    )
    piece = st.one_of(odd, st.text(max_size=12), st.sampled_from(good))
    edit = st.tuples(st.floats(0, 1), st.floats(0, 0.2), piece)
    return st.builds(_edited, st.sampled_from(good), st.lists(edit, max_size=5)) | st.text(max_size=80)


def _edited(text: str, edits: list[tuple[float, float, str]]) -> str:
    for at, length, piece in edits:
        start = int(at * len(text))
        text = text[:start] + piece + text[start + int(length * len(text)) :]
    return text


def like(document: Any) -> SearchStrategy[Any]:
    """Return JSON of the form of *document*, in which any part may be another, or be missing."""
    scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.just("../../x"))
    odd = st.recursive(
        scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=4), inner), max_leaves=4
    )
    if isinstance(document, dict):
        whole = st.fixed_dictionaries({}, optional={key: like(value) for key, value in document.items()})
        return st.one_of(whole, st.builds(lambda part: {**document, **part}, whole), odd)
    if isinstance(document, list):
        return st.lists(like(document[0]), max_size=2) | odd
    return st.just(document) | odd


def read(parser: Callable[[], object], *errors: type[Exception]) -> None:
    """Call a parser, which may refuse what it gets, in one way."""
    with contextlib.suppress(*errors):
        parser()


@given(damaged(recorded("answers/full/preseed.cfg"), "d-i time/zone select \\\n  UTC\n"))
def test_preseed(text: str) -> None:
    """The installer's own answers: every mistake has its line, and none is missed by failing."""
    assert all(0 <= line <= text.count("\n") + 1 for line, _ in grammar.problems(text, {}, ()))


@given(st.dictionaries(st.sampled_from(["isolinux.cfg", "boot/grub/grub.cfg", "txt.cfg"]), damaged(ISOLINUX, GRUB)))
def test_boot_configurations(texts: dict[str, str]) -> None:
    """A vendor's menus: what cannot be edited is said; edited twice they are as edited once."""
    words = ("auto=true", "url=file:///x")
    read(lambda: bootconfig.edited(bootconfig.edited(texts, words) | texts, words), GoldsmithError)
    read(lambda: bootconfig.updated_sums("\n".join(texts.values()), {"a": "0" * 32}), GoldsmithError)


@given(damaged("\x1eanswer\x1fd-i\x1ftime/zone\x1fselect\x1fUTC\n\x1ecomplaint\x1fx\n\x1escript\x1fa\n"))
def test_what_kickseed_says(text: str) -> None:
    """Anything else than an answer or a script counts as a complaint."""
    kickseed.verdict(text)


@pytest.mark.parametrize("folder", [BUILD, "20261123-155944-ffffffff"])
@given(content=like(STATE).map(json.dumps) | damaged(json.dumps(STATE)))
def test_the_state_of_a_build(folder: str, content: str, tmp_path: Path) -> None:
    """Others may write into ``build/``: whatever lies there is a build of this folder, or none."""
    builds = Builds(Workspace(root=tmp_path, cache=tmp_path / "cache"))
    file = builds.workspace.build(folder) / "build.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8", errors="surrogatepass")
    for build in builds.all():
        assert build.id == folder
        assert builds.folder(build) == file.parent
    read(lambda: builds.load(BUILD), GoldsmithError)


@given(like(RECORD).map(json.dumps) | damaged(json.dumps(RECORD)))
def test_a_record(text: str) -> None:
    """It comes from a datastore, which others can write to."""
    read(lambda: record.digest(record.dump(record.load(text))), GoldsmithError)


@given(st.lists(damaged(*recorded("packer/no-address.log").splitlines()), max_size=6))
def test_packers_output(lines: list[str]) -> None:
    """Provisioners print what a guest says."""
    with Listener(FakeProgress()) as listener:
        for line in lines:
            packer_output.parse(line)
            listener.line(line)
    listener.evidence()


@given(damaged(JUNIT))
def test_a_junit_report(text: str) -> None:
    """A check shows what a guest says; the report may be cut off as well."""
    read(lambda: junit.parse(text), GoldsmithError)


@given(damaged(KEY.public.strip(), f'command="x",no-pty {KEY.public.strip()}'))
def test_an_authorized_key(text: str) -> None:
    """An operator's line is a key, or is refused; it is one line in any case."""
    with contextlib.suppress(ValidationError):
        assert len(TypeAdapter(AuthorizedKey).validate_python(text).splitlines()) == 1


@given(text=damaged(recorded("certificates/corporate-root.crt"), recorded("certificates/server.crt"), KEY.private))
def test_pem(text: str, tmp_path: Path) -> None:
    """What is no certificate, or no key, is a problem of the configuration, and never shown."""
    file, problems = tmp_path / "file.pem", Problems()
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    now = datetime(2026, 11, 23, tzinfo=UTC)
    for only_cas in (True, False):
        material.check(file, where="x", now=now, problems=problems, only_cas=only_cas)
    material.check_private_key(file, where="x", problems=problems, authorized=[KEY.public])
    read(lambda: material.certificates([file]), ValueError)
    assert KEY.private.splitlines()[3] not in "".join(problems.found)


@given(st.dictionaries(st.sampled_from([marks.PREFIX + name for name in marks.NAMES]), damaged("u", BUILD, "a=b c=d")))
def test_attributes(values: dict[str, str]) -> None:
    """Anybody with the right to edit a machine writes them; they are a template's of ours, or nothing."""
    machine = Machine(ref="vm-1", name="x", instance_uuid="u", is_template=True, attributes=values, note=str(values))
    assert notes.claim(machine) is None
    belonging.sighting(machine, belonging.Scope(folder="", now=datetime(2026, 11, 23, tzinfo=UTC)))
    if found := marks.written(machine):
        marks.note(found, built="now")
        plan.Inputs({"answers": "0" * 64}).changed_since(found.inputs)
        assert plan.started(found.build)


@given(text=like({"site": {}, "user": "u", "name": "n", "vcenters": [{"name": "lab", "server": "s"}]}).map(json.dumps))
def test_the_state_of_a_lab(text: str, tmp_path: Path) -> None:
    """A file in the cache may be of another version."""
    (tmp_path / state.FILE).write_text(text)
    read(lambda: state.read(tmp_path), GoldsmithError)


@given(text=damaged((ROOT / "config/images/debian-13.toml").read_text(), 'a = """\nb = 1\n"""\n[x."y.z"]\n'))
def test_toml(text: str, tmp_path: Path) -> None:
    """An operator's file: what is wrong has a place."""
    file = tmp_path / "x.toml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    files.read(file, root=tmp_path, problems=Problems())


@given(
    damaged(recorded("docker/indextargets.txt"), "deb [signed-by=/x] http://m/debian trixie main\n", "URIs: http://m\n")
)
def test_apts_sources(text: str) -> None:
    """This machine's own, in both formats."""
    list(mirrors.one_line_roots(text))
    list(mirrors.deb822_roots(text))
    list(deb.paragraphs(text))
    install.parse_targets(text)
    install.trust("http://m/debian", text, deb822=True)
    install.trust("http://m/debian", text, deb822=False)


@given(damaged(recorded("xorriso/medium.txt"), "-boot_image 'a b'\nEl Torito boot img : 1 BIOS y\n"))
def test_what_xorriso_says_of_a_vendors_iso(text: str) -> None:
    """Names on it are the vendor's."""
    read(lambda: xorriso.boot_images(text), GoldsmithError)
    read(lambda: xorriso.options(text), GoldsmithError)


@given(damaged(recorded("govc/ls.json"), recorded("govc/upload.txt")))
def test_what_govc_says(text: str) -> None:
    """A datastore's listing, and errors with the words of a vCenter."""
    from goldsmith.host.runner import Completed

    read(lambda: govc.parse_size(Completed(returncode=0, stdout=text)), GoldsmithError)
    govc.explain(text)
    govc.parse_progress(text)


@given(st.binary(max_size=300), st.floats(0, 1), st.binary(max_size=9))
def test_archives(tail: bytes, at: float, piece: bytes) -> None:
    """An initrd and an ISO of another make."""
    header = b"070701" + b"".join(b"%08x" % number for number in (1, 0o100644, 0, 0, 1, 0, 3, 0, 0, 0, 0, 2, 0))
    good = header + b"a\0" + b"abc\0" + tail
    start = int(at * len(good))
    data = good[:start] + piece + good[start + len(piece) :]
    for initrd in (gzip.compress(data), data, gzip.compress(data)[:-3]):
        read(lambda initrd=initrd: list(cpio.entries(initrd)), GoldsmithError)  # type: ignore[misc] # bound now
    read(lambda: iso9660.volume(data * 200), ValueError)


@given(text=like(json.loads((ROOT / "docker/lock.json").read_text())["sections"]["media"]).map(json.dumps))
def test_a_lock(text: str, tmp_path: Path) -> None:
    """A merge may leave anything in it."""
    file = tmp_path / "lock.json"
    file.write_text(
        f'{{"schema": 1, "source_date_epoch": 1, "snapshot": "20260101T000000Z", "sections": {{"media": {text}}}}}'
    )
    read(lambda: lock.load(file), GoldsmithError)


@given(st.lists(st.text(max_size=20), max_size=4), damaged("password=hunter2hunter2 http://u:p@h"))
def test_the_filter(secrets: list[str], text: str) -> None:
    """It takes any secret and any text, and says the same of what it has filtered."""
    redact = Redactor(secrets)
    redact.add_logins([text])
    shown = redact(text)
    redact.reveals(text)
    assert isinstance(shown, str)
