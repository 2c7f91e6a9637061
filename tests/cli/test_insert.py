"""`clave insert`: from prompts, pipes and files; what is asked before something is overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ENTRIES, User
from tests.cli.reading import terminal_output

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("words", "data", "stored"),
    [
        ([], b"pw\n", b"pw\n"),
        ([], b"pw", b"pw\n"),
        ([], b"pw\npw\n", b"pw\n"),
        ([], b"\xff\xfe raw \n", b"\xff\xfe raw \n"),
        (["-e"], b"pw\nmore\n", b"pw\n"),
        (["-m"], b"pw\nuser: me\n", b"pw\nuser: me\n"),
        (["--multiline"], b"no newline", b"no newline"),
        (["-m"], bytes(range(256)), bytes(range(256))),
        (["-m"], b"", b""),
        (["--file", "-"], b"\r\n\0x", b"\r\n\0x"),
    ],
)
def test_from_a_pipe(me: User, words: list[str], data: bytes, stored: bytes) -> None:
    done = me.ok("insert", *words, "new/entry", input=data)
    assert (done.out, done.err) == (b"", b"")
    assert me.read("new/entry") == stored
    assert me.subjects()[0] == "Add given password for new/entry to store."
    assert me.git("status", "--porcelain") == ""


def test_from_a_file(me: User, tmp_path: Path) -> None:
    content = bytes(range(256)) * 500
    (tmp_path / "key").write_bytes(content)
    me.ok("insert", "--file", str(tmp_path / "key"), "keys/ssh")
    assert me.read("keys/ssh") == content
    assert "there is no file" in me.refused(3, "insert", "--file", str(tmp_path / "none"), "x")
    assert "cannot be read" in me.refused(4, "insert", "--file", str(tmp_path), "x")


def test_a_pipe_that_says_two_passwords_or_none(me: User) -> None:
    line = me.refused(1, "insert", "new", input=b"one\ntwo\n")
    assert line == "Error: the entered passwords do not match.\n"
    assert "the input ended before the answer" in me.refused(130, "insert", "new")
    assert "the input ended before the answer" in me.refused(130, "insert", "-e", "new")


def test_the_prompts_are_those_of_pass_and_show_nothing(me: User) -> None:
    child = me.tty("insert", "new")
    for prompt in ("Enter password for new: ", "Retype password for new: "):
        child.expect_exact(prompt)
        child.waitnoecho()
        child.sendline("s3cret ž")
    assert b"s3cret" not in terminal_output(child)
    assert child.exitstatus == 0
    assert me.read("new") == "s3cret ž\n".encode()


def test_two_passwords_that_differ(me: User) -> None:
    child = me.tty("insert", "new")
    for text in ("one", "two"):
        child.expect_exact("password for new: ")
        child.waitnoecho()
        child.sendline(text)
    assert b"the entered passwords do not match." in terminal_output(child)
    assert child.exitstatus == 1
    assert not (me.store / "new.gpg").exists()


def test_with_echo_it_is_asked_once(me: User) -> None:
    child = me.tty("insert", "-e", "new")
    child.expect_exact("Enter password for new: ")
    child.sendline("shown")
    assert b"shown" in terminal_output(child)
    assert child.exitstatus == 0
    assert me.read("new") == b"shown\n"


def test_many_lines_on_a_terminal(me: User) -> None:
    child = me.tty("insert", "-m", "new")
    child.expect_exact("Enter contents of new and press Ctrl+D when finished:\r\n\r\n")
    child.sendline("pw")
    child.sendline("user: me")
    child.sendeof()
    terminal_output(child)
    assert child.exitstatus == 0
    assert me.read("new") == b"pw\nuser: me\n"


@pytest.mark.parametrize("words", [[], ["-e"], ["-m"]])
@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_leaving_a_prompt(me: User, words: list[str], key: str) -> None:
    if (words, key) == (["-m"], "\x04"):
        pytest.skip("that is the end of the content")
    before = me.state()
    child = me.tty("insert", *words, "new")
    child.expect("(for new: |finished:\r\n)")
    child.send(key)
    assert terminal_output(child).count(b"Error:") == 1
    assert child.exitstatus == 130
    assert me.state() == before


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("", 1), ("y", 0), ("yes", 0)])
def test_before_something_is_overwritten(me: User, answer: str, code: int) -> None:
    child = me.tty("insert", "-e", "plain")
    child.expect_exact("An entry already exists for plain. Overwrite it? [y/N] ")
    child.sendline(answer)
    if code == 0:
        child.expect_exact("Enter password for plain: ")
        child.sendline("new")
    said = terminal_output(child)
    assert child.exitstatus == code
    assert me.read("plain") == (b"new\n" if code == 0 else ENTRIES["plain"])
    assert (b"plain was left as it was" in said or b"plain was left as it is" in said) == bool(code)


def test_without_a_terminal_only_an_explicit_word_overwrites(me: User) -> None:
    line = me.refused(2, "insert", "plain", input=b"x\n")
    assert "An entry already exists for plain." in line
    assert line.endswith("Overwrite it with -f.\n")
    for number, words in enumerate((["-f"], ["--force"])):
        me.ok("insert", *words, "plain", input=b"%d\n" % number)
        assert me.read("plain") == b"%d\n" % number
    me.ok("insert", "plain", input=b"scripts\n", CLAVE_YES="1")
    assert me.read("plain") == b"scripts\n"
    me.ok("--yes", "insert", "plain", input=b"flag\n")
    assert me.read("plain") == b"flag\n"
    me.refused(2, "insert", "plain", input=b"no\n", CLAVE_YES="0")


def test_options_that_exclude_each_other(me: User) -> None:
    for words in (["-e", "-m"], ["-m", "--file", "-"], ["-e", "--file=-"]):
        assert "exclude each other" in me.refused(2, "insert", *words, "new", input=b"x\n")


def test_where_it_cannot_lie(me: User) -> None:
    me.ok("insert", "plain/below", input=b"x\n")  # an entry and a folder may have one name
    assert me.ok("plain").out == ENTRIES["plain"]
    (me.store / "file").write_text("no entry")
    assert f"{me.store}/file is in the way" in me.refused(73, "insert", "file/below", input=b"x\n")
