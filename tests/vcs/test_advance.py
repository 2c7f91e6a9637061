"""HEAD moved to a commit that is there, forwards, backwards and sideways, and merges: as crash-safe as any write."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from clave.errors import Busy, ClaveError, GitFailed, StoreDamaged
from clave.vcs import transaction, work
from clave.vcs.git import Repository
from tests.vcs.test_crash import AFTER, MOST_STEPS, die, empty_folders, files, git, git_store, in_head, write_before

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["git_store"]

FORWARD = {"same/edited.gpg": b"new", "old.gpg": None, "deep/down/gone.gpg": None, "new/folder/made.gpg": b"made"}
SIDE = {"same/edited.gpg": b"theirs", "deep/down/gone.gpg": None, "deep.gpg": b"theirs", "deep/other.gpg": b"theirs"}
OWN = ["A  staged.txt", "?? loose.txt"]


def commit(store: Path, changes: dict[str, bytes | None]) -> str:
    repository = Repository.find(str(store))
    assert repository is not None
    with transaction.begin(repository, str(store)) as write:
        made = write.commit(changes, "commit\n")
    assert made is not None
    return made


def advance(store: Path, to: str) -> None:
    repository = Repository.find(str(store))
    assert repository is not None
    with transaction.begin(repository, str(store)) as write:
        write.advance(to)
        assert write.head == to


@pytest.fixture
def commits(git_store: Path) -> dict[str, str]:
    """A store at `start`, with commits that lie ahead of it, behind it and beside it."""
    write_before(git_store)
    made = {"back": git(git_store, "rev-parse", "HEAD").strip()}
    made["start"] = commit(git_store, {"old.gpg": b"older", "third/entry.gpg": b"third"})
    made["forward"] = commit(git_store, FORWARD)
    advance(git_store, made["back"])
    made["sideways"] = commit(git_store, SIDE)
    advance(git_store, made["start"])
    return made


def state(store: Path) -> tuple[str, dict[str, bytes]]:
    """Return HEAD and its files; index and work tree must agree with it, the user's own be as it was."""
    head = in_head(store)
    assert files(store) == head
    assert git(store, "status", "--porcelain").splitlines() == OWN
    assert (store / "loose.txt").read_text() == "mine too"
    assert (store / "staged.txt").read_text() == "mine"
    assert not list(store.rglob(".clave-*"))
    assert not (store / ".git" / "index.lock").exists()
    assert not (store / ".git" / "clave").exists()
    assert git(store, "fsck", "--strict", "--no-dangling") == ""
    assert not empty_folders(store)
    return git(store, "rev-parse", "HEAD").strip(), head


def recover(store: Path) -> None:
    repository = Repository.find(str(store))
    assert repository is not None
    transaction.recover(repository, str(store))


def deaths(store: Path, kind: str, start: str, fault: str = "kill") -> Iterator[int]:
    """Let the write die at each of its steps; the store is brought back to `start` after each."""
    for number in range(1, MOST_STEPS):
        code = die(store, kind, fault, number)
        if code == 0:
            assert number > 4
            return
        assert code == (-9 if fault == "kill" else 73)
        yield number
        advance(store, start)
    raise AssertionError("the write never came to its end")


@pytest.mark.parametrize("way", ["forward", "back", "sideways"])
def test_an_advance_that_dies(git_store: Path, commits: dict[str, str], way: str) -> None:
    seen = set()
    for _ in deaths(git_store, f"advance:{commits[way]}", commits["start"]):
        recover(git_store)
        seen.add(state(git_store)[0])
    assert seen == {commits["start"], commits[way]}
    assert state(git_store)[0] == commits[way]


def test_an_advance_that_meets_a_full_disk(git_store: Path, commits: dict[str, str]) -> None:
    for _ in deaths(git_store, f"advance:{commits['sideways']}", commits["start"], "full"):
        recover(git_store)
        assert state(git_store)[0] in (commits["start"], commits["sideways"])


def test_a_merge_that_dies(git_store: Path, commits: dict[str, str]) -> None:
    seen = set()
    kind = f"merge:{commits['sideways']}"
    for _ in deaths(git_store, kind, commits["start"]):
        recover(git_store)
        head, _ = state(git_store)
        seen.add(head == commits["start"])
        if head != commits["start"]:
            assert parents(git_store) == [commits["start"], commits["sideways"]]
    assert seen == {True, False}
    assert state(git_store)[1] == {**AFTER, "third/entry.gpg": b"third"}


