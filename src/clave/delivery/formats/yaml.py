r"""YAML: one mapping of names and strings, in ASCII, the same to readers of YAML 1.1 and 1.2.

Names are quoted too: NO and ON are no strings to a reader of 1.1. A character above U+FFFF is `\U…`: unlike JSON's,
YAML's readers do not put two halves of one together.
"""

from __future__ import annotations

import re

from clave.delivery.formats import Variables, text

_SPECIAL = re.compile(r"[^ !#-\[\]-~]")


def write(variables: Variables) -> bytes:
    """Return the document. Raises Refused."""
    lines = [f"{quote(name)}: {quote(text(name, value, 'YAML'))}\n" for name, value in variables]
    return "".join(lines or ["{}\n"]).encode()


def quote(value: str) -> str:
    """Return a string in double quotes."""
    return f'"{_SPECIAL.sub(lambda found: _escape(found[0]), value)}"'


def _escape(c: str) -> str:
    if c in '"\\':
        return "\\" + c
    point = ord(c)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
