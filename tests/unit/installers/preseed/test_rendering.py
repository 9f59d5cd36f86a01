"""The answers an installer gets: reviewed text, whatever values they are made from."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter, ValidationError

from goldsmith.config import certificates
from goldsmith.errors import CheckError
from goldsmith.installers import answers
from goldsmith.installers.answers import Given
from goldsmith.installers.preseed import INSTALLER, grammar, rendering
from goldsmith.model import Account, Guests, Image, Localisation, Os, Placement, Site, values

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORDED = Path(__file__).resolve().parents[3] / "recorded"
HASH = SecretStr("$6$example$qxJKSNBLbKQxqLCb2dCNvU0LpRrryL8zvttVk4XH1qOw.BvcOrtYJlSQpel8dWNpl7xWL93RYfWHbD5Vj4AGU/")
OPERATOR = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPgFz4NkPuD7rZbDG888Y4n73c5SEh4b8oTc9IKdaIw/ operator@example.com"
PLACEMENT = Placement(datacenter="Datacenter", cluster="Cluster", datastore="datastore1", network="VM Network")
IMAGE = Image(
    name="debian-13",
    os=Os(family="debian", release="13", suite="trixie", installer="preseed", guest_type="debian12_64Guest"),
    localisation=Localisation(locale="en_US", extra_locales=("da_DK",), keyboard="dk", timezone="Europe/Copenhagen"),
    packages=("htop", "python3", "sudo"),
)
FULL = Guests(
    mirror="http://mirror.example.com:8080/debian/",
    security_mirror="http://mirror.example.com:8080/debian-security",
    ntp_servers=("ntp1.example.com", "ntp2.example.com"),
    http_proxy="http://proxy.example.com:3128",
    https_proxy="http://proxy.example.com:3128",
    no_proxy=("localhost", ".example.com"),
    certificates=(RECORDED / "certificates" / "corporate-root.crt",),
    authorized_keys=(OPERATOR,),
)


GIVEN = Given(password_hash=HASH, certificates={})


def site(guests: Guests) -> Site:
    return Site(name="oslo", server="vcenter.example.com", placement=PLACEMENT, guests=guests)


def rendered(guests: Guests = FULL, image: Image = IMAGE, key: str = answers.PLACEHOLDER_KEY) -> Mapping[str, str]:
    found = certificates(guests.certificates)
    return rendering.render(image, site(guests), Given(password_hash=HASH, build_key=key, certificates=found)).files


def value(text: str, question: str) -> str:
    [found] = [answer.value for answer in grammar.parse(text) if answer.question == question]
    return found


@pytest.mark.parametrize(("name", "guests"), [("full", FULL), ("plain", Guests())])
def test_rendered_answers_are_the_reviewed_ones(name: str, guests: Guests) -> None:
    """Every rendered file equals its reviewed copy under tests/recorded/answers/, and none is missing or new.

    After a change on purpose: python -m tests.record_answers, then review the difference.
    """
    folder = RECORDED / "answers" / name
    recorded = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert dict(rendered(guests)) == recorded


def test_the_same_inputs_give_the_same_text() -> None:
    """Rendering twice gives the same digest: no time, no chance."""
    first, second = (rendering.render(IMAGE, site(FULL), GIVEN) for _ in range(2))
    assert first.digest() == second.digest()


def test_the_digest_follows_what_matters() -> None:
    """Another package, hash or proxy changes the digest; another place on the vCenter does not."""

    def digest(image: Image = IMAGE, guests: Guests = FULL, secret: SecretStr = HASH) -> str:
        return rendering.render(image, site(guests), Given(password_hash=secret, certificates={})).digest()

    moved = site(FULL).model_copy(update={"placement": PLACEMENT.model_copy(update={"datastore": "other"})})
    assert digest() == rendering.render(IMAGE, moved, GIVEN).digest()
    others = {
        digest(image=IMAGE.model_copy(update={"packages": ("htop",)})),
        digest(guests=FULL.model_copy(update={"http_proxy": ""})),
        digest(secret=SecretStr("!")),
    }
    assert len(others | {digest()}) == 4


def test_the_builds_key_can_be_found_again() -> None:
    """The build's key stands beside the operators', and only its line matches what clone-ready.sh deletes."""
    key = answers.build_key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA me@somewhere", "20261123-120000-0123abcd")
    lines = rendered(key=key)["goldsmith/authorized_keys"].splitlines()
    assert lines == [OPERATOR, key]
    [pattern] = re.findall(
        r"sed -i '/(.*)/d' \"\$file\"", INSTALLER.guest(IMAGE).finish_script.read_text(encoding="utf-8")
    )
    assert [line for line in lines if re.search(pattern, line)] == [key]
    assert re.search(pattern, answers.PLACEHOLDER_KEY)


def test_the_placeholder_is_a_key() -> None:
    """What stands for the build's key passes as one, so that nothing differs but the key."""
    assert TypeAdapter(values.AuthorizedKey).validate_python(answers.PLACEHOLDER_KEY)


