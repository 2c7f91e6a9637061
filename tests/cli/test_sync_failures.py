"""`clave sync` where the remote, the network or another clone is in the way: how each ends, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.sharing import Group, group, shared_template, three
from tests.reliability.checks import assert_explained

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["group", "shared_template", "three"]


@pytest.fixture
def pair(group: Group) -> Group:
    """Alice and bob have the same; each of them has written something since."""
    group.join("bob")
    group.clave("alice", "insert", "-m", "of-alice", input=b"alice\n")
    group.clave("bob", "insert", "-m", "of-bob", input=b"bob\n")
    return group


def rejecting(group: Group, times: int) -> Path:
    """Let the next pushes be overtaken: before each of them, another commit gets into the remote."""
    counter = group.folder / "pushes"
    counter.write_text(str(times))
    hook = group.remote / "hooks" / "pre-receive"
    hook.write_text(
        f"#!/bin/sh\nunset GIT_QUARANTINE_PATH\nleft=$(cat {counter})\n[ $left -gt 0 ] || exit 0\n"
        f"echo $((left - 1)) >{counter}\n"
        "new=$(git commit-tree -p main -m overtaken main^{tree})\ngit update-ref refs/heads/main $new\n"
    )
    hook.chmod(0o755)
    for role in ("user.name", "user.email"):
        subprocess.run(["git", "-C", group.remote, "config", role, "x"], check=True)
    return counter


def test_a_push_that_is_overtaken_once(pair: Group) -> None:
    counter = rejecting(pair, 1)
    pair.clave("alice", "sync")
    assert counter.read_text().strip() == "0"
    assert pair.head("alice") == pair.tip()
    assert pair.show("alice", "of-alice") == b"alice\n"
    assert "overtaken" in pair.git("alice", "log", "--format=%s")


def test_a_push_that_is_always_overtaken(pair: Group) -> None:
    counter = rejecting(pair, 100)
    done = pair.clave("alice", "sync", code=None)
    assert_explained(done, 75, "5 times", "clave sync")
    assert counter.read_text().strip() == "95"
    assert pair.show("alice", "of-alice") == b"alice\n"
    assert pair.git("alice", "status", "--porcelain") == ""
    counter.write_text("0")
    pair.clave("alice", "sync")
    assert pair.head("alice") == pair.tip()


def test_a_remote_that_cannot_be_reached(pair: Group) -> None:
    pair.remote.rename(pair.folder / "away.git")
    before = pair.head("alice")
    assert_explained(pair.clave("alice", "sync", code=None), 75, "origin", "Try again")
    assert pair.head("alice") == before
    (pair.folder / "away.git").rename(pair.remote)
    pair.clave("alice", "sync")


def test_a_branch_that_is_gone_or_renamed(pair: Group) -> None:
    pair.bare("branch", "-m", "main", "trunk")
    before = pair.head("alice")
    assert_explained(pair.clave("alice", "sync", code=None), 7, "main", "trunk", "renamed")
    pair.git("alice", "config", "branch.main.merge", "refs/heads/trunk")  # as it says
    pair.clave("alice", "sync")
    assert pair.bare("rev-parse", "trunk") == pair.head("alice") == before
    pair.bare("update-ref", "-d", "refs/heads/trunk")
    assert_explained(pair.clave("alice", "sync", code=None), 7, "empty", "trunk")


def test_what_a_store_is_not_shared_by(group: Group) -> None:
    group.git("alice", "remote", "remove", "origin")
    assert_explained(group.clave("alice", "sync", code=None), 7, "no remote", "clave git remote add")
    group.git("alice", "remote", "add", "origin", "ext::touch sentinel")
    assert_explained(group.clave("alice", "sync", code=None), 2, "program")
    group.git("alice", "remote", "set-url", "origin", "https://alice:hunter22@example.org/store")
    done = group.clave("alice", "sync", code=None)
    assert_explained(done, 2, "password")
    assert b"hunter22" not in done.err
    group.git("alice", "remote", "set-url", "origin", str(group.remote))
    group.git("alice", "checkout", "-q", "--detach")
    assert_explained(group.clave("alice", "sync", code=None), 7, "no branch")


def test_another_store_altogether(group: Group) -> None:
    group.clave("alice", "sync")
    store = group.folder / "bob"
    group.stores["bob"] = store
    group.clave("bob", "init", group.people["bob"].fingerprint)
    group.git("bob", "remote", "add", "origin", str(group.remote))
    before = group.head("bob")
    assert_explained(group.clave("bob", "sync", code=None), 7, "no commit in common")
    assert group.head("bob") == before


def test_uncommitted_changes_are_not_touched(pair: Group) -> None:
    """Those in the way stop it; others stay as they are, staged or not."""
    pair.clave("alice", "sync")
    (pair.stores["bob"] / "mine.txt").write_text("staged")
    pair.git("bob", "add", "mine.txt")
    (pair.stores["bob"] / "mine.txt").write_text("changed")
    (pair.stores["bob"] / "of-alice.gpg").write_bytes(b"in the way")
    before = pair.head("bob")
    assert_explained(pair.clave("bob", "sync", code=None), 7, "of-alice.gpg", "not committed")
    assert pair.head("bob") == before
    (pair.stores["bob"] / "of-alice.gpg").unlink()
    pair.clave("bob", "sync")
    assert pair.git("bob", "status", "--porcelain") == "AM mine.txt\n"
    assert pair.git("bob", "show", ":mine.txt") == "staged"


def test_a_merge_of_the_users_own_is_ended_first(pair: Group) -> None:
    pair.clave("alice", "sync")
    (pair.stores["bob"] / ".git" / "MERGE_HEAD").write_text(pair.head("bob"))
    assert_explained(pair.clave("bob", "sync", code=None), 7, "merge or rebase is under way")


def test_a_dry_run_moves_nothing(pair: Group) -> None:
    pair.clave("alice", "sync")
    refs = pair.git("bob", "for-each-ref", "refs/heads", "refs/remotes")
    done = pair.clave("bob", "sync", "--dry-run")
    assert "1 commit would come" in done.out.decode()
    assert "1 commit would go" in done.out.decode()
    assert pair.git("bob", "for-each-ref", "refs/heads", "refs/remotes") == refs
    assert pair.tip() == pair.head("alice")
    pair.clave("bob", "sync", "--dry-run", "--sign", code=2)


def test_the_fetched_names_and_words_are_shown_safe(pair: Group) -> None:
    pair.git("alice", "commit", "-q", "--allow-empty", "-m", "a \x1b[2J title \u202e of somebody")
    pair.clave("alice", "sync")
    done = pair.clave("bob", "sync")
    for text in (done.out.decode(), done.err.decode()):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "\\x1b[2J" in done.out.decode()


def test_killed_at_any_step(pair: Group) -> None:
    """After a kill -9 the next sync ends it, and both have everything."""
    pair.clave("alice", "set", "web/site", "user", input=b"alice\n")
    pair.clave("bob", "set", "web/site", "url", input=b"bob\n")
    pair.clave("alice", "sync")
    start, tip = pair.head("bob"), pair.tip()
    program = pair.folder / "killed.py"
    program.write_text(
        "import os, signal, sys\n"
        "number, count = int(sys.argv[1]), 0\n"
        "def hook(event, arguments):\n"
        "    global count\n"
        "    if event in ('os.posix_spawn', 'os.rename', 'os.link', 'os.remove'):\n"
        "        count += 1\n"
        "        if count == number:\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "sys.addaudithook(hook)\n"
        "from clave.cli.main import main\n"
        "sys.argv = ['clave', 'sync']\n"
        "sys.exit(main())\n"
    )
    env = pair.people["bob"].env(pair.stores["bob"])
    for number in range(1, 200, 7):
        done = subprocess.run([sys.executable, program, str(number)], env=env, capture_output=True, check=False)
        code = done.returncode
        assert code in (0, -9), done.stderr.decode()
        pair.clave("bob", "sync")
        assert pair.show("bob", "web/site") == b"pw\nuser: alice\nurl: bob\nnotes of the site\n"
        assert pair.git("bob", "status", "--porcelain") == ""
        assert pair.git("bob", "fsck", "--strict", "--no-dangling") == ""
        assert pair.head("bob") == pair.tip()
        assert not list((pair.stores["bob"] / ".git").rglob("*.lock"))
        if code == 0:
            assert number > 20
            return
        pair.bare("update-ref", "refs/heads/main", tip)
        pair.git("bob", "reset", "-q", "--hard", start)
        pair.git("bob", "update-ref", "refs/remotes/origin/main", tip)
    raise AssertionError("it never came to its end")
