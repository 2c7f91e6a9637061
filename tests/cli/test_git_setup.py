"""`clave git-setup`: plain git merges and shows entries, and takes it back."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.sharing import Group, group, shared_template, three

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["group", "shared_template", "three"]


def git(group: Group, who: str, *args: str) -> subprocess.CompletedProcess[str]:
    argv = ["git", "-C", str(group.stores[who]), *args]
    return subprocess.run(argv, env=group.people[who].env(), capture_output=True, text=True, check=False)


@pytest.fixture
def both(group: Group) -> Group:
    """Alice and bob, where bob uses plain git."""
    group.join("bob")
    done = group.clave("bob", "git-setup")
    assert "merge.clave.driver" in done.out.decode()
    assert "Nothing to do" in group.clave("bob", "git-setup").err.decode()
    return group


def test_git_merges_field_by_field(both: Group) -> None:
    both.clave("alice", "set", "web/site", "user", input=b"alice\n")
    both.clave("alice", "sync")
    both.clave("bob", "set", "web/site", "url", input=b"https://bob\n")
    pulled = git(both, "bob", "pull", "-q", "--no-rebase", "--no-edit")
    assert pulled.returncode == 0, pulled.stderr
    assert both.show("bob", "web/site") == b"pw\nuser: alice\nurl: https://bob\nnotes of the site\n"
    assert git(both, "bob", "status", "--porcelain").stdout == ""
    both.clave("bob", "rekey", "--check")  # it is encrypted to its readers


def test_what_cannot_be_merged_is_kept_twice(both: Group) -> None:
    both.clave("alice", "set", "web/site", "user", input=b"alice\n")
    both.clave("alice", "sync")
    both.clave("bob", "set", "web/site", "user", input=b"bob\n")
    pulled = git(both, "bob", "pull", "-q", "--no-rebase", "--no-edit")
    assert pulled.returncode == 1
    kept = [path for path in (both.stores["bob"] / "web").iterdir() if "conflict" in path.name]
    assert len(kept) == 1
    assert both.show("bob", "web/site#user") == b"alice\n"
    assert both.show("bob", f"web/{kept[0].stem}#user") == b"bob\n"
    assert b"<<<<" not in (both.stores["bob"] / "web" / "site.gpg").read_bytes()


def test_differences_are_shown_decrypted(both: Group) -> None:
    both.clave("bob", "set", "web/site", "user", input=b"somebody\n")
    assert "+user: somebody" in git(both, "bob", "log", "-p", "-1").stdout


def test_it_is_taken_back(both: Group) -> None:
    attributes = both.stores["bob"] / ".git" / "info" / "attributes"
    attributes.write_text("*.txt eol=lf\n" + attributes.read_text())
    both.clave("bob", "insert", "-m", "new", input=b"x\n")  # a write leaves the drivers as they are
    assert "merge=clave" in attributes.read_text()
    both.clave("bob", "git-setup", "--undo")
    assert "merge=clave" not in attributes.read_text()
    assert attributes.read_text().startswith("*.txt eol=lf\n")
    assert git(both, "bob", "config", "merge.clave.driver").returncode == 1
    both.clave("bob", "git-setup", "--undo")


def test_a_store_in_a_folder_with_an_odd_name(both: Group, tmp_path: Path) -> None:
    """What git runs is quoted: no name of an entry or folder is a shell's."""
    name = "web/$(touch sentinel) 'x'; touch sentinel"
    both.clave("alice", "insert", "-m", name, input=b"pw\nuser: a\nurl: b\n")
    both.clave("alice", "sync")
    both.clave("bob", "sync")
    both.clave("alice", "set", name, "user", input=b"alice\n")
    both.clave("alice", "sync")
    both.clave("bob", "set", name, "url", input=b"bob\n")
    assert git(both, "bob", "pull", "-q", "--no-rebase", "--no-edit").returncode == 0
    assert both.show("bob", name) == b"pw\nuser: alice\nurl: bob\n"
    assert not list(tmp_path.rglob("sentinel"))
