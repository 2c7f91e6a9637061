"""`clave edit`: in RAM alone, and nothing lost whatever the editor or somebody else does."""

from __future__ import annotations

import os
import stat
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ENTRIES, User
from tests.cli.reading import terminal_output

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def editor(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that makes an editor of a piece of Python, in which `path` is the file to edit."""

    def make(code: str) -> str:
        file = tmp_path / "an editor"
        file.write_text(f"#!{sys.executable}\nimport os, sys\npath = sys.argv[-1]\n{code}\n")
        file.chmod(0o755)
        return f"'{file}' --wait"

    return make


def test_an_entry_is_changed(me: User, editor: Callable[[str], str]) -> None:
    done = me.ok("edit", "web/site", EDITOR=editor("open(path, 'ab').write(b'pin: 1\\n')"))
    assert (done.out, done.err) == (b"", b"")
    assert me.read("web/site") == ENTRIES["web/site"] + b"pin: 1\n"
    assert me.subjects()[0] == "Edit password for web/site using an editor."


def test_an_entry_is_made(me: User, editor: Callable[[str], str]) -> None:
    write = editor("assert open(path, 'rb').read() == b''; open(path, 'wb').write(b'new')")
    me.ok("edit", "deep/er", EDITOR="", VISUAL=write)
    assert me.read("deep/er") == b"new"
    assert me.subjects()[0] == "Add password for deep/er using an editor."


def test_the_text_is_in_ram_and_private_and_gone_at_the_end(
    me: User, editor: Callable[[str], str], tmp_path: Path
) -> None:
    look = (
        "folder = os.path.dirname(path); st = os.stat\n"
        f"print(path, oct(st(path).st_mode), oct(st(folder).st_mode), os.environ['TMPDIR'] == folder,"
        f" file=open({str(tmp_path / 'seen')!r}, 'w'))\n"
        "open(path, 'a').write('x'); open(path + '~', 'w').write('backup')"
    )
    me.ok("edit", "web/site", EDITOR=editor(look))
    path, mode, above, temporary = (tmp_path / "seen").read_text().split()
    assert path.startswith("/dev/shm/clave-edit-")
    assert path.endswith("/web-site.txt")
    assert (stat.S_IMODE(int(mode, 8)), stat.S_IMODE(int(above, 8)), temporary) == (0o600, 0o700, "True")
    assert not Path(path).parent.exists()


def test_vim_leaves_nothing_beside(me: User, tmp_path: Path) -> None:
    """The real one: its swap, undo and backup files would lie where the user's vimrc says."""
    (me.person.home / ".vimrc").write_text(
        f"set undofile undodir={tmp_path} backup backupdir={tmp_path} dir={tmp_path}\n"
    )
    before = set(os.listdir(tmp_path))
    child = me.tty("edit", "plain", EDITOR="vim")
    child.expect_exact("canary-plain")
    child.send("obelow\x1b:wq\r")
    terminal_output(child)
    (me.person.home / ".vimrc").unlink()
    assert child.exitstatus == 0
    assert me.read("plain") == ENTRIES["plain"] + b"below\n"
    assert set(os.listdir(tmp_path)) == before
    assert not (me.person.home / ".viminfo").exists()


@pytest.mark.parametrize(
    ("code", "name", "exit_code", "said"),
    [
        ("", "plain", 1, "Password unchanged."),
        ("", "new", 1, "New password not saved."),
        ("sys.exit(3)", "plain", 1, "ended with code 3. Nothing was changed."),
        ("open(path, 'a').write('x'); sys.exit(1)", "plain", 1, "ended with code 1. Nothing was changed."),
        ("os.kill(os.getpid(), 15)", "plain", 1, "Nothing was changed."),
        ("os.unlink(path)", "plain", 1, "the edited file is gone. Nothing was changed."),
    ],
)
def test_an_editor_that_changes_nothing(
    me: User, editor: Callable[[str], str], code: str, name: str, exit_code: int, said: str
) -> None:
    assert said in me.refused(exit_code, "edit", name, EDITOR=editor(code))


def test_no_editor(me: User) -> None:
    line = me.refused(2, "edit", "plain", EDITOR="/nowhere/ed")
    assert line == "Error: the editor '/nowhere/ed' was not found. Set EDITOR to one that is there.\n"
    assert "EDITOR is not a command: 'x." in me.refused(2, "edit", "plain", EDITOR="'x")


def test_a_change_by_somebody_else_meanwhile_is_not_lost(me: User, editor: Callable[[str], str]) -> None:
    other = f"os.system(\"echo theirs | '{sys.executable}' -m clave insert -f plain\"); open(path, 'w').write('ours')"
    done = me.run("edit", "plain", EDITOR=editor(other))
    assert done.code == 1
    assert b"plain was changed meanwhile. Your text is in plain.conflict-" in done.err
    assert me.read("plain") == b"theirs\n"
    (aside,) = [path.stem for path in me.store.glob("plain.conflict-*.gpg")]
    assert me.read(aside) == b"ours"
    assert sha256(b"ours").hexdigest()[:7] not in aside  # passwords could be tried against it


def test_an_entry_removed_meanwhile(me: User, editor: Callable[[str], str]) -> None:
    other = f"os.system(\"'{sys.executable}' -m clave rm -f plain\"); open(path, 'w').write('ours')"
    assert me.run("edit", "plain", EDITOR=editor(other)).code == 1
    assert not (me.store / "plain.gpg").exists()
    (aside,) = [path.stem for path in me.store.glob("plain.conflict-*.gpg")]
    assert me.read(aside) == b"ours"


def test_what_cannot_be_stored_can_be_edited_again(me: User, editor: Callable[[str], str], tmp_path: Path) -> None:
    """The text would be gone, so it is asked for: here the recipients are mended in a second run of the editor."""
    ids = me.store / ".gpg-id"
    code = (
        f"first = not os.path.exists({str(tmp_path / 'ran')!r}); open({str(tmp_path / 'ran')!r}, 'w')\n"
        f"open({str(ids)!r}, 'w').write('nobody@example.org' if first else {ids.read_text()!r})\n"
        "assert first or open(path).read() == 'precious'\n"
        "open(path, 'w').write('precious')"
    )
    child = me.tty("edit", "plain", EDITOR=editor(code))
    child.expect_exact("nobody@example.org")
    child.expect_exact("Nothing was saved. Edit again? [y/N] ")
    child.sendline("y")
    terminal_output(child)
    assert child.exitstatus == 0
    assert me.read("plain") == b"precious"


def test_recipients_are_looked_for_before_the_editor_starts(
    me: User, editor: Callable[[str], str], tmp_path: Path
) -> None:
    (me.store / ".gpg-id").write_text("nobody@example.org\n")
    started = tmp_path / "started"
    assert "nobody@example.org" in me.refused(5, "edit", "plain", EDITOR=editor(f"open({str(started)!r}, 'w')"))
    assert not started.exists()
