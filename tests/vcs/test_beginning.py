"""Which commits added a path, on whatever way they come back."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from clave.vcs.beginning import added
from clave.vcs.git import Repository

if TYPE_CHECKING:
    from pathlib import Path

PATH = "d/x.toml"


class History:
    """Commits made by git, each with the files that it is to have."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", str(folder), cwd=folder.parent)
        found = Repository.find(str(folder))
        assert found
        self.repository = found

    def git(self, *args: str, cwd: Path | None = None, input: str = "") -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        argv = ["git", *who, "-C", str(cwd or self.folder), *args]
        return subprocess.run(argv, input=input, capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, content: str | None, *parents: str) -> str:
        self.number = getattr(self, "number", 0) + 1
        rows = f"100644 blob {self.git('hash-object', '-w', '--stdin', input=str(self.number))}\tother\n"
        if content is not None:
            blob = self.git("hash-object", "-w", "--stdin", input=content)
            folder = self.git("mktree", input=f"100644 blob {blob}\tx.toml\n")
            rows += f"040000 tree {folder}\td\n"
        tree = self.git("mktree", input=rows)
        return self.git("commit-tree", tree, "-m", "x", *(word for parent in parents for word in ("-p", parent)))


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "repository")


def test_of_a_path_that_was_never_there_nothing(history: History) -> None:
    assert added(history.repository, history.commit(None), PATH) == []


def test_the_first_commit_of_all(history: History) -> None:
    first = history.commit("1")
    assert added(history.repository, history.commit("1", first), PATH) == [first]


def test_one_in_the_middle_also_if_the_path_is_changed_or_gone_later(history: History) -> None:
    begun = history.commit("1", history.commit(None))
    changed = history.commit("2", begun)
    assert added(history.repository, changed, PATH) == [begun]
    assert added(history.repository, history.commit(None, changed), PATH) == [begun]


def test_each_beginning_also_where_the_sides_were_merged(history: History) -> None:
    before = history.commit(None)
    one, other = history.commit("1", before), history.commit("1", history.commit("other", history.commit(None)))
    tip = history.commit("1", history.commit("1", one), other)
    found = added(history.repository, tip, PATH)
    assert one in found
    assert len(found) == 2


def test_a_merge_with_work_from_before_begins_nothing(history: History) -> None:
    before = history.commit(None)
    begun = history.commit("1", before)
    offline = history.commit(None, before)
    for parents in ((begun, offline), (offline, begun)):
        assert added(history.repository, history.commit("1", *parents), PATH) == [begun]


def test_what_the_user_set_for_git_log_does_not_matter(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    first = history.commit("1")
    history.git("config", "log.showRoot", "false")
    history.git("config", "log.follow", "true")
    history.git("config", "diff.renames", "copies")
    assert added(history.repository, history.commit("1", first), PATH) == [first]
