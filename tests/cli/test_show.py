"""`clave show` and plain `clave NAME`: entries byte for byte, one field, one line, an earlier version, folders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ENTRIES, SEED, User
from tests.cli.reading import plain, terminal_output

if TYPE_CHECKING:
    from tests.conftest import Run


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("words", [[], ["show"]])
def test_an_entry_comes_byte_for_byte(me: User, name: str, words: list[str]) -> None:
    done = me.ok(*words, name)
    assert (done.out, done.err) == (ENTRIES[name], b"")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", b"canary-pw"),
        ("user", b"me"),
        ("USER", b"me"),
        ("url", b"https://example.org"),
        ("notes", b"free text"),
    ],
)
def test_one_field(me: User, field: str, value: bytes) -> None:
    assert me.ok(f"web/site#{field}").out == me.ok("show", f"web/site#{field}").out == value + b"\n"


def test_user_means_what_other_programs_call_so(me: User) -> None:
    assert me.ok("team/db#user").out == me.ok("team/db#login").out == b"us\n"


def test_a_field_that_is_not_there(me: User) -> None:
    line = me.refused(3, "web/site#pin")
    assert line == "Error: web/site has no field 'pin'. It has: user, password, otp, notes, url.\n"


def test_an_entry_whose_own_name_holds_the_mark_comes_first(me: User) -> None:
    me.ok("insert", "web/site#user", input=b"an entry\n")
    assert me.ok("web/site#user").out == b"an entry\n"


def test_json(me: User) -> None:
    assert json.loads(me.ok("show", "--json", "web/site").out) == {
        "version": 1,
        "name": "web/site",
        "password": "canary-pw",
        "fields": [{"name": "user", "value": "me"}, {"name": "url", "value": "https://example.org"}],
        "otpauth": [SEED],
        "notes": "free text",
    }
    assert json.loads(me.ok("show", "--json", "web/site#user").out) == {
        "version": 1,
        "name": "web/site",
        "field": "user",
        "value": "me",
    }
    binary = json.loads(me.ok("show", "--json", "web/bin").out)
    assert binary.keys() == {"version", "name", "base64"}
    assert json.loads(me.ok("show", "--json", "web").out) == {
        "version": 1,
        "folder": "web",
        "entries": ["web/bin", "web/site"],
    }


def test_qr_code(me: User) -> None:
    first = me.ok("show", "-q", "web/site")
    assert first.err == b""
    lines = first.out.decode().splitlines()
    assert set("".join(lines)) <= set(" ▀▄█")
    assert len({len(line) for line in lines}) == 1
    assert me.ok("-q1", "web/site").out == me.ok("--qrcode=1", "web/site").out == first.out
    assert me.ok("web/site#password", "-q").out == first.out
    second = me.ok("-q2", "web/site").out
    assert second != first.out
    me.ok("insert", "line", input=b"user: me\n")
    assert me.ok("-q", "line").out == second
    me.ok("insert", "-m", "long", input=b"x" * 4000)
    assert "do not fit a QR code" in me.refused(2, "-q", "long")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["-q9", "web/site"], 3, "There is no password to put on the clipboard at line 9."),
        (["-c0", "web/site"], 3, "There is no password to put on the clipboard at line 0."),
        (["--clip=x", "web/site"], 2, "Clip location 'x' is not a number. Count lines from 1."),
        (["-c", "-q", "web/site"], 2, "--clip and --qrcode exclude each other."),
        (["--json", "-c", "web/site"], 2, "--clip and --json exclude each other."),
        (["-c", "web"], 2, "web is a folder, not an entry."),
        (["-q", "web"], 2, "web is a folder, not an entry."),
        (["-c"], 2, "the store is a folder, not an entry."),
        (["show", "--at", "-1", "web"], 2, "web is a folder, not an entry."),
        (["-q2", "web/site#user"], 2, "web/site#user is a field, and line 2 another choice."),
        (["show", "--at", "-1", "web/site#otp"], 3, "web/site has no version -1."),
        (["show", "--at", "HEAD", "web/site#otp"], 2, "a code is made of the entry as it is now."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_shown(me: User, words: list[str], code: int, message: str) -> None:
    assert message in me.refused(code, *words)


@pytest.mark.parametrize(
    ("name", "hint", "command"),
    [
        ("plian", "Did you mean 'plain'?", "pin"),
        ("site", "Did you mean 'web/site'?", ""),
        ("wbe/site", "Did you mean 'web/site'?", ""),
        ("web/site2", "Did you mean 'web/site'?", ""),
        ("tem", "Did you mean 'team'?", "team"),
        ("quite-different", "", ""),
    ],
)
def test_did_you_mean(me: User, name: str, hint: str, command: str) -> None:
    said = f"Error: {name} is not in the password store. {hint}".rstrip()
    assert me.refused(3, "show", name) == f"{said}\n"
    assert me.refused(3, name) == said + (f" Or did you mean the command '{command}'?" if command else "") + "\n"


def test_an_earlier_version(me: User) -> None:
    me.ok("insert", "-mf", "plain", input=b"second\nuser: x\n")
    commit = me.git("rev-parse", "HEAD").strip()
    me.ok("insert", "-mf", "plain", input=b"third\n")
    for revision, text in (("-1", b"second\nuser: x\n"), ("-2", ENTRIES["plain"]), (commit, b"second\nuser: x\n")):
        assert me.ok("show", "--at", revision, "plain").out == text
    assert me.ok("show", "--at=-1", "plain#user").out == b"x\n"
    assert json.loads(me.ok("show", "--json", "--at", "-1", "plain").out)["password"] == "second"
    me.ok("rm", "-f", "plain")
    assert me.ok("show", "--at", "-1", "plain").out == b"third\n"
    assert "plain has no version -9. There are: " in me.refused(3, "show", "--at", "-9", "plain")
    assert "there is no revision 'nonsense'" in me.refused(3, "show", "--at", "nonsense", "plain")


def test_folders_are_trees(me: User, run_pass: Run) -> None:
    theirs = plain(run_pass(me.person, me.store, "show", "web").out)
    assert me.ok("web").out == me.ok("show", "web/").out == theirs
    ascii_only = me.ok("web", LC_ALL="C", LANG="").out
    assert ascii_only == b"web\n|-- bin\n`-- site\n"


def test_a_terminal_shows_the_tree_in_colour_unless_told_not_to(me: User) -> None:
    assert b"\x1b[01;34mweb\x1b[0m" in terminal_output(me.tty())
    assert b"\x1b" not in terminal_output(me.tty(NO_COLOR="1"))
    assert b"\x1b" not in terminal_output(me.tty(TERM="dumb"))
    assert terminal_output(me.tty("plain")) == ENTRIES["plain"]


def test_a_store_that_pass_has_written(me: User, run_pass: Run) -> None:
    assert run_pass(me.person, me.store, "insert", "-m", "their/own", input=b"theirs\nx\n").code == 0
    assert me.ok("their/own").out == b"theirs\nx\n"
    assert run_pass(me.person, me.store, "web/bin").out == ENTRIES["web/bin"]


def test_an_armored_entry(me: User) -> None:
    text = me.person.gpg("-a", "-e", "-r", me.person.fingerprint, input=b"armored\n")
    (me.store / "arm.gpg").write_bytes(text)
    assert me.ok("arm").out == b"armored\n"


def test_a_link_to_another_entry(me: User) -> None:
    (me.store / "alias.gpg").symlink_to("web/site.gpg")
    assert me.ok("alias").out == ENTRIES["web/site"]
    assert b"alias -> web/site" in me.ok("ls").out
