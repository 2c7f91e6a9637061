"""`clave mv`: where things go, and that they are encrypted for those who read there, or stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ENTRIES, User
from tests.cli.reading import terminal_output

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Person


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("plain", "other", {"other"}),
        ("plain", "deep/er", {"deep/er"}),
        ("plain", "web", {"web/plain"}),
        ("plain", "web/", {"web/plain"}),
        ("plain", "new/", {"new/plain"}),
        ("web/site", "/", {"site"}),
        ("web", "site", {"site/site", "site/bin"}),
        ("web", "team", {"team/web/site", "team/web/bin"}),
        ("web/", "deep/", {"deep/web/site", "deep/web/bin"}),
    ],
)
def test_where_it_goes(me: User, old: str, new: str, names: set[str]) -> None:
    before = set(me.ok("ls", "--flat").out.decode().split())
    done = me.ok("mv", old, new)
    assert (done.out, done.err) == (b"", b"")
    after = set(me.ok("ls", "--flat").out.decode().split())
    assert after - before == names
    assert {name for name in before if name.startswith(old)}.isdisjoint(after)
    assert me.subjects()[0].startswith(f"Rename {old.strip('/')} to ")
    assert me.git("status", "--porcelain") == ""
    for name in names:
        (source,) = (each for each in ENTRIES if each.endswith(name.rpartition("/")[2]) or each == old)
        assert me.read(name) == ENTRIES[source]


def test_it_is_encrypted_for_its_new_folder(me: User, subkey: Callable[[str], str]) -> None:
    both = {subkey("alice"), subkey("bob")}
    me.ok("mv", "web", "team")
    assert me.readers("team/web/site") == me.readers("team/web/bin") == both
    me.ok("mv", "team/web", "web")
    assert me.readers("web/site") == {subkey("alice")}
    assert me.read("web/bin") == ENTRIES["web/bin"]


def test_a_folder_takes_its_recipients_along(me: User, subkey: Callable[[str], str]) -> None:
    blob = me.git("rev-parse", "HEAD:team/db.gpg")
    me.ok("mv", "team", "crew")
    assert me.readers("crew/db") == {subkey("alice"), subkey("bob")}
    assert me.git("rev-parse", "HEAD:crew/db.gpg") == blob  # it had them already
    assert not (me.store / "team").exists()


def test_what_cannot_be_encrypted_anew_is_not_moved(me: User, team: tuple[Person, Person]) -> None:
    """pass moves it with its old recipients, and ends with 0."""
    _, bob = team
    (me.store / "web/his.gpg").write_bytes(bob.gpg("-e", "-r", bob.fingerprint, input=b"x"))
    me.git("add", ".")
    me.git("commit", "-qm", "his")
    for words in (["mv", "web", "team"], ["cp", "web", "team/copy"], ["mv", "web/his", "team"]):
        assert "his is " in me.refused(4, *words)
    (me.store / "team/.gpg-id").write_text("nobody@example.org\n")
    me.git("commit", "-qam", "nobody")
    assert "nobody@example.org" in me.refused(5, "mv", "plain", "team")


def test_before_something_is_overwritten(me: User) -> None:
    assert "web/site already exists. Overwrite it?" in me.refused(2, "mv", "plain", "web/site")
    child = me.tty("mv", "plain", "web/site")
    child.expect_exact("web/site already exists. Overwrite it? [y/N] ")
    child.sendline("n")
    terminal_output(child)
    assert child.exitstatus == 1  # pass: 0
    assert me.read("web/site") == ENTRIES["web/site"]
    me.ok("mv", "-f", "plain", "web/site")
    assert me.read("web/site") == ENTRIES["plain"]


def test_a_terminal_is_told(me: User) -> None:
    assert terminal_output(me.tty("mv", "plain", "web")) == b"renamed 'plain' -> 'web/plain'\n"


@pytest.mark.parametrize(("name", "moved"), [("both", {"new.gpg"}), ("both/", {"new/below.gpg"})])
def test_what_is_both(me: User, name: str, moved: set[str]) -> None:
    for each in ("both", "both/below"):
        me.ok("insert", each, input=b"x\n")
    before = set(me.git("ls-files").splitlines())
    me.ok("mv", name, "new")
    assert set(me.git("ls-files").splitlines()) - before == moved


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("plain", "plain", "are the same entry"),
        ("web/site", "web", "are the same entry"),
        ("web", "web", "cannot go into itself"),
        ("web", "web/sub", "cannot go into itself"),
        ("plain", "../out", "sneaky path"),
        ("plain", ".gpg-id", "is not a name of an entry"),
    ],
)
def test_what_cannot_be(me: User, old: str, new: str, said: str) -> None:
    assert said in me.refused(2, "mv", old, new)
    assert said in me.refused(2, "cp", "-f", old, new)


@pytest.fixture
def work(me: User, tmp_path: Path) -> User:
    """A second store, which the config file calls `work`."""
    me.ok("store", "add", "work", str(tmp_path / "work"))
    me.ok("-s", "work", "init", me.person.fingerprint)
    return User(me.person, tmp_path / "work", me.start)


def test_from_store_to_store(me: User, work: User) -> None:
    me.ok("cp", "plain", "work:there")
    assert work.read("there") == ENTRIES["plain"] == me.read("plain")
    me.ok("mv", "web", "work:")
    assert work.read("web/site") == ENTRIES["web/site"]
    assert me.run("show", "web/site").code == 3
    assert not (me.store / "web").exists()
    me.ok("mv", "work:there", "back")
    assert me.read("back") == ENTRIES["plain"]
    assert not (work.store / "there.gpg").exists()
    for each in (me, work):
        assert each.git("status", "--porcelain") == ""
    assert b"import web/site" in me.ok("log", "work:web/site").out


def test_what_is_in_the_other_store_is_not_overwritten_unasked(me: User, work: User) -> None:
    me.ok("insert", "work:plain", input=b"theirs\n")
    before = me.state(), work.state()
    assert "already exists" in me.refused(2, "mv", "plain", "work:plain")
    assert (me.state(), work.state()) == before
    me.ok("mv", "-f", "plain", "work:plain")
    assert work.read("plain") == ENTRIES["plain"]


def test_what_cannot_go_to_another_store_stays(me: User, work: User) -> None:
    (me.store / "web" / "site.gpg").write_bytes(b"no message")
    me.git("commit", "-q", "-a", "-m", "broken")
    before = me.state(), work.state()
    assert "web/site" in me.refused(4, "mv", "web", "work:")
    assert "no name" not in me.refused(3, "mv", "nothing", "work:")
    assert "sneaky" in me.refused(2, "mv", "plain", "work:../x")
    assert (me.state(), work.state()) == before
    (work.store / ".gpg-id").write_text("nobody@example.org\n")
    work.git("commit", "-q", "-a", "-m", "nobody")
    before = me.state(), work.state()
    assert "nobody@example.org" in me.refused(5, "mv", "plain", "work:")
    assert (me.state(), work.state()) == before


def test_another_name(me: User) -> None:
    me.ok("rename", "--force", "plain", "team/db")
    assert me.read("team/db") == ENTRIES["plain"]
