"""HEAD without git, and as git says it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from clave.vcs.head import plain_head

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits, on the branch `main` and on `a/main`, which ends alike."""
    git(tmp_path, "init", "-q", "-b", "main")
    for branch in ("a/main", "main"):
        git(tmp_path, "checkout", "-q", "-B", branch)
        git(tmp_path, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q", "--allow-empty", "-m", branch)
    return tmp_path


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *args], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_branch_has_a_file_or_a_line(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert plain_head(f"{repository}/.git") == head
    git(repository, "pack-refs", "--all")
    assert not (repository / ".git/refs/heads/main").exists()
    assert plain_head(f"{repository}/.git") == head
    git(repository, "checkout", "-q", "a/main")
    assert plain_head(f"{repository}/.git") == git(repository, "rev-parse", "HEAD") != head


def test_the_file_comes_before_the_line(repository: Path) -> None:
    git(repository, "pack-refs", "--all")
    git(repository, "update-ref", "refs/heads/main", "a/main")
    assert plain_head(f"{repository}/.git") == git(repository, "rev-parse", "a/main")


def test_detached(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    assert plain_head(f"{repository}/.git") == git(repository, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    "head", ["", "ref: refs/heads/none", "ref: refs/heads/../../x", "ref: other/x", "abc", "Z" * 40]
)
def test_whatever_else_is_gits_to_say(repository: Path, head: str) -> None:
    git(repository, "pack-refs", "--all")
    (repository / ".git/HEAD").write_text(f"{head}\n")
    assert plain_head(f"{repository}/.git") is None
