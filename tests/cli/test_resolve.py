"""`clave conflicts` and `clave resolve`: what two people changed in the same place ends as one of them says."""

from __future__ import annotations

import json

import pytest

from tests.cli.sharing import Group, group, shared_template, three

__all__ = ["group", "shared_template", "three"]


@pytest.fixture
def torn(group: Group) -> Group:
    """Bob's clone, in which web/site is there twice: alice has changed user and password, bob user and url."""
    group.join("bob")
    group.clave("alice", "insert", "-m", "-f", "web/site", input=b"pw-of-alice\nuser: alice\nurl: same\nnotes\n")
    group.clave("bob", "insert", "-m", "-f", "web/site", input=b"pw\nuser: bob\nurl: of-bob\nnotes\n")
    group.clave("alice", "sync")
    group.clave("bob", "sync", code=1)
    return group


def kept(group: Group) -> str:
    found = json.loads(group.clave("bob", "conflicts", "--json", code=1).out)["conflicts"]
    assert [each["name"] for each in found] == ["web/site"]
    assert found[0]["there"]
    return found[0]["kept"]


def settled(group: Group) -> bytes:
    """Return what the entry is, when nothing is kept beside it any more, for everybody."""
    group.clave("bob", "conflicts")
    group.clave("bob", "sync")
    group.clave("alice", "sync")
    assert not [name for name in group.entries("alice") if "conflict" in name]
    assert group.show("alice", "web/site") == group.show("bob", "web/site")
    return group.show("alice", "web/site")


def test_ours_and_theirs(torn: Group) -> None:
    torn.clave("bob", "resolve", "--ours", "web/site")
    assert settled(torn) == b"pw\nuser: bob\nurl: of-bob\nnotes\n"
    torn.clave("bob", "undo", code=2)  # it is a merge's


def test_by_the_name_of_what_is_kept(torn: Group) -> None:
    torn.clave("bob", "resolve", "--theirs", kept(torn))
    assert settled(torn) == b"pw-of-alice\nuser: alice\nurl: same\nnotes\n"


def test_without_a_terminal_nothing_is_asked(torn: Group) -> None:
    before = torn.head("bob")
    done = torn.clave("bob", "resolve", "web/site", input=b"o\n", code=2)
    assert "--ours or --theirs" in done.err.decode()
    done = torn.clave("bob", "resolve", "--ours", "--theirs", "web/site", code=2)
    assert "exclude" in done.err.decode()
    torn.clave("bob", "resolve", "--ours", "web/other", code=3)
    assert torn.head("bob") == before


def test_a_removed_entry(group: Group) -> None:
    group.join("bob")
    group.clave("alice", "rm", "-f", "web/site")
    group.clave("bob", "set", "web/site", "user", input=b"bob\n")
    group.clave("alice", "sync")
    done = group.clave("bob", "sync", code=1)
    assert "web/site" in done.err.decode()
    assert "which is gone" in group.clave("bob", "conflicts", code=1).out.decode()
    group.clave("bob", "resolve", "--ours", "web/site")
    group.clave("bob", "conflicts")
    assert group.show("bob", "web/site#user") == b"bob\n"


def test_an_edit_survives_a_removal(group: Group) -> None:
    group.join("bob")
    group.clave("alice", "set", "web/site", "user", input=b"alice\n")
    group.clave("bob", "rm", "-f", "web/site")
    group.clave("alice", "sync")
    assert "what was changed stays: web/site" in group.clave("bob", "sync", code=1).err.decode()
    assert group.show("bob", "web/site#user") == b"alice\n"
    group.clave("bob", "conflicts")  # there is just one


@pytest.mark.parametrize("rekeyed", [False, True])
@pytest.mark.parametrize("mover", ["alice", "bob"])
def test_an_edit_follows_a_move(group: Group, mover: str, *, rekeyed: bool) -> None:
    group.join("bob")
    alice, bob = (group.people[name].fingerprint for name in ("alice", "bob"))
    if rekeyed:  # the move encrypts anew, so that the blob is another one
        group.clave("alice", "init", "-p", "ops", alice, bob)
        group.clave("alice", "sync")
        group.clave("bob", "sync")
    editor = "bob" if mover == "alice" else "alice"
    group.clave(mover, "mv", "web/site", "ops/site")
    group.clave(editor, "set", "web/site", "user", input=b"edited\n")
    group.clave("alice", "sync")
    group.clave("bob", "sync")
    group.clave("alice", "sync")
    assert group.head("alice") == group.head("bob")
    assert "web/site" not in group.entries("alice")
    assert group.show("alice", "ops/site#user") == b"edited\n"
    group.clave("alice", "rekey", "--check")


def test_both_moved_it_to_one_place_and_edited_it(group: Group) -> None:
    group.join("bob")
    for who, field in (("alice", "user"), ("bob", "url")):
        group.clave(who, "mv", "web/site", "ops/site")
        group.clave(who, "set", "ops/site", field, input=f"{who}\n".encode())
    group.clave("alice", "sync")
    group.clave("bob", "sync")
    assert group.show("bob", "ops/site") == b"pw\nuser: alice\nurl: bob\nnotes of the site\n"


def test_recipients_that_both_changed_are_kept_twice(group: Group) -> None:
    """In a plain store `.gpg-id` is a file like others: theirs holds, ours stays beside it to look at."""
    group.join("bob")
    alice, bob, carol = (group.people[name].fingerprint for name in ("alice", "bob", "carol"))
    group.clave("alice", "init", "-p", "web", alice, bob)
    group.clave("bob", "init", "-p", "web", bob, alice, carol)
    group.clave("alice", "sync")
    group.clave("bob", "sync", code=1)
    assert (group.stores["bob"] / "web" / ".gpg-id").read_text().split() == [alice, bob]
    assert len(list((group.stores["bob"] / "web").glob(".gpg-id.conflict-*"))) == 1
    group.clave("bob", "rekey", "--check")
    assert "web/.gpg-id" in group.clave("bob", "conflicts", code=1).out.decode()


def test_what_came_in_is_encrypted_to_the_recipients_of_now(group: Group) -> None:
    group.join("bob")
    alice, bob = (group.people[name].fingerprint for name in ("alice", "bob"))
    group.clave("alice", "init", "-p", "web", alice, bob)
    group.clave("bob", "insert", "-m", "web/new", input=b"new\n")
    group.clave("bob", "set", "web/site", "user", input=b"bob\n")
    group.clave("alice", "sync")
    group.clave("bob", "sync")
    group.clave("bob", "rekey", "--check")
    group.clave("alice", "sync")
    assert group.show("alice", "web/new") == b"new\n"
    assert group.show("alice", "web/site#user") == b"bob\n"
