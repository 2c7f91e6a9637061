"""Several stores: `-s STORE` and `STORE:NAME` in every command; `clave store …` itself is in test_setup_commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import SEED, User

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def both(me: User, tmp_path: Path) -> User:
    """The store of the others, and one more that the config file calls `work`."""
    me.ok("store", "add", "work", str(tmp_path / "work"))
    me.ok("-s", "work", "init", me.person.fingerprint)
    me.ok("-s", "work", "insert", "-m", "far/away", input=f"pw\nuser: w\n{SEED}\n".encode())
    return me


def test_reading(both: User) -> None:
    text = f"pw\nuser: w\n{SEED}\n".encode()
    for words in (
        ["work:far/away"],
        ["show", "work:far/away"],
        ["-s", "work", "far/away"],
        ["-swork", "show", "far/away"],
    ):
        assert both.ok(*words).out == text
    assert both.ok("work:far/away#user").out == b"w\n"
    assert both.ok("ls", "--flat", "work:").out == both.ok("-s", "work", "ls", "--flat").out == b"far/away\n"
    assert both.ok("work:far").out == both.ok("ls", "work:far").out
    assert both.ok("otp", "work:far/away").out.strip().isdigit()
    assert both.ok("otp", "uri", "work:far/away").out.decode() == f"{SEED}\n"
    assert both.ok("find", "--flat", "away").out == b"work:far/away\n"
    assert b"far/away:" in both.ok("-s", "work", "grep", "user").out
    assert b"insert far/away" in both.ok("log", "work:far/away").out
    assert both.run("diff", "work:far/away").code == 1
    assert both.ok("show", "--at", "HEAD", "work:far/away").out == text


def test_writing(both: User, tmp_path: Path) -> None:
    here = both.state()
    there = User(both.person, tmp_path / "work", both.start)
    both.ok("insert", "work:a", input=b"x\n")
    both.ok("generate", "work:b")
    both.ok("set", "work:a", "user", input=b"me\n")
    both.ok("cp", "work:a", "work:c")
    both.ok("mv", "work:c", "work:sub/")
    both.ok("rm", "-f", "work:b")
    both.ok("edit", "work:a", EDITOR="sh -c 'echo y >>\"$0\"'")
    both.ok("otp", "append", "work:sub/c", input=f"{SEED}\n".encode())
    both.ok("restore", "work:a", "-1")
    both.ok("-s", "work", "undo")
    assert there.read("a") == b"x\nuser: me\ny\n"
    assert there.read("sub/c") == f"x\nuser: me\n{SEED}\n".encode()
    assert there.git("status", "--porcelain") == ""
    assert both.state() == here


def test_an_entry_of_that_very_name_comes_first(both: User) -> None:
    """A name may hold a colon in pass."""
    both.ok("insert", "host:22", input=b"colon\n")
    assert both.ok("host:22").out == b"colon\n"
    (both.store / "work:far").mkdir()
    (both.store / "work:far/away.gpg").write_bytes((both.store / "plain.gpg").read_bytes())
    assert both.ok("work:far/away").out == both.ok("plain").out


def test_a_store_that_is_not_there(both: User, tmp_path: Path) -> None:
    assert "Did you mean 'work'?" in both.refused(3, "-s", "wrok", "ls")
    assert "other:x is not in the password store" in both.refused(3, "other:x")
    both.ok("store", "add", "gone", str(tmp_path / "gone"))
    assert f"there is no password store at {tmp_path}/gone" in both.refused(3, "gone:x")
    assert f"there is no password store at {tmp_path}/gone" in both.refused(3, "insert", "gone:x", input=b"x\n")
    assert both.ok("find", "--flat", "plain").out == b"plain\n"  # the others are searched all the same


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["add", "work", "/tmp/x"], 2, "there is a store 'work' already"),
        (["add", "a/b", "/tmp/x"], 2, "must be the name of a store"),
        (["add", "-x", "/tmp/x"], 2, "no such option"),
        (["add", "url", "https://example.org/x.git"], 2, "Clone it first: git clone"),
        (["add", "url", "git@example.org:x.git"], 2, "Clone it first: git clone"),
        (["add", "file", "/etc/passwd"], 2, "'/etc/passwd' is not a folder"),
        (["add", "one"], 2, "missing argument 'PATH'"),
        (["default", "wokr"], 3, "Did you mean 'work'?"),
        (["remove", "nothing"], 3, "there is no store 'nothing'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be(both: User, words: list[str], code: int, said: str) -> None:
    assert said in both.refused(code, "store", *words)
