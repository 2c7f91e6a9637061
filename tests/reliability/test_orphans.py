"""A clave is killed, and the git that it had started goes on: the next command waits for it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Run, run_as
from tests.reliability.checks import assert_explained, commits_since, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reliability.conftest import Place

SLOW_GIT = """#!/bin/sh
case " $* " in *" {verb} "*) : > "{mark}"; sleep 0.5 ;; esac
exec {git} "$@"
"""


@pytest.mark.parametrize(
    ("verb", "following"),
    [("update-ref", ["ls"]), ("update-ref", ["insert", "-m", "-f", "next"]), ("unpack-objects", ["ls"])],
)
def test_a_git_that_outlives_its_clave(
    place: Place, clave: Run, tmp_path: Path, verb: str, following: list[str]
) -> None:
    mark = tmp_path / "mark"
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(SLOW_GIT.format(verb=verb, mark=mark, git=shutil.which("git")))
    slow.chmod(0o755)
    path = f"{slow.parent}:{os.environ['PATH']}"
    process = subprocess.Popen(
        [sys.executable, "-m", "clave", "mv", "team/", "moved"],
        env=place.person.env(place.store, PATH=path), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not mark.exists() and process.poll() is None:
        time.sleep(0.01)
    assert mark.exists(), f"a write needs no git {verb}"
    process.send_signal(signal.SIGKILL)
    before = place.head()
    done = clave(place.person, place.store, *following, input=b"next secret\n")
    assert done.code == 0, done.err
    moved = (place.store / "moved").exists()
    assert moved is (verb == "update-ref")
    time.sleep(0.6)  # whatever the orphan does, it has done it now
    if moved:
        assert place.head() != before
        for things in (place.state.entries, place.state.readers):
            for name in [name for name in things if f"{name}/".startswith("team/")]:
                things["moved" + name.removeprefix("team")] = things.pop(name)
    if following != ["ls"]:
        place.state.entries["next"] = b"next secret\n"
    process.communicate()
    place.whole()


# Takes the locks that git takes, and dies together with the clave that has started it.
DYING_GIT = """#!/bin/sh
case " $* " in *" update-ref "*) ;; *) exec {git} "$@" ;; esac
shift $(($# - 2))
: > {git_dir}/HEAD.lock
printf '{content}' "$1" > {git_dir}/{branch}.lock
kill -9 $PPID
"""


@pytest.mark.parametrize("content", ["%s\\n", ""], ids=["written", "not yet written"])
def test_a_git_that_dies_with_its_clave(place: Place, clave: Run, tmp_path: Path, content: str) -> None:
    """Nobody else can remove the locks that it leaves, and nobody needs to."""
    before = place.head()
    assert killed_at_update_ref(place, clave, tmp_path, content)
    assert clave(place.person, place.store, "insert", "-m", "next", input=b"next secret\n").code == 0
    place.state.entries["next"] = b"next secret\n"
    place.whole()
    assert len(commits_since(place.store, before or "")) == 1


def test_a_lock_of_another_git_is_not_taken_for_that(place: Place, clave: Run, tmp_path: Path) -> None:
    lock = killed_at_update_ref(place, clave, tmp_path, f"{place.head()}\\n")
    done = clave(place.person, place.store, "insert", "-m", "next", input=b"next secret\n")
    assert_explained(done, 75, lock.name, "clave doctor --fix")
    assert lock.exists()
    lock.unlink()
    assert clave(place.person, place.store, "insert", "-m", "next", input=b"next secret\n").code == 0
    place.state.entries["next"] = b"next secret\n"
    place.whole()


def killed_at_update_ref(place: Place, clave: Run, tmp_path: Path, content: str) -> Path:
    """Let clave and its git be killed when git has taken its locks; return that of the branch."""
    branch = git(place.store, "symbolic-ref", "HEAD").decode().strip()
    git_dir = place.store / ".git"
    dying = tmp_path / "bin" / "git"
    dying.parent.mkdir()
    dying.write_text(DYING_GIT.format(git=shutil.which("git"), git_dir=git_dir, branch=branch, content=content))
    dying.chmod(0o755)
    path = f"{dying.parent}:{os.environ['PATH']}"
    assert clave(place.person, place.store, "rm", "-f", "a", PATH=path).code == -signal.SIGKILL
    assert (git_dir / "HEAD.lock").exists()
    return git_dir / f"{branch}.lock"


def test_a_gpg_that_outlives_its_clave_does_not_keep_the_lock(place: Place, clave: Run, tmp_path: Path) -> None:
    """It may wait for a PIN that nobody will ever type."""
    mark = tmp_path / "mark"
    waiting = tmp_path / "bin" / "gpg"
    waiting.parent.mkdir()
    waiting.write_text(f"#!/bin/sh\n: > {mark}\nexec sleep 5\n")
    waiting.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "clave", "generate", "-i", "a"],
        env=place.person.env(place.store, PATH=f"{waiting.parent}:{os.environ['PATH']}"),
        stdin=subprocess.DEVNULL,
    )
    while not mark.exists():
        assert process.poll() is None
        time.sleep(0.01)
    locked = ["flock", "-n", str(place.store / ".git"), "true"]
    assert run_as(place.person, place.store, locked).code == 1
    process.kill()
    process.wait()
    assert run_as(place.person, place.store, locked).code == 0
    assert clave(place.person, place.store, "insert", "-m", "-f", "a", input=b"the next value\n").code == 0
    place.state.entries["a"] = b"the next value\n"
    place.whole()
