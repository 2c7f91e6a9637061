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

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reliability.conftest import Place

SLOW_GIT = """#!/bin/sh
case " $* " in *" {verb} "*) : > "{mark}"; sleep 0.5 ;; esac
exec {git} "$@"
"""


@pytest.mark.parametrize(
    ("verb", "following"),
    [("update-ref", ["ls"]), ("update-ref", ["insert", "-m", "-f", "next"]), ("write-tree", ["ls"])],
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
    if not mark.exists():
        pytest.skip(f"a write needs no git {verb}")
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


def test_the_background_of_gpg_does_not_keep_the_lock(place: Place, clave: Run) -> None:
    """gpg starts its agent under our lock: the next write must not wait for the agent's end."""
    subprocess.run(["gpgconf", "--kill", "all"], env=place.person.env(), check=True)
    new = b"value after the agent\n"
    assert clave(place.person, place.store, "generate", "-i", "a", "16").code == 0
    done = run_as(place.person, place.store, ["flock", "-n", str(place.store / ".git"), "true"])
    assert done.code == 0
    assert clave(place.person, place.store, "insert", "-m", "-f", "a", input=new).code == 0
