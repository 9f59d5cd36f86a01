"""The record says everything, stays readable, and comes out the same for the same facts."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import CheckError
from goldsmith.records import record, sbom
from goldsmith.records.record import Ancestor, CheckResult, Record, Source, Stage, Toolbox

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SHA = st.from_regex(r"\A[0-9a-f]{64}\Z")
CHECKS = st.builds(
    CheckResult,
    name=TEXT,
    says=TEXT,
    outcome=st.sampled_from(["passed", "failed", "skipped"]),
    reason=TEXT,
    seconds=st.floats(0, 1e6),
)
STAGES = st.lists(st.builds(Stage, name=TEXT, seconds=st.floats(0, 1e6)), max_size=3).map(tuple)
RECORDS = st.builds(
    Record,
    template=TEXT,
    image=TEXT,
    phase=st.sampled_from(["base", "docker"]),
    site=TEXT,
    build=TEXT,
    key=SHA,
    inputs=st.dictionaries(TEXT, TEXT, max_size=3),
    built=st.integers(0, 1 << 32).map(lambda moment: datetime.fromtimestamp(moment, UTC).isoformat()),
    source=st.builds(Source, commit=TEXT, dirty=st.booleans()),
    toolbox=st.builds(Toolbox, reference=TEXT, config_digest=TEXT, tools=st.dictionaries(TEXT, TEXT, max_size=2)),
    lineage=st.lists(
        st.builds(Ancestor, kind=st.sampled_from(["installer", "base"]), name=TEXT, build=TEXT, stages=STAGES),
        max_size=2,
    ).map(tuple),
    stages=STAGES,
    checks=st.lists(CHECKS, max_size=3).map(tuple),
    artefacts=st.dictionaries(TEXT, SHA, max_size=2),
)


@given(RECORDS)
def test_a_record_survives_being_written(one: Record) -> None:
    """What is read is what was written, and the text names its schema."""
    text = record.dump(one)
    assert record.load(text) == one
    assert json.loads(text)["schema"] == record.SCHEMA
    assert record.dump(record.load(text)) == text


@given(RECORDS)
def test_a_failed_or_missing_check_is_no_verification(one: Record) -> None:
    """A template counts as verified only if its clones were checked and nothing failed."""
    failed = any(check.outcome == "failed" for check in one.checks)
    assert one.verified is (len(one.checks) > 0 and not failed)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": 3}'])
def test_another_schema_is_refused_in_words(text: str) -> None:
    """Whatever is no record of this schema is named, not misread."""
    with pytest.raises(CheckError, match="a record cannot be read") as error:
        record.load(text, where="record.json")
    assert error.value.where == "record.json"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"built": "2026-11-23T15:00:00Z"', '"built": "x"'),
        ('"built": "2026-11-23T15:00:00Z"', '"built": ""'),
        ('"built": "2026-11-23T15:00:00Z"', '"built": "0001-01-01T00:00:00+23:59"'),
        ('"seconds": 412.4', '"seconds": Infinity'),
        ('"seconds": 412.4', '"seconds": 1e308'),
        ('"seconds": 0.1', '"seconds": NaN'),
        ('"schema": 1', f'"schema": 2, "size_bytes": {"9" * 400}'),
    ],
)
def test_what_no_page_could_show_is_refused(old: str, new: str) -> None:
    """A moment that is none, and numbers without an end."""
    assert old in FIRST
    with pytest.raises(CheckError, match="a record cannot be read"):
        record.load(FIRST.replace(old, new))


FIRST = """{
 "artefacts": {"inventory.json": "HASH"}, "build": "20261123-150000-0123abcd", "built": "2026-11-23T15:00:00Z",
 "checks": [{"name": "guest: a (clone-1)", "outcome": "passed", "reason": "", "says": "It holds.", "seconds": 0.1}],
 "image": "debian-13", "inputs": {"roles": "0123abcd"}, "key": "HASH",
 "lineage": [{"key": "", "kind": "base", "name": "debian-13-base-20261121-020000-1095e43e", "sha256": ""}],
 "phase": "docker", "schema": 1, "site": "lab", "source": {"commit": "", "dirty": false},
 "stages": [{"name": "docker", "seconds": 412.4}], "template": "debian-13-docker-20261123-150000-0123abcd",
 "toolbox": {"config_digest": "", "reference": "goldsmith-toolbox:1", "tools": {}}
}""".replace("HASH", "ab" * 32)


def test_a_record_of_the_first_schema_can_still_be_read() -> None:
    """A template that was recorded by an earlier version is compared with; what it did not know is empty."""
    one = record.load(FIRST)
    assert (one.schema_version, one.verified, one.size_bytes) == (1, True, 0)
    assert (one.lineage[0].build, one.lineage[0].stages) == ("", ())


INVENTORY = {
    "os": {"ID": "debian", "VERSION_ID": '"13"'},
    "packages": [
        {
            "name": "libc6",
            "version": "2.41-12",
            "architecture": "amd64",
            "status": "ii",
            "source": "glibc",
            "source_version": "2.41-12",
        },
        {
            "name": "bash",
            "version": "5.2.37-2+b5",
            "architecture": "amd64",
            "status": "ii",
            "source": "bash",
            "source_version": "5.2.37-2",
        },
    ],
}


def test_the_package_list_is_reproducible_and_names_every_package() -> None:
    """The same guest gives the same document: no random number, no clock."""
    made = datetime(2026, 11, 23, tzinfo=UTC)
    first = sbom.render(INVENTORY, name="t", version="1", made=made, purl_type="deb")
    assert first == sbom.render(INVENTORY, name="t", version="1", made=made, purl_type="deb")
    document = json.loads(first)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    urls = {row["name"]: row["purl"] for row in document["components"]}
    assert urls.keys() == {"libc6", "bash"}
    assert urls["libc6"].startswith("pkg:deb/debian/libc6@2.41-12?arch=amd64")
    assert "upstream=bash" in urls["bash"]
