r"""Quoting for bash and zsh: `$'…'`, of ASCII alone, on one line, without anything that a shell splits or expands.

So the result is the same whether it is `eval "$(…)"` or, by mistake, `eval $(…)`, and no byte of a value reaches a
terminal as it is. `shlex.quote` is no help: zsh takes `=ls` for the path of ls.
"""

from __future__ import annotations

import re

from clave.delivery.formats import Variables, allow_name, without_nul

# Characters that mean themselves wherever they stand in a value; not `~`, `=` or `#`.
_PLAIN = re.compile(rb"[A-Za-z0-9_./:@%,+-]*")
_SPECIAL = re.compile(rb"[^A-Za-z0-9_./:@%,+-]")
_ESCAPES = {b"\n": rb"\n", b"\t": rb"\t", b"\r": rb"\r", b"\x1b": rb"\e", b"\\": rb"\\", b"'": rb"\'", b'"': rb"\""}


def exports(variables: Variables, special: frozenset[str], shell: str) -> bytes:
    """Return a line `export NAME=…;` for each. Raises Refused, for the names of the shell's own too."""
    lines = []
    for name, value in variables:
        allow_name(name, special, shell)
        lines.append(b"export %s=%s;\n" % (name.encode(), quote(without_nul(name, value))))
    return b"".join(lines)


def quote(value: bytes) -> bytes:
    """Return a value as bash and zsh read it."""
    if value and _PLAIN.fullmatch(value):
        return value
    return b"$'%s'" % _SPECIAL.sub(lambda found: _ESCAPES.get(found[0]) or b"\\x%02x" % found[0][0], value)
