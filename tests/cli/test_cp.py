"""`clave cp`: a copy is encrypted for those who read where it lies; what both have of `mv` is tested there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.conftest import ENTRIES, User
from tests.cli.reading import terminal_output

if TYPE_CHECKING:
    from collections.abc import Callable


def test_an_entry(me: User) -> None:
    done = me.ok("cp", "plain", "web")
    assert (done.out, done.err) == (b"", b"")
    assert me.read("web/plain") == me.read("plain") == ENTRIES["plain"]
    assert me.subjects()[0] == "Copy plain to web/plain."
    assert "Clave-Change: same web/plain.gpg from" in me.git("log", "-1", "--format=%B")
    assert me.git("rev-parse", "HEAD:plain.gpg") == me.git("rev-parse", "HEAD:web/plain.gpg")


def test_a_folder(me: User) -> None:
    me.ok("cp", "web", "new/place/")
    assert me.read("new/place/web/bin") == ENTRIES["web/bin"]
    me.ok("cp", "-f", "web/", "new/place")
    assert me.ok("ls", "--flat", "new").out.decode().split() == ["new/place/web/bin", "new/place/web/site"]


def test_it_is_encrypted_for_its_new_folder(me: User, subkey: Callable[[str], str]) -> None:
    me.ok("copy", "web", "team/web")
    assert me.readers("team/web/site") == {subkey("alice"), subkey("bob")}
    assert me.readers("web/site") == {subkey("alice")}
    me.ok("cp", "--force", "team/db", "plain")
    assert me.readers("plain") == {subkey("alice")}
    assert me.read("plain") == ENTRIES["team/db"]


def test_before_something_is_overwritten(me: User) -> None:
    child = me.tty("cp", "plain", "web/site")
    child.expect_exact("web/site already exists. Overwrite it? [y/N] ")
    child.sendline("y")
    assert b"copied 'plain' -> 'web/site'" in terminal_output(child)
    assert me.read("web/site") == ENTRIES["plain"]


def test_what_is_in_the_way_is_named(me: User) -> None:
    me.ok("cp", "web", "more/web")
    assert "more/web/bin, more/web/site already exist. Overwrite them?" in me.refused(2, "cp", "web", "more")