def parents(store: Path) -> list[str]:
    return git(store, "show", "-s", "--format=%P", "HEAD").split()


@pytest.mark.parametrize("way", ["forward", "back", "sideways"])
def test_a_lock_that_was_removed_by_hand_after_an_advance(git_store: Path, commits: dict[str, str], way: str) -> None:
    """git tells people to remove index.lock. Also a commit on top of what was there does not look like an advance."""
    for number in deaths(git_store, f"advance:{commits[way]}", commits["start"]):
        (git_store / ".git" / "index.lock").unlink(missing_ok=True)
        at = git(git_store, "rev-parse", "HEAD").strip()
        if number % 2 and at == commits["start"]:
            (git_store / "by-git.gpg").write_bytes(b"git")
            git(git_store, "add", "by-git.gpg")
            git(git_store, "commit", "-q", "-m", "by git", "by-git.gpg")
            at = git(git_store, "rev-parse", "HEAD").strip()
        recover(git_store)
        assert state(git_store)[0] == at


def test_a_folder_and_a_file_change_places(git_store: Path) -> None:
    write_before(git_store)
    start = commit(git_store, {"x.gpg": b"file", "y.gpg/entry.gpg": b"in a folder"})
    other = with_files(git_store, start, {"x.gpg/entry.gpg": "in a folder", "y.gpg": "file"}, ["x.gpg", "y.gpg"])
    for _ in deaths(git_store, f"advance:{other}", start):
        recover(git_store)
        assert state(git_store)[0] in (start, other)
    assert (git_store / "x.gpg" / "entry.gpg").read_text() == "in a folder"
    assert (git_store / "y.gpg").read_text() == "file"


