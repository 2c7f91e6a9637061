"""For `docker run --env-file`: lines NAME=VALUE, read as they are; no quotes, no escapes.

Compose's `env_file` is another language, with quotes and `$NAME`, and so is its `.env`.
"""

from __future__ import annotations

from clave.delivery.formats import Refused, Variables, text, without_nul

_LINE = (1 << 16) - 1  # bytes that docker's scanner takes for a line, without its newline


def write(variables: Variables) -> bytes:
    """Return the file. Raises Refused."""
    return "".join(_line(name, text(name, without_nul(name, value), "docker")) for name, value in variables).encode()


def _line(name: str, value: str) -> str:
    if "\n" in value:
        raise Refused(name, "the value has a newline, and docker's file no way to write one", "Use clave exec.")
    if value.endswith("\r"):
        raise Refused(name, "docker drops a carriage return at the end of a line", "Use clave exec.")
    line = f"{name}={value}"
    if len(line.encode()) > _LINE:
        raise Refused(name, f"docker reads no line of more than {_LINE} bytes", "Mount it as a file.")
    return line + "\n"
