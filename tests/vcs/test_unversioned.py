"""The journal of a store without git lies in the store, so others may have written it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clave.errors import StoreDamaged
from clave.vcs import unversioned

if TYPE_CHECKING:
    from pathlib import Path


def journal(store: Path, rows: bytes) -> None:
    (store / ".clave-journal").mkdir(parents=True)
    (store / ".clave-journal" / "list").write_bytes(rows)
    (store / ".clave-journal" / "0").write_bytes(b"planted")


@pytest.mark.parametrize(
    "rows",
    [
        b"put\0../outside\0",
        b"put\0a/../../outside\0",
        b"put\0out/outside\0",
        b"put\0.git/hooks/post-commit\0",
        b"remove\0../kept\0",
        b"put\0lonely.gpg\0remove\0",
    ],
)
def test_a_journal_of_somebody_else_writes_nothing_outside(tmp_path: Path, rows: bytes) -> None:
    store = tmp_path / "store"
    journal(store, rows)
    (store / "out").symlink_to(tmp_path)
    (tmp_path / "kept").write_bytes(b"kept")
    before = {path for path in tmp_path.rglob("*")}
    with pytest.raises(StoreDamaged):
        unversioned.recover(str(store))
    assert {path for path in tmp_path.rglob("*")} == before
    with pytest.raises(StoreDamaged), unversioned.begin(str(store)):
        pass


def test_an_absolute_path_in_a_journal_writes_nothing_outside(tmp_path: Path) -> None:
    store = tmp_path / "store"
    journal(store, b"put\0" + bytes(tmp_path / "outside") + b"\0")
    with pytest.raises(StoreDamaged):
        unversioned.recover(str(store))
    assert not (tmp_path / "outside").exists()


def test_a_journal_that_is_a_symlink_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    journal(elsewhere, b"put\0a.gpg\0")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / ".clave-journal").symlink_to(elsewhere / ".clave-journal")
    with pytest.raises(StoreDamaged):
        unversioned.recover(str(tmp_path / "store"))
    assert (elsewhere / ".clave-journal" / "list").exists()


def test_a_folder_that_leads_out_of_the_store_is_not_written_to(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (tmp_path / "outside").mkdir()
    (store / "folder").symlink_to(tmp_path / "outside")
    with unversioned.begin(str(store)) as write, pytest.raises(StoreDamaged):
        write.commit({"fine.gpg": b"x", "folder/entry.gpg": b"x"})
    assert sorted(path.name for path in store.rglob("*")) == ["folder"]
    assert not list((tmp_path / "outside").iterdir())