def with_files(store: Path, parent: str, added: dict[str, str], removed: list[str], mode: str = "100644") -> str:
    """Make a commit with git's plumbing, beside the user's index."""
    index = {"GIT_INDEX_FILE": str(store / ".git" / "building")}

    def run(*args: str, input: str = "") -> str:
        done = subprocess.run(
            ["git", "-C", store, *args], env={**os.environ, **index}, input=input, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    run("read-tree", parent)
    if removed:
        run("rm", "-r", "-q", "--cached", *removed)
    for path, text in added.items():
        blob = run("hash-object", "-w", "--stdin", input=text)
        run("update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}")
    return run("commit-tree", "-p", parent, "-m", "plumbing", run("write-tree"))


def test_what_may_be_executed_stays_so(git_store: Path, commits: dict[str, str]) -> None:
    program = with_files(git_store, commits["start"], {"hook.bash": "echo", "old.gpg": "older"}, [], "100755")
    advance(git_store, program)
    assert (git_store / "hook.bash").stat().st_mode & 0o111
    assert (git_store / "old.gpg").stat().st_mode & 0o111
    assert git(git_store, "status", "--porcelain").splitlines() == OWN
    link = with_files(git_store, program, {"hook.bash": "old.gpg"}, [], "120000")
    advance(git_store, link)
    assert (git_store / "hook.bash").is_symlink()
    advance(git_store, commits["start"])
    assert not (git_store / "old.gpg").stat().st_mode & 0o111
    state(git_store)


@pytest.mark.parametrize("where", ["changed", "staged", "untracked", "removed", "folder", "symlink"])
def test_uncommitted_work_in_the_way_is_refused(git_store: Path, commits: dict[str, str], where: str) -> None:
    match where:
        case "changed":
            (git_store / "same" / "edited.gpg").write_bytes(b"my own")
        case "staged":
            (git_store / "same" / "edited.gpg").write_bytes(b"my own")
            git(git_store, "add", "same/edited.gpg")
            (git_store / "same" / "edited.gpg").write_bytes(b"before")
        case "untracked":
            (git_store / "new" / "folder").mkdir(parents=True)
            (git_store / "new" / "folder" / "made.gpg").write_bytes(b"my own")
        case "removed":
            (git_store / "old.gpg").unlink()
        case "folder":
            (git_store / "new" / "folder" / "made.gpg").mkdir(parents=True)
            (git_store / "new" / "folder" / "made.gpg" / "mine").write_text("mine")
        case "symlink":
            (git_store / "new").symlink_to("same")
    before = git(git_store, "status", "--porcelain")
    with pytest.raises(GitFailed) as refused:
        advance(git_store, commits["forward"])
    assert refused.value.exit_code == 7
    assert refused.value.hint
    assert git(git_store, "status", "--porcelain") == before
    assert git(git_store, "rev-parse", "HEAD").strip() == commits["start"]
    assert not list(git_store.rglob(".clave-*"))
    assert not (git_store / ".git" / "clave").exists()


@pytest.mark.parametrize("name", [b"..", b".git", b".GIT"])
def test_a_path_that_leads_out_is_refused(git_store: Path, commits: dict[str, str], name: bytes) -> None:
    blob = git(git_store, "rev-parse", "HEAD:old.gpg").strip()
    inner = plumbed_tree(git_store, b"100644 planted\0" + bytes.fromhex(blob))
    outer = plumbed_tree(git_store, b"40000 " + name + b"\0" + bytes.fromhex(inner))
    hostile = git(git_store, "commit-tree", "-p", commits["start"], "-m", "hostile", outer).strip()
    with pytest.raises(StoreDamaged):
        advance(git_store, hostile)
    assert not (git_store.parent / "planted").exists()
    assert not (git_store / ".git" / "planted").exists()
    assert git(git_store, "rev-parse", "HEAD").strip() == commits["start"]
    assert not (git_store / ".git" / "clave").exists()


def plumbed_tree(store: Path, data: bytes) -> str:
    done = subprocess.run(
        ["git", "-C", store, "hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        input=data, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout.decode().strip()


def test_a_submodule_is_refused(git_store: Path, commits: dict[str, str]) -> None:
    tree = git(git_store, "cat-file", "-p", "HEAD^{tree}") + f"160000 commit {commits['back']}\tmodule\n"
    made = subprocess.run(
        ["git", "-C", git_store, "mktree"], input=tree, capture_output=True, check=True, text=True
    ).stdout.strip()
    with_module = git(git_store, "commit-tree", "-p", commits["start"], "-m", "module", made).strip()
    with pytest.raises(GitFailed):
        advance(git_store, with_module)
    assert state(git_store)[0] == commits["start"]


def test_what_a_check_refuses_is_not_there(git_store: Path, commits: dict[str, str]) -> None:
    """The check sees the commit with all that it holds; HEAD has not moved; what it raises takes all back."""
    repository = Repository.find(str(git_store))
    assert repository is not None
    seen: list[str] = []

    def check(commit: str) -> None:
        assert git(git_store, "rev-parse", "HEAD").strip() == commits["start"]
        assert git(git_store, "cat-file", "blob", f"{commit}:new/folder/made.gpg") == "made"
        seen.append(commit)
        raise ClaveError("no")

    with transaction.begin(repository, str(git_store)) as write:
        with pytest.raises(ClaveError, match="no"):
            write.commit(FORWARD, "commit\n", check=check)
        assert len(seen) == 1
        assert state(git_store)[0] == commits["start"]
        assert write.commit(FORWARD, "commit\n", check=seen.append) == seen[1]
    assert state(git_store)[0] == seen[1]


def test_a_merge_without_a_difference_is_a_commit(git_store: Path, commits: dict[str, str]) -> None:
    repository = Repository.find(str(git_store))
    assert repository is not None
    with transaction.begin(repository, str(git_store)) as write:
        assert write.commit({}, "nothing\n") == commits["start"]
        merge = write.commit({}, "merge\n", parents=[commits["sideways"]])
    assert state(git_store)[0] == merge
    assert parents(git_store) == [commits["start"], commits["sideways"]]
    assert in_head(git_store)["same/edited.gpg"] == b"before"


def test_an_advance_from_nothing(tmp_path: Path, git_store: Path, commits: dict[str, str]) -> None:
    empty = tmp_path / "empty"
    git(tmp_path, "init", "-q", "-b", "main", str(empty))
    git(empty, "fetch", "-q", str(git_store), "HEAD")
    advance(empty, commits["start"])
    assert files(empty) == in_head(empty) == files(git_store)
    assert git(empty, "status", "--porcelain") == ""
    assert git(empty, "symbolic-ref", "HEAD").strip() == "refs/heads/main"


def test_a_live_gits_lock_holds_an_advance_back(
    git_store: Path, commits: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_LOCK_PATIENCE", 0.1)
    lock = git_store / ".git" / "index.lock"
    lock.write_bytes(b"")
    with pytest.raises(Busy):
        advance(git_store, commits["forward"])
    assert lock.exists()
    lock.unlink()
    assert state(git_store)[0] == commits["start"]
