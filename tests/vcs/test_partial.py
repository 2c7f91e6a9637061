"""What a clone without blobs lacks comes with one connection."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from clave.errors import GitFailed
from clave.vcs.git import Repository
from clave.vcs.partial import fetch_missing, is_partial

if TYPE_CHECKING:
    from pathlib import Path


class Clone:
    """A clone with a filter of a history of ten commits, each of which adds a file and changes another."""

    def __init__(self, folder: Path, filter_: str) -> None:
        self.folder = folder
        self.run("init", "-q", str(folder / "work"))
        self.commits = []
        for number in range(10):
            (folder / "work" / f"d{number}").mkdir()
            (folder / "work" / f"d{number}" / "new").write_text(f"{number}")
            (folder / "work" / "changed").write_text(f"changed {number}")
            self.run("-C", str(folder / "work"), "add", ".")
            self.run("-C", str(folder / "work"), "commit", "-q", "-m", f"{number}")
            self.commits.append(self.run("-C", str(folder / "work"), "rev-parse", "HEAD"))
        self.run("clone", "-q", "--bare", str(folder / "work"), str(folder / "remote.git"))
        self.run("-C", str(folder / "remote.git"), "config", "uploadpack.allowFilter", "true")
        url = f"file://{folder}/remote.git"
        self.run("clone", "-q", "--no-checkout", f"--filter={filter_}", url, str(folder / "clone"))
        found = Repository.find(str(folder / "clone"))
        assert found
        self.repository = found

    def run(self, *args: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"]
        return subprocess.run(["git", *who, *args], capture_output=True, text=True, check=True).stdout.strip()

    def lacks(self, *revisions: str) -> int:
        out = self.repository.text("rev-list", "--objects", "--missing=print", "--no-object-names", *revisions)
        return sum(line.startswith("?") for line in out.splitlines())


def test_a_whole_clone_is_not_partial(tmp_path: Path) -> None:
    clone = Clone(tmp_path, "blob:none")
    work = Repository.find(str(tmp_path / "work"))
    assert work
    assert is_partial(clone.repository)
    assert not is_partial(work)


def test_all_comes_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = Clone(tmp_path, "blob:none")
    before = clone.lacks(clone.commits[-1])
    assert before >= 10
    trace = tmp_path / "trace"
    monkeypatch.setattr("clave.vcs.git._KEPT", frozenset({"GIT_TRACE2_EVENT"}))
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(trace))
    count = fetch_missing(clone.repository, clone.commits[-1], clone.commits[0])
    monkeypatch.delenv("GIT_TRACE2_EVENT")
    assert count == before
    assert clone.lacks(clone.commits[-1]) == 0
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    fetches = [event for event in events if event["event"] == "start" and "fetch" in event["argv"]]
    assert len(fetches) == 1
    assert fetch_missing(clone.repository, clone.commits[-1], clone.commits[0]) == 0


def test_what_came_before_stays_away(tmp_path: Path) -> None:
    clone = Clone(tmp_path, "blob:none")
    fetch_missing(clone.repository, clone.commits[-1], clone.commits[5])
    # Of the five commits before only what each had in the one file that was changed later.
    assert clone.lacks(clone.commits[-1]) == 5
    assert clone.lacks(clone.commits[-1], f"^{clone.commits[4]}") == 0


def test_a_remote_that_is_gone(tmp_path: Path) -> None:
    clone = Clone(tmp_path, "blob:none")
    os.rename(tmp_path / "remote.git", tmp_path / "away.git")
    with pytest.raises(GitFailed):
        fetch_missing(clone.repository, clone.commits[-1], clone.commits[0])


def test_a_clone_that_lacks_folders_too(tmp_path: Path) -> None:
    clone = Clone(tmp_path, "tree:0")
    with pytest.raises(GitFailed, match="lacks more"):
        fetch_missing(clone.repository, clone.commits[-1], clone.commits[0])
