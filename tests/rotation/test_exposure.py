"""Who knows which value, worked out from random histories by the program and by a model that knows the secrets."""

from __future__ import annotations

import os
import random
from typing import NamedTuple

import pytest

from clave.model.change import Change, compose, parse
from clave.rotation.exposure import Somebody, exposed
from clave.rotation.values import Step, Trace

PEOPLE = {"ann": ("A1", "A2"), "bob": ("B1", "B2"), "cyd": ("C1", "C2")}
LARGE = int(os.environ.get("CLAVE_EXPOSURE", "0"))  # entries of one large history, with 3.5 versions each


class Blob(NamedTuple):
    """What the model knows of a blob: its secrets, the key ids that it is encrypted to, who made it."""

    secrets: tuple[int, ...]
    keys: tuple[str, ...]
    maker: str
    is_new: bool  # it brought a secret of its own


class World:
    """A store as somebody sees it who knows everything, and the history that it leaves."""

    def __init__(self, rnd: random.Random, entries: int) -> None:
        self.rnd = rnd
        self.count = self.time = 0
        self.blobs: dict[str, Blob] = {}
        self.now: dict[str, str] = {}
        self.removed: list[str] = []
        self.steps: list[Step] = []
        self.makers: dict[str, str] = {}
        self.names = [f"f{number % 50}/e{number}.gpg" for number in range(entries)]
        # Which of their two keys somebody has now; the old one stands in old blobs alone.
        self.key = dict.fromkeys(PEOPLE, 0)

    def fresh(self, many: int = 3) -> tuple[int, ...]:
        self.count += many
        return tuple(range(self.count - many, self.count))

    def blob(self, secrets: tuple[int, ...], maker: str, *, is_new: bool) -> str:
        readers = self.rnd.sample(sorted(PEOPLE), self.rnd.randint(1, 3))
        keys = tuple(PEOPLE[each][self.key[each]] for each in readers)
        name = f"{len(self.blobs):040x}"
        self.blobs[name] = Blob(secrets, keys, maker, is_new)
        return name

    def commit(self, subject: str, operation: str, maker: str, kinds: dict[str, tuple[str, str, str | None]]) -> None:
        """Commit {path: (kind, blob, source)}; a blob "" removes."""
        self.time += 60
        commit = f"c{self.time}"
        self.makers[commit] = maker
        said = [Change(kind, path, source) for path, (kind, blob, source) in kinds.items() if blob]
        side = [(path, self.now.get(path, ""), blob) for path, (_, blob, _) in kinds.items()]
        self.steps.append(Step(commit, self.time, parse(compose(subject, operation, said)), [side]))
        for path, (_, blob, _) in kinds.items():
            if blob:
                self.now[path] = blob
            else:
                self.removed.append(self.now.pop(path))

    def happen(self) -> None:
        """Let something happen."""
        rnd, maker = self.rnd, self.rnd.choice(sorted(PEOPLE))
        path = rnd.choice(self.names)
        there = self.now.get(path)
        kind = rnd.choice(
            ("value", "part", "meta", "rekey", "rekey", "rename", "copy", "remove", "restore", "subkey")
            if there
            else ("value", "restore")
        )
        held = self.blobs[there].secrets if there else ()
        if kind == "value":
            self.commit("Add", "insert", maker, {path: ("value", self.blob(self.fresh(), maker, is_new=True), None)})
        elif kind == "part":
            secrets = (*self.fresh(1), *held[1:])
            self.commit("Set", "edit", maker, {path: ("part", self.blob(secrets, maker, is_new=True), None)})
        elif kind in ("meta", "rekey"):
            made = self.blob(held, maker, is_new=False)
            self.commit("Again", "rekey" if kind == "rekey" else "edit", maker, {path: (kind, made, None)})
        elif kind in ("rename", "copy"):
            target = rnd.choice(self.names)
            if target == path:
                return
            kinds = {target: ("same", self.blob(held, maker, is_new=False), there)}
            if kind == "rename":
                kinds[path] = ("", "", None)
            self.commit("Rename" if kind == "rename" else "Copy", "move" if kind == "rename" else "copy", maker, kinds)
        elif kind == "remove":
            self.commit("Remove", "remove", maker, {path: ("", "", None)})
        elif kind == "restore" and self.removed:
            source = rnd.choice(self.removed)
            made = self.blob(self.blobs[source].secrets, maker, is_new=False)
            self.commit("Restore", "restore", maker, {path: ("same", made, source)})
        elif kind == "subkey":
            self.key[maker] = 1 - self.key[maker]

    def known(self, who: str) -> dict[str, bool]:
        """Return what somebody knows of the entries that are there: by name, whether only a part of it."""
        theirs: set[int] = set()
        for blob in self.blobs.values():
            if set(blob.keys) & set(PEOPLE[who]) or (blob.maker == who and blob.is_new):
                theirs.update(blob.secrets)
        found = {path: [secret in theirs for secret in self.blobs[blob].secrets] for path, blob in self.now.items()}
        return {path: not all(known) for path, known in found.items() if any(known)}