def test_secrets_stand_in_the_answer_file_alone() -> None:
    """The password's hash is in preseed.cfg and nowhere else: the scripts may be shown in logs."""
    assert [name for name, text in rendered().items() if HASH.get_secret_value() in text] == ["preseed.cfg"]


def test_files_are_private_and_written_only_when_changed(tmp_path: Path) -> None:
    """All files are readable by their owner alone; a second time nothing is written; what is stale goes."""
    folder = tmp_path / "answers"
    full = answers.Answers(rendered())
    assert set(full.write(folder)) == set(full.files)
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert full.write(folder) == ()
    plain = answers.Answers(rendered(Guests()))
    assert "goldsmith/environment" in plain.write(folder)
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == set(plain.files)


def test_an_unknown_keyboard_is_found_before_the_installer_asks() -> None:
    """A keymap that the installer does not have is a mistake of the rendered answers."""
    image = IMAGE.model_copy(update={"localisation": Localisation(keyboard="dj")})
    with pytest.raises(CheckError, match="xkb-keymap has no choice 'dj'"):
        rendered(image=image)


def test_a_keyboard_with_a_variant() -> None:
    """The installer is asked for both at once; the machine's own file has them apart."""
    wanted = IMAGE.localisation.model_copy(update={"keyboard": "fr(latin9)"})
    files = rendered(image=IMAGE.model_copy(update={"localisation": wanted}))
    assert value(files["preseed.cfg"], "keyboard-configuration/xkb-keymap") == "fr(latin9)"
    assert """sed -i 's/^XKBLAYOUT=.*/XKBLAYOUT="fr"/' /etc/default/keyboard""" in files["goldsmith/inside.sh"]
    assert """sed -i 's/^XKBVARIANT=.*/XKBVARIANT="latin9"/' /etc/default/keyboard""" in files["goldsmith/inside.sh"]


def test_a_template_that_takes_an_unknown_name(tmp_path: Path) -> None:
    """A misspelt variable in a template stops the rendering and names the template."""
    folder = tmp_path / "preseed"
    folder.mkdir()
    (folder / "preseed.cfg.j2").write_text("d-i passwd/username string {{ image.acount.name }}\n", encoding="utf-8")
    with pytest.raises(CheckError, match=r"kickstart/preseed/preseed\.cfg\.j2") as caught:
        rendering.render(IMAGE, site(FULL), GIVEN, templates=folder)
    assert "acount" in str(caught.value)


ALLOWED = {
    "full_name": (st.text(st.characters(codec="ascii"), max_size=12), TypeAdapter(values.FullName)),
    "user": (st.text(st.sampled_from("abz09_-A$ '\"\\\n;"), max_size=8), TypeAdapter(values.UserName)),
    "proxy": (
        st.text(st.sampled_from("ab:@/%.;&'\"$\\ \n`(!"), max_size=20).map("http://{}".format),
        TypeAdapter(values.ProxyUrl),
    ),
    "mirror": (
        st.text(st.sampled_from("ab:1/.~+-;&'\"$\\ \n`@"), max_size=20).map("http://{}".format),
        TypeAdapter(values.MirrorUrl),
    ),
    "package": (st.text(st.sampled_from("ab+.-9 ;$'\n"), max_size=6), TypeAdapter(values.PackageName)),
}


@pytest.mark.parametrize("kind", ALLOWED)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_value_is_refused_or_arrives_unchanged(kind: str, data: st.DataObject) -> None:
    """Whatever text is given, either its type refuses it, or it comes out of preseed and shell as it went in."""
    strategy, adapter = ALLOWED[kind]
    text = data.draw(strategy)
    try:
        adapter.validate_python(text)
    except ValidationError:
        return
    assert text.isprintable()
    account = Account(name=text if kind == "user" else "a", full_name=text if kind == "full_name" else "A")
    guests = Guests(
        http_proxy=text if kind == "proxy" else "", mirror=text if kind == "mirror" else "http://m.example.com"
    )
    packages = (text,) if kind == "package" else ()
    files = rendered(guests, IMAGE.model_copy(update={"account": account, "packages": packages}))
    cfg = files["preseed.cfg"]
    assert value(cfg, "passwd/user-fullname") == account.full_name
    assert value(cfg, "passwd/username") == account.name
    assert value(cfg, "mirror/http/proxy") == guests.http_proxy
    host, directory = value(cfg, "mirror/http/hostname"), value(cfg, "mirror/http/directory")
    assert f"http://{host}{directory}".rstrip("/") == guests.mirror.rstrip("/")
    assert set(packages) <= set(value(cfg, "pkgsel/include").split(" "))
    [assigned] = re.findall(r"^account=(.*)$", files["goldsmith/inside.sh"], re.MULTILINE)
    assert shlex.split(assigned) == [account.name]
