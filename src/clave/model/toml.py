"""Reading TOML that people write, with the line of what is wrong in it. tomllib is loaded when a file is read."""

from __future__ import annotations

import re
from typing import Any

from clave.errors import UsageError

_AT = r" \(at (?:line (\d+),.*|end of document)\)$"
_MEND = "Correct it and try again."


def parse(file: str, data: bytes) -> dict[str, Any]:
    """Return the document that `data` is; `file` is what errors call it. Raises UsageError."""
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8 text", "Correct or remove it.") from None
    except RecursionError:
        raise UsageError(f"{file} is nested too deep", _MEND) from None
    except ValueError as broken:  # tomllib.TOMLDecodeError, and what a date or a number of many digits raises
        reason = str(broken)
        where = re.search(_AT, reason)
        line = f", line {where[1]}" if where and where[1] else ""
        reason = reason[: where.start()] if where else reason
        raise UsageError(f"{file}{line} is not TOML: {reason[:1].lower()}{reason[1:]}", _MEND) from None


def at(file: str, data: bytes, key: str) -> str:
    """Return the file and, if it is found, the line that sets a dotted key or begins its table."""
    table = ""
    for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
        header = re.match(r"\s*\[([^\[\]](?:[^#\"']|\"[^\"]*\"|'[^']*')*)\]", line)
        setting = re.match(r"\s*([^=#\[]+?)\s*=", line)
        if header:
            table = _plain(header[1]) + "."
        if (header and table.startswith(f"{key}.")) or (setting and key == table + _plain(setting[1])):
            return f"{file}, line {number}"
    return file


def _plain(dotted: str) -> str:
    """Return a key as TOML writes it (`a . "b"`) in its plain form (`a.b`)."""
    return ".".join(part.strip().strip("\"'") for part in dotted.split("."))
