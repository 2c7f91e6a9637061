"""Sync in a team store: what comes is verified, own work merged by the rules, rosters are made again, never merged."""

from __future__ import annotations

import json

import pytest

from tests.teams import Team, crew, founded, team

__all__ = ["crew", "founded", "team"]


def offline(team: Team, who: str, *, on: bool = True) -> None:
    """Take the remote away from somebody, or give it back."""
    url = team.folder / ("nowhere.git" if on else "remote.git")
    team.git(who, "remote", "set-url", "origin", str(url))


def show(team: Team, who: str, name: str) -> bytes:
    return team.clave(who, "show", name).out


def same(team: Team, *people: str) -> None:
    """Everybody has the same commit, verified, with nothing left in the work tree."""
    assert {team.head(who) for who in people} == {team.tip()}
    for who in people:
        assert team.git(who, "status", "--porcelain").out == b""
        assert team.pin(who)["upstream"] == team.pin(who)["local"] == team.tip()
        team.clave(who, "verify", "--all")
        assert team.git(who, "for-each-ref", "refs/clave/again").out == b""


@pytest.mark.parametrize("first", ["bob", "carol"])
def test_different_fields_of_one_entry(team: Team, first: str) -> None:
    second = "carol" if first == "bob" else "bob"
    team.clave("bob", "set", "web", "user", input=b"bob\n")
    team.clave("carol", "set", "web", "url", input=b"https://carol\n")
    for who in (first, second, first, "alice"):
        team.clave(who, "sync")
    same(team, "alice", "bob", "carol")
    assert show(team, "alice", "web") == b"web-secret\nuser: bob\nurl: https://carol\n"


def test_the_same_field(team: Team) -> None:
    team.clave("bob", "set", "web", "user", input=b"bob\n")
    team.clave("carol", "set", "web", "user", input=b"carol\n")
    team.clave("carol", "sync")
    told = team.clave("bob", "sync", code=1)
    assert "web" in told.err.decode()
    listed = json.loads(team.clave("bob", "conflicts", "--json", code=1).out)["conflicts"]
    assert [each["name"] for each in listed] == ["web"]
    assert show(team, "bob", "web#user") == b"carol\n"
    assert show(team, "bob", f"{listed[0]['kept']}#user") == b"bob\n"
    team.clave("carol", "sync")
    team.clave("carol", "resolve", "--ours", "web")
    for who in ("carol", "bob", "alice"):
        team.clave(who, "sync")
    same(team, "alice", "bob", "carol")
    assert show(team, "alice", "web#user") == b"bob\n"
    team.clave("alice", "conflicts")


def test_an_entry_of_a_folder_that_got_a_new_reader(team: Team) -> None:
    """What was written offline is encrypted to the readers of the roster that is in force after the merge."""
    team.clave("carol", "set", "prod/db", "port", input=b"5432\n")
    team.clave("alice", "grant", "bob", "prod", "--sure")
    team.clave("carol", "sync")
    team.clave("alice", "sync")
    team.clave("bob", "sync")
    same(team, "alice", "bob", "carol")
    assert show(team, "bob", "prod/db#port") == b"5432\n"


def test_two_changes_of_the_roster(team: Team) -> None:
    """Both alice, offline, and carol, who is an admin too, make the next roster: alice's is made again on carol's."""
    team.clave("alice", "team", "role", "carol", "admin", "--sure")
    team.clave("carol", "sync")
    offline(team, "alice")
    team.clave("alice", "set", "web", "user", input=b"alice\n")
    team.clave("alice", "grant", "bob", "prod", "--sure", code=75)
    team.clave("alice", "insert", "-m", "prod/later", input=b"later\n")
    team.clave("carol", "restrict", "team", "--sure")
    team.clave("carol", "set", "web", "url", input=b"https://carol\n")
    team.clave("carol", "sync")
    offline(team, "alice", on=False)
    team.clave("alice", "sync")
    for who in ("carol", "bob"):
        team.clave(who, "sync")
    same(team, "alice", "bob", "carol")
    assert show(team, "bob", "web") == b"web-secret\nuser: alice\nurl: https://carol\n"
    assert show(team, "bob", "prod/db") == b"db-secret\nuser: app\nhost: db1\n"
    assert show(team, "bob", "prod/later") == b"later\n"


def test_two_changes_of_the_roster_that_exclude_each_other(team: Team) -> None:
    team.clave("alice", "team", "role", "carol", "admin", "--sure")
    team.clave("carol", "sync")
    offline(team, "alice")
    team.clave("alice", "insert", "-m", "team/new", input=b"new\n")
    team.clave("alice", "grant", "bob", "prod", "--sure", code=75)
    team.clave("carol", "team", "remove", "bob", "--sure")
    offline(team, "alice", on=False)
    told = team.clave("alice", "sync", code=1)
    assert "bob" in told.err.decode()
    team.clave("carol", "sync")
    same(team, "alice", "carol")
    assert show(team, "carol", "team/new") == b"new\n"
