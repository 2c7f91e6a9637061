"""Several people with clones of one plain store, and the bare remote between them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Output, Person, Run, forget, introduce, make_person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = b"pw\nuser: me\nurl: https://example.org\nnotes of the site\n"
OTHER = b"other\nuser: me\n"


@dataclass
class Group:
    """Where everybody works: `remote` is a bare repository, `stores` each one's clone of it."""

    folder: Path
    people: dict[str, Person]
    run: Run
    stores: dict[str, Path] = field(default_factory=dict)

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    def clave(self, who: str, *args: str, input: bytes = b"", code: int | None = 0, **more: str) -> Output:
        done = self.run(self.people[who], self.stores[who], *args, input=input, **more)
        assert code is None or done.code == code, (who, args, done.code, done.out.decode(), done.err.decode())
        return done

    def git(self, who: str, *args: str) -> str:
        argv = ["git", "-C", str(self.stores[who]), *args]
        return subprocess.run(argv, env=self.people[who].env(), check=True, capture_output=True, text=True).stdout

    def bare(self, *args: str) -> str:
        argv = ["git", "-C", str(self.remote), *args]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def join(self, who: str) -> None:
        """Let somebody have a clone of what alice has."""
        self.clave("alice", "sync")
        store = self.folder / who
        argv = ["git", "clone", "-q", str(self.remote), str(store)]
        subprocess.run(argv, env=self.people[who].env(), check=True, capture_output=True)
        self.stores[who] = store

    def tip(self) -> str:
        return self.bare("rev-parse", "main")

    def head(self, who: str) -> str:
        return self.git(who, "rev-parse", "HEAD").strip()

    def show(self, who: str, name: str) -> bytes:
        return self.clave(who, "show", name).out

    def entries(self, who: str) -> list[str]:
        paths = self.git(who, "ls-tree", "-r", "--name-only", "-z", "HEAD").split("\0")
        return [path.removesuffix(".gpg") for path in paths if path.endswith(".gpg")]


@pytest.fixture(scope="session")
def three() -> Iterator[dict[str, Person]]:
    """Alice, bob and carol, who know each other."""
    made = {name: make_person(name) for name in ("alice", "bob", "carol")}
    for person in made.values():
        for other in made.values():
            if other is not person:
                introduce(person, other)
    yield made
    for person in made.values():
        forget(person)


@pytest.fixture(scope="session")
def shared_template(three: dict[str, Person], clave: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Alice's store, made once."""
    store = tmp_path_factory.mktemp("shared") / "store"
    alice = three["alice"]
    for person in three.values():
        subprocess.run(["git", "config", "--global", "init.defaultBranch", "main"], env=person.env(), check=True)
    for args, content in (
        (("init", *(person.fingerprint for person in three.values())), b""),
        (("insert", "-m", "web/site"), SITE),
        (("insert", "-m", "web/other"), OTHER),
    ):
        done = clave(alice, store, *args, input=content)
        assert done.code == 0, done.err.decode()
    return store


@pytest.fixture
def group(three: dict[str, Person], clave: Run, shared_template: Path, tmp_path: Path) -> Group:
    """Alice's store with an empty bare remote, which nobody else has yet."""
    import shutil

    made = Group(tmp_path, three, clave)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(made.remote)], check=True)
    made.stores["alice"] = tmp_path / "alice"
    shutil.copytree(shared_template, made.stores["alice"], symlinks=True)
    made.git("alice", "remote", "add", "origin", str(made.remote))
    return made
