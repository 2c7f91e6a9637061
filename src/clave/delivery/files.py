"""Secrets as files, in a folder of RAM that is gone when the program that reads them has ended.

A file is of mode 0400 in a folder of 0700 (`ram.py`: new names, nothing is followed, swept by the next command after a
`kill -9`). The program gets the path in the variable. A value that changes takes the place of the old one at once.
Where there is no tmpfs (macOS) a folder on a disk has to be allowed: what is deleted there may still be read later.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from clave import places, ram
from clave.errors import CannotWrite, UsageError

if TYPE_CHECKING:
    from typing import Self


class Folder:
    """A folder of secrets as files, removed at the end of its `with` statement. Made by `make`."""

    def __init__(self, place: ram.Place) -> None:
        self._place = place

    @classmethod
    def make(cls, *, allow_disk: bool = False) -> Self:
        """Make an empty folder. Raises UsageError where there is no RAM for it and no disk is allowed; CannotWrite."""
        hint = "Give the secret in a variable, or allow a temporary file on a disk."
        return cls(ram.make(places.EXEC, hint=hint, allow_disk=allow_disk))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def path(self) -> str:
        """The folder."""
        return self._place.path

    def put(self, name: str, value: bytes) -> str:
        """Write a value to the file of this name, in place of what it holds, and return its path.

        Raises UsageError for what is no name of a file, CannotWrite.
        """
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise UsageError(f"'{name}' cannot be the name of a file", "Use letters, digits and '_'.")
        new = f".{name}.new"  # no variable is called so
        try:
            self._write(new, value)
            os.rename(new, name, src_dir_fd=self._place.descriptor, dst_dir_fd=self._place.descriptor)
        except OSError as error:
            with suppress(OSError):
                os.unlink(new, dir_fd=self._place.descriptor)
            raise CannotWrite(
                f"the file of {name} could not be written: {error.strerror}", "Free some memory."
            ) from None
        return os.path.join(self.path, name)

    def _write(self, name: str, value: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with open(os.open(name, flags, 0o400, dir_fd=self._place.descriptor), "wb") as file:
            file.write(value)

    def remove(self) -> None:
        """Remove the files and the folder."""
        self._place.remove()


def sweep() -> None:
    """Remove the folders whose clave is gone. Every command does so at its start."""
    ram.sweep()
