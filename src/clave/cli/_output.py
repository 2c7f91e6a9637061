"""What goes where.

Values go to stdout, everything else (questions, notes, warnings, progress) to stderr. Colour and tables
only on a terminal, and never with NO_COLOR. `--json` prints one document, `{"version": 1, …}`, on stdout.
Names, authors and messages of other people pass through `printable` before a human sees them; a secret
value is written byte for byte and only where it was asked for.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

# SGR codes (ECMA-48), by what they are for; `tree` as pass calls it uses the first two.
STYLES = {
    "folder": "01;34",
    "link": "01;36",
    "bold": "1",
    "good": "32",
    "warning": "33",
    "bad": "31",
    "heading": "94",
    "match": "01;31",
    "faint": "2",
}


def coloured(stream: TextIO) -> bool:
    """Tell whether `stream` is a terminal that wants colour (no-color.org, TERM=dumb)."""
    return redraws(stream) and not os.environ.get("NO_COLOR")


def redraws(stream: TextIO) -> bool:
    """Tell whether `stream` is a terminal on which a line can be drawn again."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str, stream: TextIO) -> str:
    """Return `text` in a style of STYLES where `stream` shows colour, else as it is."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if coloured(stream) else text


def value(data: bytes) -> None:
    """Write secret bytes to stdout exactly as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def line(text: str = "") -> None:
    """Write a line of a listing to stdout. Colour codes in it are the caller's own."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Tell the user something on stderr, made safe for a terminal, after what stands on stdout already."""
    sys.stdout.flush()
    sys.stderr.write(printable(text, keep="\n") + "\n")


def warn(text: str) -> None:
    """Warn the user on stderr, after what stands on stdout already."""
    sys.stdout.flush()
    label = paint("Warning:", "warning", sys.stderr)
    sys.stderr.write(f"{label} {printable(text, keep=chr(10))}\n")


def json(document: Mapping[str, object]) -> None:
    """Write one JSON document to stdout, with the version of its shape first; it too may land on a terminal."""
    import re
    from json import dumps

    text = dumps({"version": 1, **document}, ensure_ascii=False, indent=2)
    line(re.sub(r"[^\n -~]", lambda c: c[0] if printable(c[0]) == c[0] else f"\\u{ord(c[0]):04x}", text))
