"""What a process that died left, and what somebody else left who wants it to look like that."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.reliability.checks import assert_explained, git

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.reliability.conftest import Place


@pytest.fixture
def dead_edit(tmp_path: Path) -> Path:
    """The folder of an edit whose process is gone."""
    process = subprocess.Popen(["true"])
    process.wait()
    folder = Path(f"/dev/shm/clave-edit-{process.pid}-{tmp_path.name[-8:]}")
    folder.mkdir(mode=0o700)
    (folder / "a.txt").write_bytes(b"a plaintext\n")
    return folder


@pytest.mark.parametrize("words", [["show", "a"], ["a"], ["ls"], ["find", "a"], ["insert", "-m", "-f", "a"]])
def test_every_command_sweeps_what_a_killed_edit_left(
    place: Place, clave: Run, dead_edit: Path, words: list[str]
) -> None:
    assert clave(place.person, place.store, *words, input=b"new\n").code == 0
    assert not dead_edit.exists()


def test_a_journal_that_a_member_committed_is_never_carried_out(place: Place, clave: Run) -> None:
    planted = place.store / ".clave-journal"
    planted.mkdir()
    (planted / "list").write_bytes(b"put\0planted.gpg\0remove\0a.gpg\0")
    (planted / "0").write_bytes(b"planted")
    git(place.store, "add", "-A")
    git(place.store, "-c", "user.name=m", "-c", "user.email=m@x", "commit", "-q", "-m", "hello")
    assert clave(place.person, place.store, "a").out == b"first a\n"
    assert clave(place.person, place.store, "insert", "-m", "new", input=b"new\n").code == 0
    assert clave(place.person, place.store, "a").out == b"first a\n"
    assert not (place.store / "planted.gpg").exists()
    assert git(place.store, "status", "--porcelain") == b""


@pytest.mark.parametrize("place", ["plain"], indirect=True)
def test_a_journal_that_leads_out_is_named_and_nothing_is_done(place: Place, clave: Run) -> None:
    planted = place.store / ".clave-journal"
    planted.mkdir()
    (planted / "list").write_bytes(b"put\0../planted\0")
    (planted / "0").write_bytes(b"planted")
    done = clave(place.person, place.store, "insert", "-m", "new", input=b"new secret\n")
    assert_explained(done, 8, "../planted leads out of the store")
    assert not (place.store.parent / "planted").exists()