def answers(world: World, who: str) -> dict[str, bool]:
    trace = Trace()
    trace.add(world.steps)
    commits = frozenset(commit for commit, maker in world.makers.items() if maker == who)
    somebody = Somebody(who, frozenset(PEOPLE[who]), commits)
    readers = {name: blob.keys for name, blob in world.blobs.items()}
    found = exposed(somebody, world.now, trace.sharing(), trace.origins, readers, "0" * 16)
    return {each.name: each.partly for each in found}


@pytest.mark.parametrize("seed", range(40))
def test_it_is_what_a_model_knows(seed: int) -> None:
    """Of a value that was changed in parts nobody can tell from outside which part is whose: it may be listed too long.

    So nothing is missing, nothing is called whole that is known in part, and without such changes both are equal.
    """
    world = World(random.Random(seed), entries=6)
    for _ in range(40):
        world.happen()
    trace = Trace()
    trace.add(world.steps)
    for who in PEOPLE:
        found, known = answers(world, who), world.known(who)
        assert known.keys() <= found.keys(), who
        for path in found:
            in_parts = any(trace.origins[blob].kind == "part" for blob in trace.sharing().of(world.now[path]))
            if not in_parts:
                assert found[path] is known.get(path), (who, path)
            elif not known.get(path, True):
                assert path in found


def test_a_rotation_ends_it_and_nothing_else_does() -> None:
    world = World(random.Random(1), entries=1)
    (path,) = world.names
    world.commit("Add", "insert", "ann", {path: ("value", world.blob(world.fresh(), "ann", is_new=True), None)})
    first = world.now[path]
    world.blobs[first] = world.blobs[first]._replace(keys=("B1",))
    held = world.blobs[first].secrets

    def again(kind: str, operation: str, source: str | None = None) -> None:
        made = world.blob(held, "ann", is_new=False)
        world.blobs[made] = world.blobs[made]._replace(keys=("A1",))
        world.commit("Again", operation, "ann", {path: (kind, made, source)})

    for kind, operation, source in (("rekey", "rekey", None), ("meta", "edit", None), ("same", "restore", first)):
        again(kind, operation, source)
        assert answers(world, "bob") == {path: False}
    made = world.blob((*world.fresh(1), *held[1:]), "ann", is_new=True)
    world.blobs[made] = world.blobs[made]._replace(keys=("A1",))
    world.commit("Set", "edit", "ann", {path: ("part", made, None)})
    assert answers(world, "bob") == {path: True}
    made = world.blob(world.fresh(), "ann", is_new=True)
    world.blobs[made] = world.blobs[made]._replace(keys=("A1",))
    world.commit("Rotate", "rotate", "ann", {path: ("value", made, None)})
    assert answers(world, "bob") == {}


@pytest.mark.skipif(not LARGE, reason="large: set CLAVE_EXPOSURE=10000")
def test_a_large_history() -> None:
    world = World(random.Random(7), entries=LARGE)
    for _ in range(int(LARGE * 3.5)):
        world.happen()
    for who in PEOPLE:
        found, known = answers(world, who), world.known(who)
        assert known.keys() <= found.keys()
