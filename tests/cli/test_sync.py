"""`clave sync` in plain stores: two and three people, a real bare remote, real keys."""

from __future__ import annotations

import pytest

from tests.cli.sharing import Group, group, shared_template, three

__all__ = ["group", "shared_template", "three"]


def test_first_sync_fills_an_empty_remote(group: Group) -> None:
    group.clave("alice", "sync")
    assert group.tip() == group.head("alice")
    assert group.git("alice", "rev-parse", "--abbrev-ref", "main@{upstream}").strip() == "origin/main"
    done = group.clave("alice", "sync")
    assert "Nothing to share" in done.err.decode()


@pytest.mark.parametrize("first", ["alice", "bob"])
@pytest.mark.parametrize("same", [True, False])
def test_two_people_edit_offline(group: Group, first: str, *, same: bool) -> None:
    """Different fields of one entry, or different entries: both are kept, and nothing is asked."""
    group.join("bob")
    group.clave("alice", "set", "web/site", "user", input=b"alice\n")
    group.clave("bob", "set", "web/site" if same else "web/other", "url", input=b"https://bob\n")
    second = "bob" if first == "alice" else "alice"
    for who in (first, second, first):
        group.clave(who, "sync")
    assert group.head("alice") == group.head("bob") == group.tip()
    for who in ("alice", "bob"):
        assert group.show(who, "web/site#user") == b"alice\n"
        assert group.show(who, "web/site#url" if same else "web/other#url") == b"https://bob\n"
        assert group.git(who, "status", "--porcelain") == ""


@pytest.mark.parametrize("choice", ["ours", "theirs"])
def test_the_same_field_is_kept_twice(group: Group, choice: str) -> None:
    group.join("bob")
    group.clave("alice", "set", "web/site", "user", input=b"alice\n")
    group.clave("bob", "set", "web/site", "user", input=b"bob\n")
    group.clave("alice", "sync")
    done = group.clave("bob", "sync", code=1)
    assert "web/site" in done.err.decode()
    kept = next(name for name in group.entries("bob") if "conflict" in name)
    assert group.show("bob", "web/site#user") == b"alice\n"
    assert group.show("bob", f"{kept}#user") == b"bob\n"
    group.clave("bob", "sync")  # it was told once
    group.clave("alice", "sync")
    assert kept in group.entries("alice")
