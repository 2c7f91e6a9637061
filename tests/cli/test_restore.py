"""`clave restore`: an earlier plaintext, encrypted for the readers of today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.conftest import ENTRIES, User

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Person


def test_an_entry(me: User) -> None:
    me.ok("insert", "-f", "plain", input=b"second\n")
    done = me.ok("restore", "plain", "-1")
    assert (done.out, done.err) == (b"", b"Restored plain.\n")
    assert me.read("plain") == ENTRIES["plain"]
    assert me.subjects()[0].startswith("Restore plain from ")
    assert "Clave-Change: same plain.gpg from " in me.git("log", "-1", "--format=%B")


def test_an_entry_that_was_removed(me: User) -> None:
    me.ok("rm", "-f", "web/bin")
    me.ok("restore", "web/bin", "-1")
    assert me.read("web/bin") == ENTRIES["web/bin"]


def test_a_folder(me: User) -> None:
    before = me.git("rev-parse", "HEAD").strip()
    me.ok("rm", "-f", "web/site")
    me.ok("insert", "-mf", "web/bin", input=b"other")
    me.ok("insert", "web/new", input=b"stays\n")
    done = me.ok("restore", "web", before)
    assert set(done.err.decode().splitlines()) == {"Restored web/bin.", "Restored web/site."}
    assert me.read("web/site") == ENTRIES["web/site"]
    assert me.read("web/new") == b"stays\n"


def test_it_is_for_the_readers_of_today(me: User, team: tuple[Person, Person], subkey: Callable[[str], str]) -> None:
    me.ok("insert", "-f", "team/db", input=b"second\n")
    me.ok("init", "-p", "team", me.person.fingerprint)  # bob is gone
    me.ok("restore", "team/db", "-1")
    assert me.read("team/db") == ENTRIES["team/db"]
    assert me.readers("team/db") == {subkey("alice")}


def test_nothing_to_restore(me: User) -> None:
    before = me.state()
    done = me.ok("restore", "plain", "HEAD")
    assert done.err == b"plain is as it was; nothing to restore.\n"
    assert me.state() == before


def test_another_store(me: User) -> None:
    me.ok("store", "add", "here", str(me.store))
    me.ok("insert", "-f", "plain", input=b"second\n")
    me.ok("restore", "here:plain", "-1", PASSWORD_STORE_DIR="")
    assert me.read("plain") == ENTRIES["plain"]


def test_what_cannot_be_restored(me: User) -> None:
    assert "has no version -9. There are: " in me.refused(3, "restore", "plain", "-9")
    assert "nothing" in me.refused(3, "restore", "nothing", "-1")
    assert "there is no revision 'x'" in me.refused(3, "restore", "plain", "x")
    assert "missing argument 'REV'" in me.refused(2, "restore", "plain")


def test_nobody_to_encrypt_to(me: User) -> None:
    me.ok("insert", "-f", "plain", input=b"second\n")
    (me.store / ".gpg-id").write_text("nobody@example.org\n")
    assert "nobody@example.org" in me.refused(5, "restore", "plain", "-1")
