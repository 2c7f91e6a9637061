"""Trees written by clave are git's own, byte for byte, whatever was there and whatever is changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clave.errors import GitFailed
from clave.vcs.git import Repository
from clave.vcs.objects import object_id
from clave.vcs.trees import FILE, LINK, Entry, Trees, read, write

if TYPE_CHECKING:
    from collections.abc import Iterator

# Names that sort differently as a file and as a folder (git compares a folder's with a slash behind it).
PARTS = st.sampled_from(["a", "a.gpg", "a-b", "a0", "b", "é.gpg", "A", "ab", "-x", "sub"])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)


def without_conflicts(paths: list[str]) -> list[str]:
    """Leave out each path that is a folder of another one."""
    return [path for path in paths if not any(other.startswith(path + "/") for other in paths)]


FILES = st.lists(PATHS, max_size=8, unique=True).map(without_conflicts)


@pytest.fixture(scope="module")
def repository() -> Iterator[Repository]:
    folder = Path(tempfile.mkdtemp())
    subprocess.run(["git", "init", "-q", folder], check=True)
    found = Repository.find(str(folder))
    assert found is not None
    yield found
    shutil.rmtree(folder)


def git(repository: Repository, *args: str, input: bytes = b"") -> str:
    env = {**os.environ, **{f"GIT_{role}_{key}": "a" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}}
    done = subprocess.run(
        ["git", "-C", repository.work_tree, *args], input=input, check=True, capture_output=True, env=env
    )
    return done.stdout.decode().strip()


def indexed(repository: Repository, files: dict[str, Entry]) -> str:
    """Return the tree that git itself makes of these files."""
    git(repository, "read-tree", "--empty")
    rows = [f"{entry.mode.decode()} {entry.id}\t{path}\0".encode() for path, entry in files.items()]
    git(repository, "update-index", "-z", "--index-info", input=b"".join(rows))
    return git(repository, "write-tree")


def blob(repository: Repository, data: bytes) -> str:
    return git(repository, "hash-object", "-w", "--stdin", input=data)


@settings(max_examples=40, deadline=None)
@given(before=FILES, after=FILES, links=st.sets(PATHS))
def test_the_same_tree_as_git(repository: Repository, before: list[str], after: list[str], links: set[str]) -> None:
    one, two = blob(repository, b"1"), blob(repository, b"2")
    old = {path: Entry(LINK if path in links else FILE, one) for path in before}
    commit = git(repository, "commit-tree", "-m", "x", indexed(repository, old))
    # What goes: one in two of the old; what comes: the new ones, as far as nothing stands in their way.
    kept = {path: entry for at, (path, entry) in enumerate(sorted(old.items())) if at % 2}
    new = {path: Entry(FILE, two) for path in after if path in without_conflicts([*kept, *after])}
    new = {path: entry for path, entry in new.items() if not any(path.startswith(f"{other}/") for other in kept)}
    wanted = {**kept, **new}
    changes: dict[str, Entry | None] = {path: None for path in old if path not in wanted}
    changes.update(new)
    trees = Trees(repository, commit)
    root, objects = trees.changed(changes, "sha1")
    assert root == indexed(repository, wanted)
    assert root in {object_id(b"tree", data, "sha1") for data in objects} | {git(repository, "rev-parse", commit + ":")}
    assert trees.files([*before, "none/there"]) == old


def test_read_and_write_are_inverse(repository: Repository) -> None:
    one = blob(repository, b"1")
    tree = indexed(repository, {path: Entry(FILE, one) for path in ("a.gpg", "a/x", "a-b", "a0")})
    data = subprocess.run(
        ["git", "-C", repository.work_tree, "cat-file", "tree", tree], capture_output=True, check=True
    ).stdout
    assert write(read(data, 20)) == data
    assert list(read(data, 20)) == [b"a-b", b"a.gpg", b"a", b"a0"]


def test_a_repository_without_commits_has_nothing(repository: Repository) -> None:
    trees = Trees(repository, None)
    assert trees.files(["a/b"]) == {}
    root, objects = trees.changed({"a/b": Entry(FILE, blob(repository, b"1"))}, "sha1")
    assert root == indexed(repository, {"a/b": Entry(FILE, blob(repository, b"1"))})
    assert len(objects) == 2


def test_a_folder_in_the_place_of_a_file_is_refused(repository: Repository) -> None:
    one = blob(repository, b"1")
    commit = git(repository, "commit-tree", "-m", "x", indexed(repository, {"x/y": Entry(FILE, one)}))
    with pytest.raises(GitFailed, match="both a file and a folder"):
        Trees(repository, commit).changed({"x": Entry(FILE, one)}, "sha1")
    with pytest.raises(GitFailed, match="both a file and a folder"):
        Trees(repository, commit).changed({"x/y/z": Entry(FILE, one)}, "sha1")
    with pytest.raises(GitFailed, match="both a file and a folder"):
        Trees(repository, None).changed({"x": Entry(FILE, one), "x/y": Entry(FILE, one)}, "sha1")
