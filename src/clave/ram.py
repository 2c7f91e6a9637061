"""Folders in RAM for plaintexts: on a tmpfs, of mode 0700, and swept by the next command when their process is gone.

The name of such a folder begins with a prefix of `places.IN_RAM` and tells the process that made it, by its id and
when it started: an id that was given to another process since is not taken for it. The folder is locked besides, by
a lock that vanishes with that process: a clave in a container that shares the folder cannot see our process ids.

Nothing here follows a symlink: the names are new ones, and `shutil.rmtree` does not leave what it removes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress

from clave import places
from clave.errors import CannotWrite, UsageError

# f_type of statfs(2) is not in Python's os module; the list of mounts says the same.
_RAM = frozenset(("tmpfs", "ramfs"))


class Place:
    """A folder of ours: its `path`, and the descriptor that is open on it and locks it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        """Remove the folder with all that it holds, if that has not been done."""
        if self.descriptor >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self.descriptor)
            self.descriptor = -1


def make(prefix: str, *, hint: str, allow_disk: bool = False) -> Place:
    """Make a new folder in RAM, empty and ours alone.

    Raises UsageError, with that hint, where there is no tmpfs and `allow_disk` is false; CannotWrite.
    """
    base = folder()
    if base is None and not allow_disk:
        raise UsageError("there is no folder in RAM here (no tmpfs)", hint)
    try:
        path = tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-{places.started(os.getpid()) or 0}-", dir=base)
        return Place(path)
    except OSError as error:
        raise CannotWrite(f"there is no room in RAM: {error.strerror}", "Free some memory.") from None


def folder() -> str | None:
    """Return a folder that is on a tmpfs and writable, None if there is none (macOS)."""
    for path in places.folders_in_ram(os.environ):
        if os.access(path, os.W_OK | os.X_OK) and _file_system(path) in _RAM:
            return path
    return None


def sweep() -> None:
    """Remove what processes left that are gone (kill -9, a power cut of the shell)."""
    for path in places.left_in_ram(os.environ):
        with suppress(OSError):  # its process has just ended, or another command sweeps at the same time
            if os.lstat(path).st_uid == os.getuid():
                _remove_if_free(path)


def _remove_if_free(path: str) -> None:
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)


def _file_system(path: str) -> str | None:
    """Return the type of the file system that holds `path`, from /proc/self/mountinfo (proc(5))."""
    real = os.path.realpath(path)
    best, kind = "", None
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                fields = line.split(" ")
                point = fields[4].encode().decode("unicode_escape")
                if (real + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best):
                    best, kind = point, fields[fields.index("-") + 1]
    except OSError:
        return None
    return kind
