"""For readers of `.env` files: python-dotenv, npm's dotenv and Node.js itself, which all must read the same.

`clave.model.dotenv` says what they differ in.
"""

from __future__ import annotations

from clave.delivery.formats import Refused, Variables, text, without_nul
from clave.model import dotenv


def write(variables: Variables) -> bytes:
    """Return the file. Raises Refused."""
    lines = [f"{name}={_quoted(name, text(name, without_nul(name, value), 'dotenv'))}\n" for name, value in variables]
    return "".join(lines).encode()


def _quoted(name: str, value: str) -> str:
    try:
        return dotenv.quoted(value)
    except dotenv.Unwritable as why:
        raise Refused(name, str(why), "Use clave exec.") from None
