"""Reading a small text file that came from other people, a manifest or a template."""

from __future__ import annotations

import os
import stat

from clave.errors import NotFound, UsageError


def read(path: str, limit: int, what: str, *, make: str | None = None) -> bytes:
    """Return what a file holds, at most `limit` bytes; errors call it `what`, and say how to `make` one.

    Raises NotFound, and UsageError for what is no file (a pipe would have no end) or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UsageError(f"{path} is not a file", f"A {what} is a small text file.")
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(limit + 1)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"there is no {what} {path}", make) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > limit:
        raise UsageError(f"{path} is larger than {limit >> 10} KiB", f"A {what} is a small text file.")
    return data
