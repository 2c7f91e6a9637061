r"""For fish: `clave env --format fish | source`.

Nothing but letters, digits and a few harmless signs stands as it is: all else is an escape, so that a value is one
word on one line, and the result survives `eval (…)` too. A byte that is not UTF-8 is `\XHH`.
"""

from __future__ import annotations

import re

from clave.delivery.formats import Variables, allow_name, without_nul

# Read-only, or another value when they are read, by fish's documentation (Special variables) and `set --names`.
_OWN = (
    "_ CMD_DURATION COLUMNS EUID FISH_VERSION IFS LINES PWD SHLVL argv fish_history fish_killring fish_kill_signal"
    " fish_pid fish_private_mode history hostname pipestatus status status_generation umask version"
)
SPECIAL = frozenset(_OWN.split())

_ESCAPED = re.compile(r"[^A-Za-z0-9_./:@%,+-]")


def write(variables: Variables) -> bytes:
    """Return commands that export the variables. Raises Refused."""
    lines = []
    for name, value in variables:
        allow_name(name, SPECIAL, "fish")
        lines.append(f"set -gx {name} {quote(without_nul(name, value))};\n")
    return "".join(lines).encode()


def quote(value: bytes) -> str:
    """Return a value as one word for fish."""
    return _ESCAPED.sub(lambda found: _escape(found[0]), value.decode("utf-8", "surrogateescape")) or "''"


def _escape(c: str) -> str:
    if c.isascii():
        return f"\\x{ord(c):02x}"
    if c.isprintable() and not "\ue000" <= c <= "\uf8ff":
        return c
    return "".join(f"\\X{byte:02x}" for byte in c.encode("utf-8", "surrogateescape"))
