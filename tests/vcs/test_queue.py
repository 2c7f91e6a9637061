"""Commits that wait to be made again."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from clave.vcs import queue
from clave.vcs.git import Repository

if TYPE_CHECKING:
    from pathlib import Path


def git(where: Path, *args: str) -> str:
    argv = ["git", "-C", where, "-c", "user.name=x", "-c", "user.email=x", *args]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def test_they_wait_in_their_order_until_they_are_dropped(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    commits = []
    for number in range(12):
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", str(number))
        commits.append(git(tmp_path, "rev-parse", "HEAD"))
    repository = Repository.find(str(tmp_path))
    assert repository is not None

    def waiting() -> list[str]:
        return [commit for _, commit in queue.waiting(repository)]

    assert waiting() == []
    queue.put_first(repository, commits[5:])
    assert waiting() == commits[5:]
    queue.drop(repository, queue.waiting(repository)[0][0])
    assert waiting() == commits[6:]
    queue.put_first(repository, [*commits[:2], commits[7]])  # one is there already
    assert waiting() == [*commits[:2], commits[7], commits[6], *commits[8:]]
    queue.put_first(repository, [])
    assert len(waiting()) == 8
    for name, _ in queue.waiting(repository):
        queue.drop(repository, name)
    assert git(tmp_path, "for-each-ref", "refs/clave") == ""
