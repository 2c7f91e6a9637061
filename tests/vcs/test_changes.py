"""What a history of commits says that nobody should have made."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from clave.vcs import changes
from clave.vcs.git import Repository

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("date", ["", "-5 +0000", "99999999999999999 +0000", "253402300800 +0000", "soon"])
def test_a_time_that_is_none_is_of_long_ago(date: str, tmp_path: Path) -> None:
    def git(*args: str, input: bytes = b"") -> str:
        argv = ["git", "-C", str(tmp_path), *args]
        return subprocess.run(argv, input=input, check=True, capture_output=True).stdout.decode().strip()

    git("init", "-q", "-b", "main")
    blob = git("hash-object", "-w", "--stdin", input=b"x")
    tree = git("mktree", input=f"100644 blob {blob}\ta.gpg\n".encode())
    text = f"tree {tree}\nauthor a <> {date}\ncommitter a <> {date}\n\nAdd a\n"
    commit = git("hash-object", "-w", "-t", "commit", "--literally", "--stdin", input=text.encode())
    git("update-ref", "refs/heads/main", commit)
    repository = Repository.find(str(tmp_path))
    assert repository is not None
    (found,) = changes.commits(repository, commit)
    assert (found.time, found.message) == (0, "Add a\n")
    assert found.sides == ((changes.Change("a.gpg", "", blob),),)
