"""Text from other people made safe to show.

Names, commit messages, authors and what a remote says are input. No control byte of theirs reaches
the terminal: it could rewrite the line above it, or the answer to a question.
"""

from __future__ import annotations

# Unicode's directional formatting characters (UAX #9) and line separators: they reorder or break a line.
_REORDERING = frozenset("\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str, *, keep: str = "") -> str:
    r"""Return `text` with control, reordering and undecodable characters written as escapes.

    `keep` lists characters that stay (for instance `"\n\t"` for a message of several lines).
    """
    if text.isprintable():
        # str.isprintable is false for every control, format (Cf) and surrogate character.
        return text
    return "".join(c if c in keep or _harmless(c) else _escape(c) for c in text)


def _harmless(c: str) -> bool:
    # Cf holds also the joiners of emoji and of Persian: those may be shown, the reordering ones not.
    return c.isprintable() or (ord(c) > 0x9F and c not in _REORDERING and not "\ud800" <= c <= "\udfff")


def _escape(c: str) -> str:
    point = ord(c)
    if 0xDC80 <= point <= 0xDCFF:  # a byte that was not UTF-8, as os.fsdecode keeps it
        return f"\\x{point - 0xDC00:02x}"
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"
