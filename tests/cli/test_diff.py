"""`clave diff`: what changed in an entry; secret values only where they are asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ENTRIES, User
from tests.cli.reading import terminal_output

if TYPE_CHECKING:
    from tests.conftest import Output


@pytest.fixture
def changed(me: User) -> User:
    """A new password, user and URL, and one line less."""
    me.ok("insert", "-mf", "web/site", input=b"new-pw\nuser: you\nurl: https://example.com\npin: 1234\nfree text\n")
    return me


def diff(me: User, *words: str) -> Output:
    done = me.run("diff", "web/site", *words)
    assert done.code == 1
    assert done.err == b""
    return done


def test_the_last_change_with_its_secrets_masked(changed: User) -> None:
    said = diff(changed).out.decode()
    assert said.splitlines()[0].startswith("web/site: ")
    assert said.splitlines()[0].endswith("→ now")
    assert "  user: me → you\n" in said
    assert "  url: https://example.org → https://example.com\n" in said
    assert "  password: changed\n" in said
    assert "  pin: added\n" in said
    assert "otp" in said
    for secret in ("canary-pw", "new-pw", "1234", "JBSWY3DP"):
        assert secret not in said
    assert diff(changed, "-1").out.decode() == said
    assert (
        diff(changed, changed.git("rev-parse", "HEAD~").strip()).out.decode().splitlines()[1:] == said.splitlines()[1:]
    )


def test_with_the_values(changed: User) -> None:
    said = diff(changed, "--reveal").out.decode().splitlines()
    assert {"- canary-pw", "+ new-pw", "+ pin: 1234"} <= set(said)
    assert "  free text" not in said
    assert "\x1b[31m- canary-pw\x1b[0m" in terminal_output(changed.tty("diff", "web/site", "--reveal")).decode()


def test_json(changed: User) -> None:
    document = json.loads(diff(changed, "--json").out)
    assert document.keys() == {"version", "name", "old", "new", "differences"}
    rows = {row["part"]: row for row in document["differences"]}
    assert rows["password"] == {"part": "password", "change": "changed", "secret": True}
    assert rows["user"] == {"part": "user", "change": "changed", "secret": False, "old": "me", "new": "you"}
    revealed = json.loads(diff(changed, "--json", "--reveal").out)["differences"]
    assert {row["part"]: row.get("new") for row in revealed}["password"] == "new-pw"


def test_between_two_versions(changed: User) -> None:
    changed.ok("set", "web/site", "user", input=b"third\n")
    assert "user: me → third" in diff(changed, "-2").out.decode()
    assert "user: me → you" in diff(changed, "-2", "-1").out.decode()
    assert "user: you → me" in diff(changed, "-1", "-2").out.decode()


def test_what_does_not_differ(changed: User) -> None:
    done = changed.ok("diff", "web/site", "HEAD")
    assert (done.out, done.err) == (b"", b"")
    assert json.loads(changed.ok("diff", "web/site", "HEAD", "--json").out)["differences"] == []


def test_an_entry_that_is_new_or_gone(me: User) -> None:
    new = me.run("diff", "plain")
    assert new.out == b"plain: nothing \xe2\x86\x92 now\n  password: added\n"
    me.ok("rm", "-f", "plain")
    assert b"password: removed" in me.run("diff", "plain").out


def test_what_is_no_text(me: User) -> None:
    me.ok("insert", "-mf", "web/bin", input=b"\xff\0")
    assert b"content: 768 bytes \xe2\x86\x92 2 bytes, they differ" in me.run("diff", "web/bin").out
    assert me.run("diff", "web/bin", "--reveal").out == me.run("diff", "web/bin").out
    assert ENTRIES["web/bin"][1:5] not in me.run("diff", "web/bin", "--reveal").out


def test_through_a_rename(changed: User) -> None:
    changed.ok("mv", "web/site", "moved")
    assert b"user: me \xe2\x86\x92 you" in changed.run("diff", "moved", "-1").out


def test_what_cannot_be_compared(me: User) -> None:
    assert "no commit has an entry or folder nothing" in me.refused(3, "diff", "nothing")
    assert "there is no revision 'x y'" in me.refused(3, "diff", "plain", "x y")
    assert "has no version -5. There are: " in me.refused(3, "diff", "plain", "-5")
    me.refused(2, "diff", "plain", "-1", "-1", "-1")
