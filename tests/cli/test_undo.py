"""`clave undo`: the last operation as it was before, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ENTRIES, User

if TYPE_CHECKING:
    from tests.conftest import Person, Run


@pytest.mark.parametrize(
    "words",
    [
        ["insert", "new"],
        ["insert", "-f", "plain"],
        ["generate", "-f", "plain"],
        ["set", "web/site", "user"],
        ["rm", "-f", "plain"],
        ["rm", "-rf", "web"],
        ["mv", "plain", "web"],
        ["mv", "plain", "team"],
        ["mv", "-f", "plain", "web/site"],
        ["cp", "web", "copy"],
        ["restore", "web/site", "-1"],
    ],
    ids=" ".join,
)
def test_every_operation_on_entries(me: User, words: list[str]) -> None:
    if words[0] == "restore":
        me.ok("insert", "-f", "web/site", input=b"second\n")
    before = {name: me.read(name) for name in me.ok("ls", "--flat").out.decode().split()}
    me.ok(*words, input=b"x\n")
    after = {name: me.read(name) for name in me.ok("ls", "--flat").out.decode().split()}
    assert after != before
    done = me.ok("undo")
    assert done.out == b""
    assert done.err.decode().startswith("Undid “")
    assert {name: me.read(name) for name in me.ok("ls", "--flat").out.decode().split()} == before
    assert me.subjects()[0].startswith("Undo: ")
    me.ok("undo")
    assert {name: me.read(name) for name in me.ok("ls", "--flat").out.decode().split()} == after
    assert me.subjects()[0].startswith("Redo: ")
    assert me.git("status", "--porcelain") == ""


def test_what_another_program_has_done(me: User, run_pass: Run) -> None:
    assert run_pass(me.person, me.store, "insert", "-mf", "plain", input=b"theirs\n").code == 0
    assert b"plain is as it was before." in me.ok("undo").err
    assert me.read("plain") == ENTRIES["plain"]


def test_access_that_was_taken_is_not_given_back(me: User, team: tuple[Person, Person]) -> None:
    alice, _ = team
    me.ok("init", "-p", "team", alice.fingerprint)
    line = me.refused(2, "undo")
    assert "cannot be undone: it changed who can read" in line
    assert "clave init" in line


def test_a_move_out_of_a_folder_with_more_readers(me: User) -> None:
    me.ok("mv", "team/db", "private")
    line = me.refused(2, "undo")
    assert "would give Bob <bob@example.org> access to it again" in line
    assert "clave mv private team/db" in line


def test_a_merge_and_a_commit_of_another_kind(me: User) -> None:
    (me.store / "README").write_text("x")
    me.git("add", "README")
    me.git("commit", "-qm", "readme")
    assert "README, which is no entry" in me.refused(2, "undo")
    me.git("checkout", "-qb", "side", "HEAD~")
    me.ok("insert", "side", input=b"x\n")
    me.git("checkout", "-q", "-")
    me.git("merge", "-q", "--no-edit", "side")
    assert "it is a merge" in me.refused(2, "undo")


def test_a_file_that_has_changed_since(me: User) -> None:
    me.ok("insert", "-f", "plain", input=b"second\n")
    (me.store / "plain.gpg").write_bytes(b"work under way")
    assert "plain.gpg" in me.refused(7, "undo")
