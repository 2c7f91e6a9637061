"""`clave git`: git in the store with its own output and exit code, and a store made a repository."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import User, one_line
from tests.cli.reading import put

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Person, Run


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["rev-parse", "--verify", "nothing"], 128),
        (["nonsense"], 1),
        (["diff", "--quiet", "HEAD~1"], 1),
        (["cat-file", "-e", "HEAD"], 0),
        (["push", "nowhere"], 128),
        (["-c", "alias.kill=!kill -TERM $$", "kill"], 143),
    ],
    ids=lambda words: str(words[0]) if isinstance(words, list) else "",
)
def test_the_exit_code_is_that_of_git(me: User, words: list[str], code: int) -> None:
    done = me.run("git", *words)
    assert done.code == code
    assert b"Error: " not in done.err  # git has said it


def test_its_output_and_options_are_those_of_git(me: User) -> None:
    assert me.ok("git", "log", "--format=%s").out.decode() == me.git("log", "--format=%s")
    assert me.ok("git", "status", "-s", "--", "plain.gpg").out == b""
    assert me.ok("git", "--version").out.startswith(b"git version")
    assert me.ok("git", "--help").out.startswith((b"usage: git", b"GIT(1)", b"git"))


def test_git_works_on_the_store_whatever_the_environment_says(me: User, tmp_path: Path) -> None:
    top = me.ok("git", "rev-parse", "--show-toplevel", GIT_DIR=str(tmp_path), GIT_WORK_TREE=str(tmp_path)).out
    assert top.decode().strip() == os.path.realpath(me.store)


def test_init_again_changes_nothing(me: User) -> None:
    before = me.state()
    done = me.ok("git", "init")
    assert (done.out, done.err.decode()) == (b"", f"Set up again the git repository of {me.store}.\n")
    assert me.state() == before
    assert me.git("config", "diff.gpg.textconv").startswith("gpg -d ")


def test_init_commits_what_is_there(team: tuple[Person, Person], clave: Run, tmp_path: Path) -> None:
    alice, _ = team
    user = User(alice, put(alice, tmp_path / "store", {"a/b": b"x\n"}), clave)
    (user.store / "README").write_text("hello\n")
    assert f"Made the git repository of {user.store}." in user.ok("git", "init").err.decode()
    assert user.subjects() == [
        "Configure git repository for gpg file diff.",
        "Add current contents of password store.",
    ]
    assert user.git("ls-files").splitlines() == [".gitattributes", ".gpg-id", "README", "a/b.gpg"]
    assert user.git("status", "--porcelain") == ""
    plaintexts = user.ok("git", "log", "-p", "--", "a/b.gpg").out
    assert b"+x\n" in plaintexts


def test_init_in_a_repository_that_somebody_made_by_hand(
    team: tuple[Person, Person], clave: Run, tmp_path: Path
) -> None:
    alice, _ = team
    user = User(alice, put(alice, tmp_path / "store", {"a": b"x\n"}), clave)
    subprocess.run(["git", "init", "-q", user.store], check=True)
    (user.store / ".gitattributes").write_text("*.txt text\n")
    user.ok("git", "init")
    assert (user.store / ".gitattributes").read_text() == "*.txt text\n"
    assert user.git("status", "--porcelain") == ""


def test_without_a_repository_it_says_how_to_make_one(team: tuple[Person, Person], clave: Run, tmp_path: Path) -> None:
    alice, _ = team
    store = put(alice, tmp_path / "store", {})
    line = one_line(clave(alice, store, "git", "log"), 7)
    assert line == 'Error: the password store is not a git repository. Try "clave git init".\n'


def test_another_store(me: User, tmp_path: Path) -> None:
    me.ok("store", "add", "other", str(tmp_path / "other"))
    me.ok("-s", "other", "init", me.person.fingerprint)
    assert me.ok("-s", "other", "git", "rev-parse", "--show-toplevel").out.decode().strip().endswith("/other")
