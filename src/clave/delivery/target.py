"""Writing a file with secrets for another program: at once, for its owner alone, and where the user says.

A link at that place is not followed: whoever can make one there would say where the secrets go. A file that is there
keeps what it holds until the new one is complete; it does not keep its mode. What a killed process left beside it, the
next one that writes there removes: a file that is being written is locked.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import tempfile
from contextlib import suppress

from clave.errors import CannotWrite, UsageError

_PREFIX, _SUFFIX = ".clave-render-", ".tmp"
_UNFINISHED = re.compile(re.escape(_PREFIX) + r"[a-z0-9_]{8}" + re.escape(_SUFFIX))  # as tempfile names them


def check(path: str) -> None:
    """Raise UsageError for a place where `replace` would not write: nothing need be looked up for it."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        mode = None
    if mode is not None and stat.S_ISLNK(mode):
        raise UsageError(f"{path} is a link", "Name the file that it leads to.")
    if mode is not None and not stat.S_ISREG(mode):
        raise UsageError(f"{path} is not a file", "Name another one.")
    if not os.path.isdir(_folder(path)):
        raise UsageError(f"there is no folder {_folder(path)}", "Make it first.")


def replace(path: str, data: bytes) -> None:
    """Make `path` a file of these bytes, of mode 0600. Raises UsageError as `check`, and CannotWrite."""
    check(path)
    try:
        _sweep(_folder(path))
        descriptor, temporary = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=_folder(path))
        try:
            with open(descriptor, "wb") as file:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                file.write(data)
                file.flush()
                os.fsync(descriptor)
                os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}") from None


def read(path: str) -> bytes | None:
    """Return what a file holds, None where there is none. Raises UsageError as `check`."""
    check(path)
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def _sweep(folder: str) -> None:
    """Remove what processes that are gone left in a folder."""
    left: list[str] = []
    with suppress(OSError):  # not everybody who may write into a folder may list it
        left = [os.path.join(folder, name) for name in os.listdir(folder) if _UNFINISHED.fullmatch(name)]
    for path in left:
        with suppress(OSError), open(path, "rb", opener=_open_unfinished) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: it is being written
            os.unlink(path)


def _open_unfinished(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _folder(path: str) -> str:
    return os.path.dirname(path) or "."
