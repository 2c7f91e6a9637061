"""For readers of `.env` files: python-dotenv, npm's dotenv and Node.js itself, which all must read the same.

Tried in this order: single quotes, none, double quotes. In each they differ in something (`clave.delivery.dotenv`
says what), and a few values can be written in none.
"""

from __future__ import annotations

import re

from clave.delivery.dotenv import DOUBLE_ESCAPE, INTERPOLATED, SINGLE_ESCAPE
from clave.delivery.formats import Refused, Variables, text, without_nul

# Without quotes: one line of ASCII, no `#`, no quote first, no space at an end.
_BARE = re.compile(r"(?!['\"`])[!-\"$-~]+( +[!-\"$-~]+)*")
_ESCAPED = re.compile(r"\\[nr]")


def write(variables: Variables) -> bytes:
    """Return the file. Raises Refused."""
    lines = [f"{name}={_quoted(name, text(name, without_nul(name, value), 'dotenv'))}\n" for name, value in variables]
    return "".join(lines).encode()


def _quoted(name: str, value: str) -> str:
    if INTERPOLATED.search(value):
        raise Refused(name, "python-dotenv replaces ${…}, in whatever quotes", "Use clave exec.")
    if "\r" in value:
        raise Refused(name, "a carriage return is read differently by different readers", "Use clave exec.")
    if "'" not in value and not SINGLE_ESCAPE.search(value):
        return f"'{value}'"
    if _BARE.fullmatch(value):
        return value
    if '"' not in value and not DOUBLE_ESCAPE.search(value) and not _ESCAPED.search(value):
        return f'"{value}"'
    raise Refused(name, "its quotes and backslashes are read differently by different readers", "Use clave exec.")
