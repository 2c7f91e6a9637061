"""Several writers at once: each has its commit, none undoes another's, and a lock of git's is waited for or named."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.reliability.checks import assert_explained, commits_since, git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Person, Run
    from tests.reliability.conftest import Place

KINDS = ("git", "plain", "bigger")


def start(place: Place, *words: str, input: bytes = b"", **more: str) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-m", "clave", *words],
        env=place.person.env(place.store, **more),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(input)
    process.stdin.close()
    process.stdin = None
    return process


def ends(process: subprocess.Popen) -> int:
    _, err = process.communicate(timeout=100)
    assert process.returncode == 0 or err.startswith(b"Error: "), err
    return process.returncode


@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_eight_at_once(place: Place) -> None:
    before = place.head()
    new = {f"at-once/{number}": f"secret of writer {number}\n".encode() for number in range(8)}
    writers = [start(place, "insert", "-m", name, input=value) for name, value in new.items()]
    assert [ends(writer) for writer in writers] == [0] * 8
    place.state.entries.update(new)
    place.whole()
    if place.repository and before:
        subjects = sorted(message.splitlines()[0] for message in commits_since(place.repository, before))
        assert subjects == [f"Add given password for {name} to store." for name in sorted(new)]


@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_two_on_one_secret(place: Place) -> None:
    before = place.head()
    values = [b"the value of one\n", b"the value of two\n"]
    writers = [start(place, "insert", "-m", "-f", "a", input=value) for value in values]
    assert [ends(writer) for writer in writers] == [0, 0]
    final = place.person.gpg("-d", str(place.store / "a.gpg"))
    assert final in values
    place.state.entries["a"] = final
    place.whole()
    if place.repository and before:
        assert len(commits_since(place.repository, before)) == 2


@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_an_insert_against_a_rekey(place: Place, pair: list[Person]) -> None:
    both = tuple(person.fingerprint for person in pair)
    rekey = start(place, "init", *both)
    insert = start(place, "insert", "-m", "-f", "a", input=b"while rekeying\n")
    assert [ends(rekey), ends(insert)] == [0, 0]
    place.state.readers[""] = both
    place.state.entries["a"] = b"while rekeying\n"
    place.whole()


@contextmanager
def editing(place: Place, tmp_path: Path, name: str, text: bytes) -> Iterator[subprocess.Popen]:
    """Hold an editor open on an entry; at the end it writes `text`."""
    opened, release = tmp_path / "opened", tmp_path / "release"
    editor = tmp_path / "editor"
    (tmp_path / "text").write_bytes(text)
    wait = f"while [ ! -e {release} ]; do sleep 0.02; done"
    editor.write_text(f'#!/bin/sh\n: > {opened}\n{wait}\ncat {tmp_path}/text > "$1"\n')
    editor.chmod(0o700)
    process = start(place, "edit", name, EDITOR=str(editor))
    while not opened.exists():
        assert process.poll() is None
        time.sleep(0.02)
    yield process
    release.touch()


@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_an_edit_against_a_rekey(place: Place, pair: list[Person], clave: Run, tmp_path: Path) -> None:
    """What was edited meanwhile is encrypted for the new readers."""
    both = tuple(person.fingerprint for person in pair)
    with editing(place, tmp_path, "a", b"edited meanwhile\n") as process:
        assert clave(place.person, place.store, "init", *both).code == 0
    assert ends(process) == 0
    place.state.readers[""] = both
    place.state.entries["a"] = b"edited meanwhile\n"
    place.whole()


@pytest.mark.parametrize("place", KINDS, indirect=True)
@pytest.mark.parametrize("words", [["mv", "team/x", "a/x"], ["rm", "-f", "team/x"]], ids=["mv", "rm"])
def test_an_edit_of_what_is_gone_meanwhile(place: Place, clave: Run, tmp_path: Path, words: list[str]) -> None:
    """The text is kept beside it; the entry does not come back to life under its old name."""
    with editing(place, tmp_path, "team/x", b"edited meanwhile\n") as process:
        assert clave(place.person, place.store, *words).code == 0
    assert ends(process) == 1
    aside = [path for path in place.checker.paths() if path.startswith("team/x.conflict-")]
    assert len(aside) == 1
    value = place.state.entries.pop("team/x")
    if words[0] == "mv":
        place.state.entries["a/x"] = value
    place.state.entries[aside[0].removesuffix(".gpg")] = b"edited meanwhile\n"
    place.whole()


@pytest.mark.parametrize("lock", ["index.lock", "BRANCH.lock"])
def test_the_lock_of_a_git_that_died(place: Place, clave: Run, lock: str) -> None:
    """75 and what to do about it; doctor --fix does it."""
    branch = git(place.store, "symbolic-ref", "HEAD").decode().strip()
    path = place.store / ".git" / lock.replace("BRANCH", branch)
    path.touch()
    done = clave(place.person, place.store, "insert", "-m", "-f", "a", input=b"not stored\n")
    assert_explained(done, 75, path.name, "clave doctor --fix")
    assert path.exists()
    assert clave(place.person, place.store, "a").out == b"first a\n"
    fixed = clave(place.person, place.store, "doctor", "--fix")
    assert b"fixed locks" in fixed.out
    assert not path.exists()
    place.whole()
    assert clave(place.person, place.store, "insert", "-m", "-f", "a", input=b"stored at last\n").code == 0
    place.state.entries["a"] = b"stored at last\n"
    place.whole()


def test_the_lock_of_a_git_that_lives(place: Place, clave: Run, tmp_path: Path) -> None:
    """75, and doctor leaves it alone; once git is done the next write works."""
    (place.store / "README").write_text("read me")
    git(place.store, "add", "README")
    editor = tmp_path / "editor"
    editor.write_text(f"#!/bin/sh\necho text > $1\nwhile [ ! -e {tmp_path}/release ]; do sleep 0.05; done\n")
    editor.chmod(0o700)
    commit = subprocess.Popen(
        ["git", "-C", place.store, "commit", "-q", "README"],
        env=place.person.env(GIT_EDITOR=str(editor)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    while not (place.store / ".git" / "index.lock").exists():
        assert commit.poll() is None
        time.sleep(0.02)
    done = clave(place.person, place.store, "insert", "-m", "-f", "a", input=b"not stored\n")
    assert_explained(done, 75, "index.lock")
    checked = clave(place.person, place.store, "doctor", "--fix")
    assert f"process {commit.pid}".encode() in checked.out
    assert (place.store / ".git" / "index.lock").exists()
    (tmp_path / "release").touch()
    commit.communicate()
    assert commit.returncode == 0
    assert git(place.store, "log", "-1", "--format=%s") == b"text\n"
    assert clave(place.person, place.store, "insert", "-m", "-f", "a", input=b"stored at last\n").code == 0
    place.state.entries["a"] = b"stored at last\n"
    place.whole()
