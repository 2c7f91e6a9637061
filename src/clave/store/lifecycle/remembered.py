"""What was found out about a history, in files of the user's cache: made again where one is damaged, or not there."""

from __future__ import annotations

import marshal
from contextlib import suppress
from typing import Any

from clave.config import write_private
from clave.errors import CannotWrite


def read(file: str, version: int, size: int) -> tuple[Any, ...]:
    """Return the `size` values that `keep` has kept for this version of their form, () for anything else."""
    with suppress(OSError, ValueError, EOFError, TypeError):
        with open(file, "rb") as stream:
            found, *content = marshal.loads(stream.read())  # noqa: S302 - the user's own file
        if found == version and len(content) == size:
            return tuple(content)
    return ()


def keep(file: str, version: int, *content: Any) -> None:
    """Keep plain values; where that cannot be, they are found out again."""
    with suppress(CannotWrite):
        write_private(file, marshal.dumps((version, *content)))
