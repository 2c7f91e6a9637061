"""A change that is shared at once: taken back where somebody was faster, kept where nobody can be reached."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from clave.config import load
from clave.errors import Busy, GitFailed
from clave.store.share import sharing, syncing
from clave.store.share.sharing import NotShared, share
from clave.store.store import Store
from clave.store.writing import insert

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Person, Run


def git(where: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", where, *args], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def here(alice: Person, clave: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Alice's store with an entry, shared by a bare remote, in this process."""
    store, remote = tmp_path / "store", tmp_path / "remote.git"
    for name, value in alice.env(store).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sharing, "_PAUSE", 0.001)
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(remote))
    git(tmp_path, "config", "--global", "init.defaultBranch", "main")
    clave(alice, store, "init", alice.fingerprint)
    clave(alice, store, "insert", "-m", "first", input=b"first\n")
    git(store, "remote", "add", "origin", str(remote))
    clave(alice, store, "sync")
    return store


def opened(path: Path) -> Store:
    return Store(str(path), load(os.environ))


def working(store: Store, before_push: Callable[[int], object] = lambda _: None) -> tuple[Callable[[], int], list[int]]:
    """Return work that inserts an entry, and where it counts how often it was done."""
    times: list[int] = []

    def work() -> int:
        times.append(len(times))
        insert(store, f"made-{len(times)}", b"x\n", subject="made")
        before_push(len(times))
        return len(times)

    return work, times


def overtake(store: Path) -> None:
    remote = store.parent / "remote.git"
    name = ("-c", "user.name=x", "-c", "user.email=x")
    new = git(remote, *name, "commit-tree", "-p", "main", "-m", "overtaken", "main^{tree}")
    git(remote, "update-ref", "refs/heads/main", new)


def names(store: Path) -> list[str]:
    return [name for name in git(store, "ls-tree", "--name-only", "HEAD").split() if name.startswith("made")]


def test_it_is_shared(here: Path) -> None:
    store = opened(here)
    work, times = working(store)
    assert share(store, work) == 1
    assert times == [0]
    assert git(here, "rev-parse", "HEAD") == git(here.parent / "remote.git", "rev-parse", "main")


def test_without_a_remote_the_work_is_just_done(here: Path) -> None:
    git(here, "remote", "remove", "origin")
    store = opened(here)
    assert share(store, working(store)[0]) == 1


def test_what_was_overtaken_is_taken_back_and_done_again(here: Path) -> None:
    store = opened(here)
    work, times = working(store, lambda number: overtake(here) if number < 3 else None)
    assert share(store, work) == 3
    assert names(here) == ["made-3.gpg"]
    assert git(here, "rev-parse", "HEAD") == git(here.parent / "remote.git", "rev-parse", "main")
    assert git(here, "status", "--porcelain") == ""
    assert git(here, "log", "--format=%s").count("overtaken") == 2
    assert len(times) == 3


def test_what_is_always_overtaken_is_not_done(here: Path) -> None:
    store = opened(here)
    work, times = working(store, lambda _: overtake(here))
    with pytest.raises(Busy, match="5 times") as busy:
        share(store, work)
    assert busy.value.exit_code == 75
    assert not isinstance(busy.value, NotShared)
    assert len(times) == 5
    assert names(here) == []
    assert git(here, "status", "--porcelain") == ""


@pytest.mark.parametrize("when", ["before", "between"])
def test_what_cannot_be_sent_is_kept(here: Path, when: str) -> None:
    away = here.parent / "away.git"
    store = opened(here)

    def lose(_: int) -> None:
        (here.parent / "remote.git").rename(away)

    work, times = working(store, lose if when == "between" else lambda _: None)
    if when == "before":
        lose(0)
    with pytest.raises(NotShared, match="done here, not shared yet") as kept:
        share(store, work)
    assert kept.value.exit_code == 75
    assert "clave sync" in str(kept.value.hint)
    assert len(times) == 1
    assert names(here) == ["made-1.gpg"]
    away.rename(here.parent / "remote.git")
    syncing.sync(store)
    assert git(here, "rev-parse", "HEAD") == git(here.parent / "remote.git", "rev-parse", "main")


def test_what_the_remote_declines_is_taken_back(here: Path) -> None:
    hook = here.parent / "remote.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    store = opened(here)
    before = git(here, "rev-parse", "HEAD")
    with pytest.raises(GitFailed, match="not on a Friday"):
        share(store, working(store)[0])
    assert git(here, "rev-parse", "HEAD") == before
    assert names(here) == []


def test_work_that_fails_leaves_what_was_there(here: Path) -> None:
    def work() -> None:
        raise Busy("no")

    before = git(here, "rev-parse", "HEAD")
    with pytest.raises(Busy, match="no"):
        share(opened(here), work)
    assert git(here, "rev-parse", "HEAD") == before


def test_what_another_clave_has_built_upon_is_not_taken_back(here: Path) -> None:
    store = opened(here)

    def meanwhile(_: int) -> None:
        insert(opened(here), "of-another", b"x\n", subject="another")
        overtake(here)

    made: list[str] = []

    def work() -> None:
        insert(store, "made-1", b"x\n", subject="made")
        made.append(git(here, "rev-parse", "HEAD"))

    push = syncing.push

    def late(*args: object, **more: object) -> object:
        meanwhile(0)
        return push(*args, **more)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(syncing, "push", late)
        with pytest.raises(NotShared):
            share(store, work)
    assert git(here, "merge-base", "--is-ancestor", made[0], "HEAD") == ""
    assert (here / "of-another.gpg").exists()
    assert (here / "made-1.gpg").exists()
