"""Reading `.env` files; what stands in one, `clave.model.dotenv` knows."""

from __future__ import annotations

from clave.delivery import reading
from clave.model.dotenv import Assignment, parse

_LIMIT = 1 << 20  # bytes of a file


def read(path: str) -> list[Assignment]:
    """Read a file. Raises NotFound, and UsageError with the line."""
    return parse(reading.read(path, _LIMIT, "file of variables"), path)
