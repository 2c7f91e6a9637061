r"""For every POSIX shell: `eval "$(clave env)"`; without the quotes around `$(…)` the shell splits the values.

Single quotes, in which nothing means anything; a quote is written `'\''`.
"""

from __future__ import annotations

from clave.delivery.formats import Variables, allow_name, bash, without_nul, zsh

SPECIAL = bash.SPECIAL | zsh.SPECIAL  # sh is one of them in some places, and their users leave out --format
_HINT = "Give yours another, or say which shell: --format bash."


def write(variables: Variables) -> bytes:
    """Return commands that export the variables. Raises Refused."""
    lines = []
    for name, value in variables:
        allow_name(name, SPECIAL, "a shell", _HINT)
        lines.append(b"export %s=%s\n" % (name.encode(), quote(without_nul(name, value))))
    return b"".join(lines)


def quote(value: bytes) -> bytes:
    """Return a value as one word for sh."""
    return b"'%s'" % value.replace(b"'", rb"'\''")
