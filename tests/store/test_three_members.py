"""Random work of three members of a team, two of them admins who change it too, on and off line."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.teams import Team, crew, founded

__all__ = ["crew", "founded"]

EXAMPLES = int(os.environ.get("CLAVE_CLONES", "2"))  # rows of random work that are tried
PEOPLE = ("alice", "bob", "carol")
NAMES = ("web", "team/wifi", "team/new", "prod/db")
ROSTER = (
    ("grant", "bob", "prod"),
    ("revoke", "bob", "prod"),
    ("restrict", "team"),
    ("group", "add", "ops", "bob", "carol"),
    ("grant", "@ops", "prod"),
)

action = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(PEOPLE), st.sampled_from(NAMES), st.sampled_from(("user", "url"))),
    st.tuples(st.just("set"), st.sampled_from(PEOPLE), st.sampled_from(NAMES[:2]), st.just("user")),
    st.tuples(st.just("mv"), st.sampled_from(PEOPLE), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("rm"), st.sampled_from(PEOPLE), st.sampled_from(NAMES), st.just("")),
    st.tuples(st.just("roster"), st.sampled_from(("alice", "carol")), st.sampled_from(ROSTER), st.booleans()),
    st.tuples(st.just("sync"), st.sampled_from(PEOPLE), st.just(""), st.just("")),
)


class World:
    """What everybody does; which values are still somebody's, see tests/cli/test_three_clones.py."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.count = 0
        self.alive: set[bytes] = set()
        for who in ("alice", "carol"):
            team.clave(who, "sync")

    def text(self, who: str, name: str) -> bytes:
        done = self.team.clave(who, "show", name, code=None)
        return done.out if done.code == 0 else b""

    def run(self, kind: str, who: str, one: str | tuple[str, ...], other: str | bool) -> None:
        if kind == "roster":
            assert isinstance(one, tuple)
            url = self.team.remote if other else self.team.folder / "nowhere.git"
            self.team.git(who, "remote", "set-url", "origin", str(url))
            done = self.team.clave(who, *one, "--sure", code=None)
            assert done.code in (0, 1, 2, 3, 75), done.err.decode()
            self.team.git(who, "remote", "set-url", "origin", str(self.team.remote))
        elif kind == "sync":
            done = self.team.clave(who, "sync", code=None)
            assert done.code in (0, 1), done.err.decode()
        else:
            assert isinstance(one, str)
            self.write(kind, who, one, str(other))

    def write(self, kind: str, who: str, name: str, other: str) -> None:
        there, at_other = self.text(who, name), self.text(who, other) if kind == "mv" else b""
        if kind == "set":
            self.count += 1
            value = f"v{self.count:03}-{who}".encode()
            done = self.team.clave(who, "set", name, other, input=value + b"\n", code=None)
            if done.code == 0:
                self.alive.add(value)
                self.alive -= values(there) - values(self.text(who, name))
        elif kind == "mv":
            done = self.team.clave(who, "mv", "-f", name, other, code=None)
            if done.code == 0 and name != other:
                self.alive -= values(at_other) - values(there)
        else:
            done = self.team.clave(who, "rm", "-f", name, code=None)
            if done.code == 0:
                self.alive -= values(there)
        assert done.code in (0, 1, 2, 3, 4, 6), done.err.decode()


def values(text: bytes) -> set[bytes]:
    return set(re.findall(rb"v\d{3}-[a-z]+", text))


@pytest.mark.slow
@pytest.mark.timeout(600)
@given(st.lists(action, min_size=5, max_size=12))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_value_is_lost_and_all_end_with_the_same(promoted: Team, actions: list) -> None:
    folder = Path(tempfile.mkdtemp(prefix="cl-"))
    try:
        team = promoted.replica(folder / "t")
        world = World(team)
        for step in actions:
            world.run(*step)
        for _ in range(2):
            for each in PEOPLE:
                done = team.clave(each, "sync", code=None)
                assert done.code in (0, 1), (each, done.err.decode())
        for each in PEOPLE:
            team.clave(each, "sync")
            assert team.git(each, "status", "--porcelain").out == b""
            assert team.git(each, "for-each-ref", "refs/clave/again").out == b""
        assert {team.head(each) for each in PEOPLE} == {team.tip()}
        team.clave("bob", "verify", "--all")
        found: set[bytes] = set()
        for path in team.git("alice", "ls-tree", "-r", "--name-only", "HEAD").out.decode().split():
            if path.endswith(".gpg"):
                found |= values(world.text("alice", path.removesuffix(".gpg")))
        assert world.alive <= found, world.alive - found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def promoted(founded: Team) -> Team:
    """The team, of which carol is an admin, too."""
    founded.clave("alice", "team", "role", "carol", "admin", "--sure")
    return founded
