"""Reading the past of a repository, and following files back through it, with real git."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from clave.errors import GitFailed, StoreDamaged
from clave.model.change import Change, compose
from clave.vcs import history as vcs_history
from clave.vcs.follow import Place, covers, follow
from clave.vcs.git import Repository
from clave.vcs.history import opened

if TYPE_CHECKING:
    from pathlib import Path

TOP = Place("", "")


class Past:
    """A repository to write a past into: `commit({path: content or None}, message)`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self._count = 0

    def git(self, *args: str, env: dict[str, str] | None = None, data: bytes | None = None) -> str:
        done = subprocess.run(
            ["git", "-C", self.folder, *args],
            check=True,
            capture_output=True,
            env={**os.environ, **(env or {})},
            input=data,
        )
        return os.fsdecode(done.stdout).strip()

    def commit(self, files: dict[str, str | None], message: str, *, author: str = "Alice") -> str:
        for path, content in files.items():
            target = self.folder / path
            if content is None:
                target.unlink()
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(content)
        self.git("add", "--all", "--force")
        self._count += 1
        date = f"2026-01-01T00:00:{self._count:02d}Z"
        self.git(
            "commit", "-q", "--allow-empty", "-m", message,
            env={"GIT_AUTHOR_NAME": author, "GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date},
        )  # fmt: skip
        return self.git("rev-parse", "HEAD")

    def blob(self, content: str) -> str:
        return self.git("hash-object", "--stdin", data=content.encode())

    def story(self, *scopes: str, place: Place = TOP) -> list[list[tuple[str, str, str | None]]]:
        """What each commit did to what is followed, newest first: kind, path, source."""
        with self.opened() as history:
            head = history.resolve("HEAD")
            assert head
            steps = list(follow(history.commits(head), scopes, place=place, files=history.files))
        return [[(t.kind, t.path, t.source) for t in step.touches] for step in steps if step.touches]

    def opened(self):
        repository = Repository.find(str(self.folder))
        assert repository
        return opened(repository)


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Past:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Alice")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "alice@example.org")
    return Past(tmp_path / "store")


# Following


def test_an_entry_is_followed_through_renames_that_git_sees(past: Past) -> None:
    past.commit({"a.gpg": "1"}, "Add given password for a to store.")
    past.commit({"a.gpg": "2"}, "anything")
    past.commit({"a.gpg": None, "b.gpg": "2"}, "anything")
    past.commit({"b.gpg": None, "x/c.gpg": "2"}, "anything")
    assert past.story("x/c.gpg") == [
        [("moved", "x/c.gpg", "b.gpg")],
        [("moved", "b.gpg", "a.gpg")],
        [("changed", "a.gpg", None)],
        [("added", "a.gpg", None)],
    ]


@pytest.mark.parametrize(
    ("subject", "old", "new"),
    [
        ("Rename a to b.", "a", "b"),
        ("Rename a to x.", "a", "x/a"),
        ("Rename d/ to e.", "d/i/j", "e/i/j"),
        ("Rename d to e.", "d/i", "e/d/i"),
        ("Rename a to b to c.", "a to b", "c"),
        ("Rename a to b to c.", "a", "b to c"),
        ("Rename a. to b..", "a.", "b."),
        ("Rename é to ü.", "é", "ü"),
    ],
)
def test_a_move_to_other_recipients_is_followed_by_its_subject(past: Past, subject: str, old: str, new: str) -> None:
    past.commit({f"{old}.gpg": "1", "other.gpg": "9"}, "first")
    past.commit({f"{old}.gpg": None, f"{new}.gpg": "2", "other.gpg": None}, subject)
    moved = ("moved", f"{new}.gpg", f"{old}.gpg")
    assert past.story(f"{new}.gpg") == [[moved], [("added", f"{old}.gpg", None)]]
    assert past.story(f"{old}.gpg") == [[moved], [("added", f"{old}.gpg", None)]]


def test_a_move_is_followed_by_its_trailers_whatever_the_subject(past: Past) -> None:
    past.commit({"a.gpg": "1", "b.gpg": "8"}, "first")
    message = compose("Rename ? to ?.", "move", [Change("same", "c d.gpg", past.blob("1"))])
    past.commit({"a.gpg": None, "b.gpg": None, "c d.gpg": "2"}, message)
    assert past.story("c d.gpg")[0] == [("moved", "c d.gpg", "a.gpg")]


def test_a_move_onto_another_entry_takes_its_place(past: Past) -> None:
    past.commit({"b.gpg": "other"}, "the one that is replaced")
    past.commit({"a.gpg": "1"}, "first")
    past.commit({"a.gpg": None, "b.gpg": "2"}, "Rename a to b.")
    assert past.story("b.gpg") == [[("moved", "b.gpg", "a.gpg")], [("added", "a.gpg", None)]]


@pytest.mark.parametrize("copied", ["1", "2"])
def test_a_copy_is_followed_to_what_it_is_a_copy_of(past: Past, copied: str) -> None:
    past.commit({"a.gpg": "1"}, "first")
    past.commit({"b.gpg": copied}, "Copy a to b.")
    past.commit({"a.gpg": "3"}, "later, of the original")
    assert past.story("b.gpg") == [[("copied", "b.gpg", "a.gpg")], [("added", "a.gpg", None)]]


@pytest.mark.parametrize("subject", ["Rename a to b.", "Copy nothing to b.", "Copy a to b.", "Move from a to b"])
def test_words_that_the_tree_does_not_bear_out_count_for_nothing(past: Past, subject: str) -> None:
    past.commit({"z.gpg": "1"}, "first")
    past.commit({"b.gpg": "2"}, subject)
    assert past.story("b.gpg") == [[("added", "b.gpg", None)]]


def test_gopass_moves_in_two_commits(past: Past) -> None:
    past.commit({"a.gpg": "1"}, "Save secret to a: Inserted user supplied password")
    past.commit({"b.gpg": "2"}, "Save secret to b: Move from a to b")
    past.commit({"a.gpg": None}, "Remove a from store.")
    assert past.story("b.gpg") == [[("copied", "b.gpg", "a.gpg")], [("added", "a.gpg", None)]]


def test_a_removed_entry_keeps_its_history_and_a_new_one_continues_it(past: Past) -> None:
    past.commit({"a.gpg": "1"}, "first")
    past.commit({"a.gpg": None}, "Remove a from store.")
    gone = [[("removed", "a.gpg", None)], [("added", "a.gpg", None)]]
    assert past.story("a.gpg") == gone
    past.commit({"a.gpg": "2"}, "again")
    assert past.story("a.gpg") == [[("added", "a.gpg", None)], *gone]


def test_a_folder_is_followed_with_what_came_into_it_and_left_it(past: Past) -> None:
    past.commit({"x/a.gpg": "1", "y/b.gpg": "2"}, "first")
    past.commit({"y/b.gpg": "3"}, "before it came")
    past.commit({"y/b.gpg": None, "x/b.gpg": "3"}, "it comes")
    past.commit({"x/a.gpg": None, "z/a.gpg": "1"}, "one leaves")
    past.commit({"z/a.gpg": "5"}, "no more of ours")
    assert past.story("x/") == [
        [("moved", "z/a.gpg", "x/a.gpg")],
        [("moved", "x/b.gpg", "y/b.gpg")],
        [("changed", "y/b.gpg", None)],
        [("added", "x/a.gpg", None), ("added", "y/b.gpg", None)],
    ]
    assert past.story("")[0] == [("changed", "z/a.gpg", None)]


def test_work_on_both_sides_of_a_merge_is_found_under_both_names(past: Past) -> None:
    past.commit({"a.gpg": "1", "other.gpg": "x"}, "base")
    past.git("checkout", "-q", "-b", "side")
    past.commit({"a.gpg": None, "b.gpg": "1"}, "renamed on the side")
    past.git("checkout", "-q", "main")
    past.commit({"other.gpg": "y"}, "other work")
    past.git("merge", "-q", "--no-ff", "-m", "merged", "side")
    past.commit({"b.gpg": "2"}, "after the merge")
    assert past.story("b.gpg") == [
        [("changed", "b.gpg", None)],
        [("moved", "b.gpg", "a.gpg")],
        [("added", "a.gpg", None)],
    ]


def test_a_merge_counts_only_for_what_it_changed_itself(past: Past) -> None:
    past.commit({"a.gpg": "1", "b.gpg": "1"}, "base")
    past.git("checkout", "-q", "-b", "side")
    past.commit({"a.gpg": "2"}, "side")
    past.git("checkout", "-q", "main")
    past.commit({"a.gpg": "3"}, "main")
    past.git("merge", "-q", "-s", "ours", "--no-commit", "side")
    past.commit({"a.gpg": "4"}, "solved by hand")
    assert past.story("a.gpg")[0] == [("changed", "a.gpg", None)]
    assert [len(step) for step in past.story("a.gpg")] == [1, 1, 1, 1]


def test_names_and_paths_of_a_store_inside_a_bigger_repository_and_around_one() -> None:
    below = Place.of("/w/sub/store", "/w")
    assert (below, below.name("sub/store/a.gpg"), below.path("a.gpg")) == (
        Place("sub/store/", ""),
        "a.gpg",
        "sub/store/a.gpg",
    )
    above = Place.of("/w", "/w/team")
    assert (above, above.name("a.gpg"), above.path("team/a.gpg")) == (Place("", "team/"), "team/a.gpg", "a.gpg")
    assert Place.of("/w", "/w") == TOP


def test_subjects_are_read_relative_to_the_store(past: Past) -> None:
    past.commit({"sub/a.gpg": "1", "a.gpg": "9"}, "first")
    past.commit({"sub/a.gpg": None, "sub/b.gpg": "2"}, "Rename a to b.")
    assert past.story("sub/b.gpg", place=Place("sub/", ""))[0] == [("moved", "sub/b.gpg", "sub/a.gpg")]


@pytest.mark.parametrize(
    ("scopes", "path", "covered"),
    [
        ({"a/b"}, "a/b", True),
        ({"a/b"}, "a/bc", False),
        ({"a/"}, "a/b/c", True),
        ({"a/b/"}, "a/b/c", True),
        ({"a/"}, "ab", False),
        ({""}, "x", True),
        (set(), "x", False),
    ],
)
def test_scopes(scopes: set[str], path: str, covered: bool) -> None:
    assert covers(scopes, path) is covered


# Reading


def test_many_commits_are_read_in_order_and_completely(past: Past) -> None:
    stream = "".join(
        f"commit refs/heads/main\ncommitter A <a@b> {1_000_000_000 + n} +0000\ndata 3\nn{n % 10}\n"
        f"M 100644 inline f{n}.gpg\ndata 1\nx\n"
        for n in range(1500)
    )
    past.git("fast-import", "--quiet", data=stream.encode())
    with past.opened() as history:
        commits = list(history.commits(history.resolve("HEAD") or ""))
    assert [change.path for commit in commits for side in commit.changes for change in side] == [
        f"f{n}.gpg" for n in reversed(range(1500))
    ]
    assert [commit.time for commit in commits] == [1_000_000_000 + n for n in reversed(range(1500))]


def raw_commit(past: Past, header: bytes, message: bytes = b"x\n") -> str:
    tree = past.git("write-tree")
    data = b"tree " + tree.encode() + b"\n" + header + b"\n" + message
    return past.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", data=data)


@pytest.mark.parametrize(
    ("person", "author", "email", "time"),
    [
        (b"A U Thor <a@b> 1000 +0100", "A U Thor", "a@b", 1000),
        (b"\x1b[2J\xe2\x80\xae <> 5 +0000", "\x1b[2J\u202e", "", 5),
        (b"\xff\xfe <\xff> 5 +0000", "\udcff\udcfe", "\udcff", 5),
        (b"no address 5 +0000", "", "", 0),
        (b"a <b> <c> 7 +0000", "a", "b> <c", 7),
        (b"a <b> 99999999999999999999999 +0000", "a", "b", 0),
        (b"a <b> 999999999999999999 +0000", "a", "b", 253_370_764_800),
        (b"a <b> -5 +0000", "a", "b", 0),
        (b"<" * 100_000, "", "", 0),
        (b"", "", "", 0),
    ],
)
def test_headers_may_hold_anything(past: Past, person: bytes, author: str, email: str, time: int) -> None:
    commit = raw_commit(past, b"author " + person + b"\ncommitter " + person + b"\n")
    with past.opened() as history:
        read = next(history.commits(commit))
    assert (read.id, read.author, read.email, read.time) == (commit, author, email, time)


def test_a_message_is_read_line_by_line_with_its_indentation(past: Past) -> None:
    message = b"subject\n\n  indented\n\ttab\n\n\nClave-Op: edit\n"
    commit = raw_commit(past, b"author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n", message)
    with past.opened() as history:
        assert next(history.commits(commit)).message.rstrip("\n") == message.decode().rstrip("\n")


def test_a_message_in_another_encoding_or_in_none_is_read(past: Past) -> None:
    header = b"author \xe9 <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n"
    latin = raw_commit(past, header + b"encoding ISO-8859-1\n", b"\xe9t\xe9\n")
    strange = raw_commit(past, header + b"encoding no-such-codec\n", b"\xe9t\xe9\n")
    with past.opened() as history:
        assert (c := next(history.commits(latin))).message == "été\n"
        assert c.author == "é"
        assert next(history.commits(strange)).message == "\udce9t\udce9\n"


def test_a_path_that_is_not_utf8_is_kept(past: Past) -> None:
    path = os.fsdecode(b"\xff\n\x1b.gpg")
    past.commit({path: "1"}, "first")
    assert past.story("") == [[("added", path, None)]]
    with past.opened() as history:
        assert list(history.files(history.resolve("HEAD") or "")) == [path]


@pytest.mark.parametrize(
    "revision", ["nope", "--help", "-n", "HEAD:a.gpg", "HEAD..HEAD", "", " ", "--upload-pack=touch x", "@{-1}"]
)
def test_what_names_no_commit_is_none(past: Past, revision: str) -> None:
    past.commit({"a.gpg": "1"}, "first")
    with past.opened() as history:
        assert history.resolve(revision) is None


def test_a_repository_without_commits_has_no_head(past: Past) -> None:
    with past.opened() as history:
        assert history.resolve("HEAD") is None


def test_missing_and_large_objects_are_errors_of_ours(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = past.commit({"a.gpg": "12345"}, "first")
    with past.opened() as history:
        assert history.blob(past.blob("12345")) == b"12345"
        with pytest.raises(GitFailed, match="missing"):
            history.blob("1" * 40)
        with pytest.raises(StoreDamaged):
            history.blob(commit)
    monkeypatch.setattr(vcs_history, "_MAX_BLOB", 4)
    with past.opened() as history, pytest.raises(StoreDamaged):
        history.blob(past.blob("12345"))
    with past.opened() as history, pytest.raises(GitFailed):
        list(history.commits("1" * 40))


# The rules for every git of ours


def test_the_environment_and_the_configuration_run_nothing(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    past.commit({"a.gpg": "1", ".gitattributes": "*.gpg diff=x\n", ".mailmap": "Mallory <alice@example.org>\n"}, "1")
    past.commit({"a.gpg": "2"}, "2")
    sentinel = tmp_path / "sentinel"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {sentinel}\n")
    evil.chmod(0o755)
    for key in (
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "diff.x.command",
        "diff.x.textconv",
        "log.mailmap",
    ):
        past.git("config", key, "true" if key == "log.mailmap" else str(evil))
    for name, value in {
        "GIT_DIR": "/nonexistent",
        "GIT_WORK_TREE": "/nonexistent",
        "GIT_INDEX_FILE": "/nonexistent",
        "GIT_OBJECT_DIRECTORY": "/nonexistent",
        "GIT_NAMESPACE": "x",
        "GIT_EXTERNAL_DIFF": str(evil),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "diff.external",
        "GIT_CONFIG_VALUE_0": str(evil),
        "GIT_TRACE": str(tmp_path / "trace"),
    }.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with past.opened() as history:
        commits = list(history.commits(history.resolve("HEAD") or ""))
        history.signatures([commit.id for commit in commits])
    assert [commit.author for commit in commits] == ["Alice", "Alice"]
    assert not sentinel.exists()
    assert not (tmp_path / "trace").exists()
    assert dict(os.environ) == before


def test_a_replaced_object_is_not_followed(past: Past) -> None:
    first = past.commit({"a.gpg": "1"}, "honest")
    other = past.commit({"a.gpg": "2"}, "forged")
    past.git("replace", "-f", first, other)
    past.git("replace", "-f", past.blob("1"), past.blob("2"))
    with past.opened() as history:
        assert [commit.message for commit in history.commits(first)] == ["honest\n"]
        assert history.blob(past.blob("1")) == b"1"


@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
def test_blobs_are_read_in_any_number_and_hash(
    tmp_path: Path, past: Past, monkeypatch: pytest.MonkeyPatch, hash_name: str
) -> None:
    monkeypatch.setenv("GIT_DEFAULT_HASH", hash_name)
    other = Past(tmp_path / hash_name)
    contents = {f"{n}.gpg": "x\n" * n for n in range(300)}
    other.commit(dict(contents), "first")
    with other.opened() as history:
        files = history.files(history.resolve("HEAD") or "")
        blobs = history.blobs(blob for _, blob in files.values())
        (commit,) = history.commits(history.resolve("HEAD") or "")
    assert {path: blobs[blob].decode() for path, (_, blob) in files.items()} == contents
    assert len(commit.changes[0]) == len(contents)


def test_a_walk_that_is_broken_off_leaves_no_process(past: Past) -> None:
    past.commit({"a.gpg": "1"}, "first")
    with past.opened() as history:
        commits = history.commits(history.resolve("HEAD") or "")
        next(commits)
        del commits
    children = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True)
    assert "rev-list" not in children.stdout


def test_without_git_it_says_so(past: Past, tmp_path: Path) -> None:
    past.commit({"a.gpg": "1"}, "first")
    (tmp_path / "bin").mkdir()
    code = (
        "from clave.errors import GitFailed\nfrom clave.vcs.git import Repository\n"
        "from clave.vcs.history import opened\n"
        f"try:\n    with opened(Repository.find({str(past.folder)!r})): pass\n"
        "except GitFailed as failure: print(failure.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PATH": str(tmp_path / "bin"), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "git is not installed\n", done.stderr


def test_a_shallow_clone_ends_where_it_is_cut(past: Past, tmp_path: Path) -> None:
    past.commit({"a.gpg": "1"}, "first")
    past.commit({"a.gpg": "2"}, "second")
    subprocess.run(["git", "clone", "-q", "--depth=1", past.folder.as_uri(), tmp_path / "cut"], check=True)
    shutil.rmtree(past.folder)
    repository = Repository.find(str(tmp_path / "cut"))
    assert repository
    with opened(repository) as history:
        commits = list(history.commits(history.resolve("HEAD") or ""))
    assert [(commit.parents, len(commit.changes[0])) for commit in commits] == [((), 1)]
