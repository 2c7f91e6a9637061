"""Random work by three people with clones of one store: nothing committed is lost, and all end with the same."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.sharing import Group, shared_template, three

if TYPE_CHECKING:
    from tests.conftest import Person, Run

__all__ = ["shared_template", "three"]

EXAMPLES = int(os.environ.get("CLAVE_CLONES", "2"))  # rows of random work that are tried
PEOPLE = ("alice", "bob", "carol")
NAMES = ("web/site", "web/other", "web/deep/one", "team/two")
FIELDS = ("password", "user", "url", "note")

who = st.sampled_from(PEOPLE)
name = st.sampled_from(NAMES)
action = st.one_of(
    st.tuples(st.just("set"), who, name, st.sampled_from(FIELDS)),
    st.tuples(st.just("set"), who, st.sampled_from(NAMES[:2]), st.sampled_from(FIELDS[:2])),
    st.tuples(st.just("move"), who, name, name),
    st.tuples(st.just("remove"), who, name, st.just("")),
    st.tuples(st.just("rekey"), who, st.sampled_from(("web", "team")), st.sampled_from(("all", "two"))),
    st.tuples(st.just("sync"), who, st.just(""), st.just("")),
)


class World:
    """What everybody does, and which values must be somewhere at the end.

    A value is alive until somebody who has it in front of them replaces or removes it.
    """

    def __init__(self, group: Group) -> None:
        self.group = group
        self.count = 0
        self.alive: set[bytes] = set()

    def text(self, who: str, name: str) -> bytes | None:
        """Return an entry as somebody has it, None if they have not or cannot read it."""
        done = self.group.clave(who, "show", name, code=None)
        return done.out if done.code == 0 else None

    def run(self, kind: str, who: str, one: str, other: str) -> None:
        match kind:
            case "set":
                self.set(who, one, other)
            case "move":
                there = self.text(who, one), self.text(who, other)
                done = self.group.clave(who, "mv", "-f", one, other, code=None)
                if done.code == 0 and there[1] and one != other:
                    self.end(there[1], there[0] or b"")
            case "remove":
                text = self.text(who, one)
                if text and self.group.clave(who, "rm", "-f", one, code=None).code == 0:
                    self.end(text)
            case "rekey":
                keys = [self.group.people[each].fingerprint for each in (PEOPLE if other == "all" else PEOPLE[:2])]
                self.group.clave(who, "init", "-p", one, *keys, code=None)
            case "sync":
                done = self.group.clave(who, "sync", code=None)
                assert done.code in (0, 1), done.err.decode()

    def set(self, who: str, name: str, field: str) -> None:
        self.count += 1
        value = f"v{self.count:03}-{who}".encode()
        before = self.text(who, name)
        if before is None and (self.group.stores[who] / f"{name}.gpg").exists():
            return  # they cannot read it
        after = changed(before or b"", field, value)
        assert self.group.clave(who, "insert", "-m", "-f", name, input=after, code=None).code == 0
        self.alive.add(value)
        if before:
            self.end(before, after)

    def end(self, text: bytes, still: bytes = b"") -> None:
        """Let the values of a text end, but for those that are still in another."""
        self.alive -= values(text) - values(still)


def changed(text: bytes, field: str, value: bytes) -> bytes:
    """Return a text with a field, the password or a note that has another value."""
    lines = text.split(b"\n") if text else [b"", b""]
    if field == "password":
        lines[0] = value
    elif field == "note":
        lines.insert(len(lines) - 1, b"a note with " + value)
    else:
        key = field.encode() + b": "
        kept = [line for line in lines if not line.startswith(key)]
        lines = [*kept[:-1], key + value, b""]
    return b"\n".join(lines)


def values(text: bytes) -> set[bytes]:
    return set(re.findall(rb"v\d{3}-[a-z]+", text))


@pytest.mark.slow
@pytest.mark.timeout(400)
@given(st.lists(action, min_size=5, max_size=13))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_value_is_lost_and_all_end_with_the_same(
    three: dict[str, Person], clave: Run, shared_template: Path, actions: list[tuple[str, str, str, str]]
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="cl-"))
    try:
        group = Group(folder, three, clave)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(group.remote)], check=True)
        group.stores["alice"] = folder / "alice"
        shutil.copytree(shared_template, group.stores["alice"], symlinks=True)
        group.git("alice", "remote", "add", "origin", str(group.remote))
        for each in PEOPLE[1:]:
            group.join(each)
        world = World(group)
        for step in actions:
            world.run(*step)
        for _ in range(2):
            for each in PEOPLE:
                assert group.clave(each, "sync", code=None).code in (0, 1)
        for each in PEOPLE:
            group.clave(each, "sync")
            assert group.git(each, "status", "--porcelain") == ""
        assert {group.head(each) for each in PEOPLE} == {group.tip()}
        found: set[bytes] = set()
        for entry in group.entries("alice"):
            found |= values(group.show("alice", entry))
        assert world.alive <= found, (world.alive - found, group.git("alice", "log", "--graph", "--oneline", "--stat"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
