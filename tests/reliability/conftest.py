"""Two people and three kinds of store, for the tests of what happens when something goes wrong."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Person, Run, forget, introduce, make_person
from tests.reliability.checks import Checker, State, git, head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = ("git", "plain", "bigger")
FIRST = {"a": b"first a\n", "a/b": b"first a/b\nuser: me\n", "team/x": b"first x\n", "team/deep/y": b"first y\n"}


@dataclass
class Place:
    """A store with something in it: where it is, its repository if it has one, what it must hold, and its reader."""

    kind: str
    person: Person
    store: Path
    repository: Path | None
    state: State
    checker: Checker
    dirty: list[str]  # what `git status` says of the user's own files around the store

    def head(self) -> str | None:
        return head(self.repository) if self.repository else None

    def whole(self) -> None:
        """Everything that must hold, see checks.py; the user's own files around the store are as they were."""
        self.checker.assert_whole(self.state, dirty=self.dirty)
        if self.kind == "bigger":
            assert self.repository is not None
            assert (self.repository / "notes.txt").read_bytes() == b"changed\n"
            assert git(self.repository, "show", ":notes.txt") == b"staged\n"
            assert git(self.repository, "show", "HEAD:notes.txt") == b"committed\n"


@pytest.fixture(scope="session")
def pair() -> Iterator[list[Person]]:
    """Alice and Bob, who know each other."""
    made = [make_person("alice"), make_person("bob")]
    introduce(made[0], made[1])
    introduce(made[1], made[0])
    yield made
    for person in made:
        forget(person)


@pytest.fixture(scope="session")
def templates(pair: list[Person], clave: Run) -> Iterator[Callable[[str], Path]]:
    """Return a function that gives a store of a kind, made once, to be copied."""
    top = Path(tempfile.mkdtemp(prefix="cl-"))

    def make(kind: str) -> Path:
        folder = top / kind
        if not folder.exists():
            _make(kind, folder, pair, clave)
        return folder

    yield make
    shutil.rmtree(top)


@pytest.fixture
def place(
    pair: list[Person], templates: Callable[[str], Path], tmp_path: Path, request: pytest.FixtureRequest
) -> Place:
    """Return a fresh store; a test says of which kind by indirect parameters, git without."""
    return make_place(getattr(request, "param", "git"), pair, templates, tmp_path / "place")


def make_place(kind: str, pair: list[Person], templates: Callable[[str], Path], folder: Path) -> Place:
    shutil.copytree(templates(kind), folder, symlinks=True)
    store = folder / "secrets" if kind == "bigger" else folder
    state = State(dict(FIRST), {"": (pair[0].fingerprint,), "team": tuple(p.fingerprint for p in pair)})
    repository = None if kind == "plain" else folder
    checker = Checker(store, repository, pair)
    checker.watch_for(*FIRST.values())
    dirty = ["MM notes.txt"] if kind == "bigger" else []
    return Place(kind, pair[0], store, repository, state, checker, dirty)


def _make(kind: str, folder: Path, pair: list[Person], clave: Run) -> None:
    alice, bob = pair
    store = folder / "secrets" if kind == "bigger" else folder
    store.mkdir(parents=True)
    if kind == "bigger":
        git(folder, "init", "-q", "-b", "main")
        (store / ".gpg-id").write_text(f"{alice.fingerprint}\n")
        (folder / "notes.txt").write_bytes(b"committed\n")
        git(folder, "add", "-A")
        git(folder, *_NAMED, "commit", "-q", "-m", "all")
    first = ["init", *(["--no-git"] if kind == "plain" else []), alice.fingerprint]
    for argv in ([] if kind == "bigger" else [first], [["init", "-p", "team", alice.fingerprint, bob.fingerprint]]):
        for each in argv:
            done = clave(alice, store, *each)
            assert done.code == 0, done.err
    for name, value in FIRST.items():
        assert clave(alice, store, "insert", "-m", name, input=value).code == 0
    if kind == "bigger":
        (folder / "notes.txt").write_bytes(b"staged\n")
        git(folder, "add", "notes.txt")
        (folder / "notes.txt").write_bytes(b"changed\n")


_NAMED = ("-c", "user.name=alice", "-c", "user.email=alice@example.org")
