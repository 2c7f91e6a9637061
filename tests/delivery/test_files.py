"""Secrets as files: in RAM, ours alone, gone at the end, and swept when their process is gone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clave import places, ram
from clave.delivery.files import Folder, sweep
from clave.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

SHM = Path("/dev/shm")


@pytest.fixture
def dead() -> int:
    """The id of a process that is gone."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.fixture
def planted() -> Iterator[list[Path]]:
    """Folders that a test makes, removed at its end."""
    made: list[Path] = []
    yield made
    for path in made:
        if path.is_symlink():
            path.unlink()
        shutil.rmtree(path, ignore_errors=True)


def plant(planted: list[Path], name: str) -> Path:
    path = SHM / name
    path.mkdir(mode=0o700)
    (path / "KEY").write_bytes(b"a secret")
    planted.append(path)
    return path


def test_a_file_is_in_ram_for_its_owner_alone_and_gone_at_the_end() -> None:
    with Folder.make() as folder:
        path = Path(folder.put("KEY", b"a secret"))
        assert path.read_bytes() == b"a secret"
        assert stat.S_IMODE(path.stat().st_mode) == 0o400
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert ram.folder() is not None
        assert path.is_relative_to(str(ram.folder()))
    assert not path.parent.exists()


def test_a_new_value_takes_the_place_of_the_old_one_at_once() -> None:
    with Folder.make() as folder:
        with open(folder.put("KEY", b"old"), "rb") as reader:
            path = Path(folder.put("KEY", b"new and longer"))
            assert reader.read() == b"old"
        assert path.read_bytes() == b"new and longer"
        assert os.listdir(folder.path) == ["KEY"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/x", "a\0b"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with Folder.make() as folder:
        with pytest.raises(UsageError):
            folder.put(name, b"x")
        assert os.listdir(folder.path) == []


def test_a_symlink_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"untouched")
    with Folder.make() as folder:
        os.symlink(target, os.path.join(folder.path, "KEY"))
        os.symlink(target, os.path.join(folder.path, "OTHER"))
        assert Path(folder.put("KEY", b"secret")).read_bytes() == b"secret"
    assert target.read_bytes() == b"untouched"


def test_without_a_tmpfs_a_disk_has_to_be_allowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "folders_in_ram", lambda _: [str(tmp_path)])  # a disk: never taken for RAM
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert ram.folder() is None
    with pytest.raises(UsageError, match="no folder in RAM"):
        Folder.make()
    assert os.listdir(tmp_path) == []
    with Folder.make(allow_disk=True) as folder:
        assert Path(folder.put("KEY", b"x")).is_relative_to(tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("start", ["0", "1234", ""])
@pytest.mark.parametrize("prefix", places.IN_RAM)
def test_what_a_dead_process_left_is_swept(planted: list[Path], dead: int, prefix: str, start: str) -> None:
    left = plant(planted, f"{prefix}{dead}-{start}-swept")
    sweep()
    assert not left.exists()


def test_what_was_left_is_swept_also_if_its_process_id_was_given_away(planted: list[Path]) -> None:
    started = places.started(os.getpid())
    assert started is not None
    left = plant(planted, f"clave-exec-{os.getpid()}-{started - 1}-reused")
    kept = plant(planted, f"clave-exec-{os.getpid()}-{started}-ours")
    sweep()
    assert not left.exists()
    assert (kept / "KEY").exists()


def test_a_zombie_does_not_keep_what_it_left(planted: list[Path]) -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    left = plant(planted, f"clave-exec-{process.pid}-0-zombie")
    sweep()
    assert not left.exists()
    process.wait()


def test_what_is_locked_is_left_alone(planted: list[Path], dead: int) -> None:
    """A container that shares the folder has process ids of its own."""
    with Folder.make() as folder:
        folder.put("KEY", b"x")
        elsewhere = SHM / f"clave-exec-{dead}-0-container"
        os.rename(folder.path, elsewhere)
        planted.append(elsewhere)
        sweep()
        assert (elsewhere / "KEY").exists()
    sweep()
    assert not elsewhere.exists()


def test_sweeping_follows_no_symlink(planted: list[Path], dead: int, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_bytes(b"x")
    link = SHM / f"clave-exec-{dead}-0-link"
    link.symlink_to(kept)
    inside = plant(planted, f"clave-exec-{dead}-0-inside")
    (inside / "link").symlink_to(kept)
    planted.append(link)
    sweep()
    assert (kept / "file").exists()
    assert not inside.exists()


def test_what_is_not_ours_is_left_alone(planted: list[Path], dead: int) -> None:
    if os.getuid() != 0:
        pytest.skip("giving a folder to somebody else takes root")
    other = plant(planted, f"clave-exec-{dead}-0-other")
    os.chown(other, 12345, 12345)
    sweep()
    assert (other / "KEY").exists()


def test_other_names_are_left_alone(planted: list[Path]) -> None:
    others = [plant(planted, name) for name in ("clave-exec-x-0-y", "clave-exec", "other-exec-1-0-a")]
    sweep()
    assert all((other / "KEY").exists() for other in others)
