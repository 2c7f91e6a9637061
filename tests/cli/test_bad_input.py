"""What goes wrong outside of clave: one line that names it and the next step, the exit code, nothing changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ENTRIES, SEED, User, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Person, Run

PW = b"pw\n"


# Names

MISSING = [
    ["nothing"],
    ["show", "nothing"],
    ["show", "-q", "nothing"],
    ["show", "nothing#user"],
    ["show", "--json", "nothing"],
    ["show", "--at", "-1", "nothing"],
    ["ls", "nothing"],
    ["grep", "x", "nothing"],
    ["clip", "nothing"],
    ["rm", "-f", "nothing"],
    ["rm", "-rf", "nothing"],
    ["mv", "nothing", "new"],
    ["cp", "-f", "nothing", "new"],
    ["generate", "-i", "nothing"],
    ["set", "--unset", "nothing", "user"],
    ["otp", "nothing"],
    ["otp", "uri", "nothing"],
    ["otp", "append", "nothing"],
    ["log", "nothing"],
    ["diff", "nothing"],
    ["restore", "nothing", "-1"],
    ["init", "-p", "nothing", ""],
]


@pytest.mark.parametrize("words", MISSING, ids=" ".join)
def test_an_entry_or_folder_that_is_not_there(me: User, words: list[str]) -> None:
    assert "nothing" in me.refused(3, *words, input=PW)


NO_NAMES = [
    "../x",
    "/etc/passwd",
    ".",
    "..",
    "a/../../b",
    ".git/config",
    ".gpg-id",
    "a/.b",
    "a\x1bb",
    "a\nb",
    "x" * 300,
]
TAKE_NAMES = [
    ["insert"],
    ["generate"],
    ["mv", "plain"],
    ["cp", "plain"],
    ["set", "--echo"],
    ["edit"],
    ["otp", "insert"],
]


@pytest.mark.parametrize("name", NO_NAMES, ids=repr)
def test_a_name_that_is_no_name(clave: Run, me: User, name: str) -> None:
    me = User(me.person, me.store, clave)
    for words in TAKE_NAMES:
        tail = ["user"] if words[0] == "set" else []
        line = me.refused(2, *words, name, *tail, input=f"{SEED}\n".encode(), EDITOR="false")
        assert len(line) < 1000
        assert "\x1b" not in line
    for words in (["show"], ["ls"], ["rm", "-f"], ["rm", "-rf"], ["log"], ["diff"], ["otp"], ["clip"], ["init", "-p"]):
        me.refused(2, *words, name, *([me.person.email] if words[0] == "init" else []))


@pytest.mark.parametrize("name", ["", "/", "//"])
def test_no_name_at_all(me: User, name: str) -> None:
    for words in (["insert"], ["generate"], ["rm", "-rf"], ["mv", "plain"][:1], ["edit"], ["otp", "code"]):
        tail = ["new"] if words == ["mv"] else []
        assert "is not a name of an entry" in me.refused(2, *words, name, *tail, input=PW)


@pytest.mark.parametrize("name", ["bad ", "bad.", "a/ b", "cafe\u0301", "\u202ereversed"])
def test_a_name_that_other_systems_cannot_hold_is_not_made(me: User, name: str) -> None:
    me.refused(2, "insert", name, input=PW)


# What is not installed, or not there


def path_without(folder: Path, *missing: str) -> str:
    """A PATH with gpg, its agent and git, but not the missing ones."""
    folder.mkdir()
    for program in ("gpg", "gpg-agent", "gpgconf", "git", "sh"):
        if program not in missing:
            (folder / program).symlink_to(shutil.which(program) or "")
    return str(folder)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["plain"], 4),
        (["show", "--json", "plain"], 4),
        (["grep", "x"], 4),
        (["otp", "web/site"], 4),
        (["insert", "new"], 5),
        (["generate", "new"], 5),
        (["set", "new", "user"], 5),
        (["init", "somebody"], 5),
        (["edit", "new"], 5),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_no_gpg(me: User, tmp_path: Path, words: list[str], code: int) -> None:
    line = me.refused(code, *words, input=PW, PATH=path_without(tmp_path / "bin", "gpg"), EDITOR="true")
    assert line == "Error: gpg is not installed. Install gnupg and try again.\n"


@pytest.mark.parametrize(
    "words",
    [
        ["insert", "new"],
        ["rm", "-f", "plain"],
        ["git", "status"],
        ["log"],
        ["undo"],
        ["git", "init"],
        ["diff", "plain"],
    ],
    ids=" ".join,
)
def test_no_git(me: User, tmp_path: Path, words: list[str]) -> None:
    line = me.refused(7, *words, input=PW, PATH=path_without(tmp_path / "bin", "git"))
    assert line.startswith("Error: git is not installed. Install git")


def test_reading_needs_no_git(me: User, tmp_path: Path) -> None:
    path = path_without(tmp_path / "bin", "git")
    assert me.ok("plain", PATH=path).out == me.ok("show", "plain", PATH=path).out == ENTRIES["plain"]
    assert me.ok("ls", "--flat", PATH=path).out.decode().split() == sorted(ENTRIES)


def test_no_agent(me: User, tmp_path: Path) -> None:
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=me.person.env(), check=True)
    config = me.person.gnupg / "gpg.conf"
    config.write_text("no-autostart\n")
    try:
        line = me.refused(4, "plain")
        assert "agent" in line
        assert "plain" in line
        assert "clave doctor" in line
    finally:
        config.unlink()


def test_a_key_that_is_not_mine(me: User, team: tuple[Person, Person]) -> None:
    _, bob = team
    (me.store / "his.gpg").write_bytes(bob.gpg("-e", "-r", bob.fingerprint, input=PW))
    line = me.refused(4, "his")
    assert "his is not encrypted to any key of yours" in line
    assert "Ask one of its readers" in line
    me.git("add", ".")
    me.git("commit", "-qm", "his")
    for words in (["mv", "his", "team/his"], ["init", me.person.fingerprint, bob.fingerprint], ["set", "his", "user"]):
        assert "his is not encrypted" in me.refused(4, *words, input=PW)


def test_nobody_to_encrypt_to(me: User) -> None:
    (me.store / ".gpg-id").write_text("# nobody\n")
    assert ".gpg-id names nobody" in me.refused(5, "insert", "new", input=PW)
    (me.store / ".gpg-id").unlink()
    assert "there is no .gpg-id" in me.refused(3, "insert", "new", input=PW)
    assert me.ok("plain").out == ENTRIES["plain"]


# No terminal


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["init"], "Name a key: clave init KEY…"),
        (["insert", "plain"], "Overwrite it with -f."),
        (["generate", "plain"], "Overwrite it with -f."),
        (["cp", "plain", "web/site"], "Overwrite it with -f."),
        (["mv", "plain", "web/site"], "Overwrite it with -f."),
        (["rm", "plain"], "Remove it with -f."),
        (["otp", "append", "web/site"], "Overwrite it with -f."),
        (["clip", "web/site"], "Name one field: clave clip NAME FIELD."),
        (["pick", "w"], "Give more letters."),
        (["otp", "insert", "web/site"], "Overwrite it with -f."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_no_terminal_to_ask_on(me: User, words: list[str], step: str) -> None:
    line = me.refused(2, *words, input=PW)
    assert line.removesuffix("\n").removesuffix(".").endswith(step.removesuffix("."))


# The store on disk


@pytest.fixture
def bound(me: User) -> Iterator[User]:
    """A store that its owner cannot write to: root would, so it is bound read-only where this process may do so."""
    as_root = os.geteuid() == 0
    if as_root:
        argv = ["mount", "--bind", "-o", "ro", str(me.store), str(me.store)]
        if subprocess.run(argv, capture_output=True, check=False).returncode != 0:
            pytest.skip("root who may not mount can write everywhere")
    else:
        for path in (me.store, *me.store.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)
    yield me
    if as_root:
        subprocess.run(["umount", str(me.store)], check=True)
    else:
        for path in (me.store, *me.store.rglob("*")):
            path.chmod(path.stat().st_mode | 0o700)


WRITES = [
    ["insert", "new"],
    ["insert", "-f", "plain"],
    ["generate", "new"],
    ["set", "plain", "user"],
    ["rm", "-f", "plain"],
    ["mv", "plain", "new"],
    ["cp", "plain", "new"],
    ["init", "-p", "sub", "alice@example.org"],
    ["otp", "append", "plain"],
]


def test_a_read_only_store(bound: User) -> None:
    for words in WRITES:
        line = bound.refused(73, *words, input=f"{SEED}\n".encode())
        assert "ermission" in line or "Read-only" in line
    assert bound.ok("plain").out == ENTRIES["plain"]
    assert bound.ok("log").code == 0


def test_a_store_that_git_is_busy_with(me: User) -> None:
    """The lock of a git that has died: after a while for one that lives, clave says how to get rid of it."""
    lock = me.store / ".git/index.lock"
    lock.write_bytes(b"")
    line = me.refused(75, "insert", "new", input=PW)
    assert "index.lock" in line
    assert "clave doctor --fix" in line
    assert me.ok("plain").out == ENTRIES["plain"]
    lock.unlink()


def test_a_change_that_is_not_committed_is_not_overwritten(me: User) -> None:
    (me.store / "plain.gpg").write_bytes((me.store / "web/site.gpg").read_bytes())
    for words in (["insert", "-f", "plain"], ["rm", "-f", "plain"], ["mv", "plain", "new"]):
        assert "plain.gpg" in me.refused(7, *words, input=PW)
    me.ok("insert", "other", input=PW)


def test_a_merge_that_is_under_way(me: User) -> None:
    (me.store / ".git/MERGE_HEAD").write_text(me.git("rev-parse", "HEAD"))
    assert "a merge or rebase is under way" in me.refused(7, "insert", "new", input=PW)


@pytest.mark.parametrize(
    "words", [["ls"], ["show", "x"], ["insert", "x"], ["git", "log"], ["log"], ["undo"], ["grep", "x"]]
)
def test_no_store(me: User, program: Run, tmp_path: Path, words: list[str]) -> None:
    line = one_line(program(me.person, tmp_path / "none", *words, input=PW), 3)
    assert line.startswith(f"Error: there is no password store at {tmp_path}/none. Make it: clave init")
    assert not (tmp_path / "none").exists()


def test_a_store_that_is_a_file(me: User, program: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    line = one_line(program(me.person, tmp_path / "file", "ls"), 3)
    assert f"{tmp_path}/file" in line
    one_line(program(me.person, tmp_path / "file", "init", me.person.email), 73)


# The config file and the environment


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x = 1 y", "config.toml, line 1 is not TOML"),
        ('default-store = "gone"', "names 'gone', which is no store"),
        ("clip.seconds = 0", "config.toml, line 1: 'clip.seconds'"),
        ("\nclipp.seconds = 5", "config.toml, line 2: there is no setting 'clipp.seconds'"),
        ('clip.seconds = "5"', "must be a number"),
        ('stores."a b".path = "x"', "must be the name of a store"),
        ("\udcff", "is not UTF-8"),
    ],
)
def test_a_broken_config_file(me: User, text: str, wanted: str) -> None:
    file = me.person.home / ".config/clave/config.toml"
    file.parent.mkdir(parents=True)
    file.write_bytes(os.fsencode(text))
    for words in (["ls"], ["plain"], ["insert", "new"], ["config", "list"], ["store", "add", "x", "/tmp/x"]):
        line = me.refused(2, *words, input=PW, PASSWORD_STORE_DIR=str(me.store) if words == ["insert", "new"] else "")
        assert wanted in line
        assert str(file) in line
    assert me.run("config", "set", "generate.length", "9").code == 2
    assert file.read_bytes() == os.fsencode(text)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PASSWORD_STORE_CLIP_TIME", "soon"),
        ("PASSWORD_STORE_GENERATED_LENGTH", "-1"),
        ("PASSWORD_STORE_X_SELECTION", "other"),
        ("PASSWORD_STORE_UMASK", "0x1"),
    ],
)
def test_a_variable_that_is_nonsense(me: User, variable: str, value: str) -> None:
    line = me.refused(2, "generate", "new", **{variable: value})
    assert variable in line
    assert f"'{value}'" in line


# The streams


def test_output_that_cannot_be_written(me: User) -> None:
    """Values, listings and reports: what did not arrive was not done."""
    for words in (["plain"], ["show", "--json", "plain"], ["ls"], ["find", "w"], ["log"], ["grep", "x"]):
        argv = [sys.executable, "-m", "clave", *words]
        with open("/dev/full", "wb") as full:
            done = subprocess.run(argv, env=me.person.env(me.store), stdout=full, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 73, words
        assert done.stderr.count(b"Error: ") == 1
        closed = subprocess.run(
            ["sh", "-c", 'exec "$@" >&-', "sh", *argv], env=me.person.env(me.store), capture_output=True, check=False
        )
        assert closed.returncode == 73, words
        assert closed.stderr.count(b"Error: ") == 1
        reader, writer = os.pipe()
        os.close(reader)
        gone = subprocess.run(argv, env=me.person.env(me.store), stdout=writer, stderr=subprocess.PIPE, check=False)
        os.close(writer)
        assert (gone.returncode, gone.stderr) == (141, b""), words
