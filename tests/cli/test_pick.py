"""`clave pick`: fzf where it is, a question of our own where it is not, and no question without a terminal."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ENTRIES, User
from tests.cli.reading import terminal_output

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def without_fzf(tmp_path: Path) -> dict[str, str]:
    """A PATH with what clave needs, and no fzf."""
    for program in ("gpg", "gpg-agent", "gpgconf", "git"):
        (tmp_path / program).symlink_to(shutil.which(program) or "")
    return {"PATH": str(tmp_path)}


def fake_fzf(folder: Path, script: str) -> dict[str, str]:
    """A PATH on which fzf is a script that logs how it was called."""
    file = folder / "fzf"
    file.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >{folder}/argv; env >{folder}/env; cat >{folder}/names; {script}\n'
    )
    file.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_fzf_of_this_machine(me: User) -> None:
    assert shutil.which("fzf")
    child = me.tty("pick")
    child.expect_exact("4/4")
    child.send("wsit")
    child.expect_exact("1/4")
    child.send("\r")
    assert ENTRIES["web/site"] in terminal_output(child)
    assert child.exitstatus == 0


def test_leaving_fzf(me: User) -> None:
    child = me.tty("pick")
    child.expect_exact("4/4")
    child.sendcontrol("c")
    assert b"nothing was chosen" in terminal_output(child)
    assert child.exitstatus == 130


def test_what_fzf_gets(me: User, tmp_path: Path) -> None:
    """All names and nothing that could run a command."""
    path = fake_fzf(tmp_path, r"printf 'plain\0'")
    said = terminal_output(
        me.tty("pick", "we", "b", FZF_DEFAULT_OPTS="--preview 'touch x'", FZF_DEFAULT_COMMAND="x", **path)
    )
    assert said == ENTRIES["plain"]
    assert (tmp_path / "names").read_bytes().split(b"\0") == [*(name.encode() for name in sorted(ENTRIES)), b""]
    argv = (tmp_path / "argv").read_text().splitlines()
    assert "--query=we b" in argv
    assert not [word for word in argv if word.startswith(("--preview", "--bind"))]
    assert "FZF_DEFAULT" not in (tmp_path / "env").read_text()


def test_fzf_finds_nothing(me: User, tmp_path: Path) -> None:
    child = me.tty("pick", "zzz", **fake_fzf(tmp_path, "exit 1"))
    assert b"no entry fits 'zzz'" in terminal_output(child)
    assert child.exitstatus == 1


def test_the_question_of_our_own(me: User, without_fzf: dict[str, str]) -> None:
    child = me.tty("pick", **without_fzf)
    child.expect_exact("  1  plain\r\n  2  team/db\r\n  3  web/bin\r\n  4  web/site\r\nNumber, or more letters: ")
    child.sendline("web")
    child.expect_exact("  1  web/bin\r\n  2  web/site\r\nNumber, or more letters: ")
    child.sendline("2")
    assert ENTRIES["web/site"].replace(b"\n", b"") in terminal_output(child).replace(b"\n", b"")
    assert child.exitstatus == 0


@pytest.mark.parametrize("keys", ["\x03", "\x04"])
def test_leaving_the_question_of_our_own(me: User, without_fzf: dict[str, str], keys: str) -> None:
    child = me.tty("pick", **without_fzf)
    child.expect_exact("letters: ")
    child.send(keys)
    assert terminal_output(child).count(b"Error:") == 1
    assert child.exitstatus == 130


def test_letters_that_fit_nothing_leave_the_list_as_it_was(me: User, without_fzf: dict[str, str]) -> None:
    child = me.tty("pick", "web", **without_fzf)
    child.expect_exact("letters: ")
    child.sendline("qqq")
    child.expect_exact("  1  web/bin\r\n  2  web/site\r\nNumber, or more letters: ")
    child.sendline("site")
    child.expect_exact("canary-pw")
    terminal_output(child)
    assert child.exitstatus == 0


def test_without_a_terminal_the_letters_must_fit_one(me: User) -> None:
    assert me.ok("pick", "st").out == ENTRIES["web/site"]
    assert me.ok("pick", "-n", "w", "b", "n").out == b"web/bin\n"
    assert me.ok("pick", "-q", "plain").out == me.ok("show", "-q", "plain").out
    assert "2 entries fit 'web'" in me.refused(2, "pick", "web")
    assert me.refused(1, "pick", "zz") == "Error: no entry fits 'zz'.\n"
    assert "exclude each other" in me.refused(2, "pick", "-n", "-q", "plain")


def test_all_stores_are_offered(me: User, tmp_path: Path) -> None:
    me.ok("store", "add", "work", str(tmp_path / "work"))
    me.ok("-s", "work", "init", me.person.fingerprint)
    me.ok("insert", "work:far", input=b"away\n")
    assert me.ok("pick", "far").out == b"away\n"
    assert me.ok("pick", "-n", "work", "far").out == b"work:far\n"


def test_a_name_cannot_control_the_terminal(me: User, without_fzf: dict[str, str]) -> None:
    for name in ("a\x1b[2J", "ab"):
        (me.store / f"{name}.gpg").write_bytes((me.store / "plain.gpg").read_bytes())
    child = me.tty("pick", "a", **without_fzf)
    child.expect_exact("letters: ")
    assert b"\x1b" not in child.before
    assert rb"a\x1b[2J" in child.before
    child.close()
    assert me.ok("pick", "-n", "2J").out == b"a\\x1b[2J\n"
