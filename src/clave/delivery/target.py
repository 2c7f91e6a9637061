"""Writing a file with secrets for another program: at once, for its owner alone, and where the user says.

A link at that place is not followed: whoever can make one there would say where the secrets go. A file that is there
keeps what it holds until the new one is complete; it does not keep its mode.
"""

from __future__ import annotations

import os
import stat
import tempfile

from clave.errors import CannotWrite, UsageError


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
        descriptor, temporary = tempfile.mkstemp(prefix=".clave-", dir=_folder(path))
        try:
            with open(descriptor, "wb") as file:
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


def _folder(path: str) -> str:
    return os.path.dirname(path) or "."
