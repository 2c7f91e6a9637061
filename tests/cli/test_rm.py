"""`clave rm`: entries and folders, asked for first, and back from the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ENTRIES, User
from tests.cli.reading import terminal_output

if TYPE_CHECKING:
    from tests.conftest import Run


def test_an_entry(me: User) -> None:
    done = me.ok("rm", "-f", "web/site")
    assert (done.out, done.err) == (b"", b"")
    assert not (me.store / "web/site.gpg").exists()
    assert me.subjects()[0] == "Remove web/site from store."
    assert me.git("status", "--porcelain") == ""
    me.ok("restore", "web/site", "-1")
    assert me.ok("web/site").out == ENTRIES["web/site"]


def test_the_last_entry_of_a_folder_takes_it_along(me: User) -> None:
    me.ok("rm", "-f", "web/site")
    me.ok("rm", "-f", "web/bin")
    assert not (me.store / "web").exists()


def test_a_folder_with_its_recipients(me: User) -> None:
    me.ok("rm", "-rf", "team")
    assert not (me.store / "team").exists()
    assert me.subjects()[0] == "Remove team from store."
    assert me.git("ls-files", "team") == ""


def test_a_folder_only_with_r(me: User) -> None:
    """pass says nothing and ends with 0."""
    assert me.refused(2, "rm", "-f", "web") == "Error: web is a folder. Remove it and all below it with -r.\n"


@pytest.mark.parametrize(("name", "gone"), [("both", ["both.gpg"]), ("both/", ["both/below.gpg"])])
def test_what_is_both(me: User, name: str, gone: list[str]) -> None:
    for each in ("both", "both/below"):
        me.ok("insert", each, input=b"x\n")
    before = set(me.git("ls-files").splitlines())
    me.ok("rm", "-rf", name)
    assert before - set(me.git("ls-files").splitlines()) == set(gone)


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1), ("", 1), ("\x03", 130), ("\x04", 130)])
def test_it_is_asked_first(me: User, answer: str, code: int) -> None:
    child = me.tty("rm", "plain")
    child.expect_exact("Are you sure you would like to delete plain? [y/N] ")
    child.send(answer if answer in ("\x03", "\x04") else f"{answer}\n")
    terminal_output(child)
    assert child.exitstatus == code
    assert (me.store / "plain.gpg").exists() == (code != 0)


def test_scripts_may_say_yes_beforehand(me: User) -> None:
    me.ok("rm", "plain", CLAVE_YES="1")
    me.ok("--yes", "rm", "-r", "web")
    assert me.ok("ls", "--flat").out == b"team/db\n"


def test_an_alias_that_leads_nowhere_can_be_removed(me: User) -> None:
    (me.store / "alias.gpg").symlink_to("nowhere.gpg")
    me.git("add", ".")
    me.git("commit", "-qm", "alias")
    me.ok("rm", "-f", "alias")
    assert not (me.store / "alias.gpg").is_symlink()


def test_other_names(me: User, run_pass: Run) -> None:
    me.ok("remove", "-f", "plain")
    me.ok("delete", "--recursive", "--force", "web")
    assert run_pass(me.person, me.store, "git", "status", "--porcelain").out == b""
