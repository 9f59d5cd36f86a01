"""Files as people have them are read the same way everywhere, or refused with what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.config import material
from goldsmith.config.problems import Problems
from goldsmith.errors import ConfigurationError
from goldsmith.host import reading
from goldsmith.toolbox import certificates
from goldsmith.vcenter import session
from tests.unit.config.loaded import CERTIFICATES, NOW

if TYPE_CHECKING:
    from pathlib import Path

PEM = (CERTIFICATES / "corporate-root.crt").read_text(encoding="ascii")
BLOCK = PEM.strip()
SHAPES = {
    "plain": PEM.encode(),
    "a mark of UTF-8": b"\xef\xbb\xbf" + PEM.encode(),
    "line ends of Windows": PEM.replace("\n", "\r\n").encode(),
    "both": b"\xef\xbb\xbf" + PEM.replace("\n", "\r\n").encode(),
    "text around it": f"subject=CN = Root\n{PEM}more\n".encode(),
    "Latin-1 around it": b"subject=CN = B\xfcro\n" + PEM.encode(),
    "no newline at the end": BLOCK.encode(),
    "blank lines": f"\n\n{PEM}\n\n".encode(),
}
USELESS = {
    "UTF-16": (PEM.encode("utf-16"), "text in UTF-16: save it as UTF-8"),
    "UTF-16 without a mark": (PEM.encode("utf-16-be"), "text in UTF-16"),
    "DER": (b"\x30\x82\x01\x00", "in DER form: openssl x509 -inform der"),
    "another kind": (PEM.replace("CERTIFICATE", "PKCS7").encode(), "no certificate in PEM form"),
    "a request": (PEM.replace("CERTIFICATE", "CERTIFICATE REQUEST").encode(), "but CERTIFICATE REQUEST"),
    "one of two damaged": ((PEM + PEM.replace("\nM", "\n!", 1)).encode(), "characters that do not belong there"),
    "copied from a page": (PEM.replace("\nM", "\n\xa0M", 1).encode(), "characters that do not belong there"),
    "damaged": (PEM.replace("MIIBrT", "MIIBxx").encode(), "certificate 1 cannot be decoded"),
    "cut off": (PEM[: len(PEM) // 2].encode(), "a certificate in it is cut off"),
    "with a key": (f"{PEM}-----BEGIN EC PRIVATE KEY-----\n".encode(), "holds a private key"),
    "empty": (b"", "no certificate in PEM form"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_certificate_whatever_its_file_looks_like(tmp_path: Path, shape: str) -> None:
    """Configuration, answers, toolbox and the login to a vCenter take the same files, and the same of each."""
    file = tmp_path / "ca.crt"
    file.write_bytes(SHAPES[shape])
    problems = Problems()
    material.check(file, where="x", now=NOW, problems=problems, only_cas=True)
    assert problems.found == []
    assert material.certificates([file]) == {"ca.crt": PEM}
    assert certificates.read(file) == PEM.encode()
    assert len(session.trust(file).get_ca_certs()) >= 1


@pytest.mark.parametrize("shape", USELESS)
def test_what_is_no_list_of_certificates_is_refused_by_all(tmp_path: Path, shape: str) -> None:
    """With the same reason."""
    data, words = USELESS[shape]
    file = tmp_path / "ca.crt"
    file.write_bytes(data)
    problems = Problems()
    material.check(file, where="x", now=NOW, problems=problems, only_cas=False)
    assert words in problems.found[0]
    for reader in (certificates.read, session.trust):
        with pytest.raises(ConfigurationError) as caught:
            reader(file)
        assert words in caught.value.why


@given(
    before=st.binary(max_size=20).filter(lambda data: b"\0" not in data and b"-----" not in data),
    count=st.integers(1, 3),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_bytes_may_stand_around_certificates(before: bytes, count: int, ends: str) -> None:
    """All of them are found, in their order."""
    if before.startswith((b"\x30\x82", b"\xff\xfe", b"\xfe\xff")):
        return
    data = b"".join(before + b"\n" + PEM.replace("\n", ends).encode() for _ in range(count))
    assert reading.certificates(data) == (BLOCK,) * count


@given(st.binary(max_size=60))
def test_whatever_a_file_holds_is_text_or_a_sentence(data: bytes) -> None:
    """Nothing but a sentence is raised, by any of the readers."""
    for reader in (reading.decoded, reading.certificates, reading.private_key):
        try:
            reader(data)
        except ValueError as error:
            assert str(error).startswith(("is ", "holds "))  # noqa: PT017 - which reader raises is chance


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=20))
def test_a_mark_is_no_part_of_the_text(text: str) -> None:
    """UTF-8 with or without one is the same text."""
    assert reading.decoded(text.encode("utf-8-sig")) == reading.decoded(text.encode()) == text


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: b"\xef\xbb\xbf" + data, id="a mark of UTF-8"),
        pytest.param(lambda data: data.replace(b"\n", b"\r\n"), id="line ends of Windows"),
        pytest.param(lambda data: data.strip(), id="no newline at the end"),
        pytest.param(lambda data: b"\n" + data + b"\n\n", id="blank lines"),
        pytest.param(lambda data: data, id="as it was made"),
    ],
)
def test_a_private_key_becomes_what_openssh_reads(change: object) -> None:
    """It wants its first line first, plain line ends, and one at the end."""
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    assert callable(change)
    assert reading.private_key(change(key)) == key


def test_a_key_of_a_repository_is_what_apt_reads() -> None:
    """Armoured, and without a mark before it."""
    key = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEX\n"
    assert reading.openpgp_key(key) == key
    for data, words in ((b"\xef\xbb\xbf" + key, "byte order mark"), (b"\x99\x01\0\x04", "holds no OpenPGP key")):
        with pytest.raises(ValueError, match=words):
            reading.openpgp_key(data)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, a folder, too large: a sentence."""
    (tmp_path / "large").write_bytes(b"x" * (8 << 20) + b"x")
    for name, words in (("nothing", "cannot be read"), ("", "cannot be read"), ("large", "larger than 8 MiB")):
        with pytest.raises(ValueError, match=words):
            reading.content(tmp_path / name)
