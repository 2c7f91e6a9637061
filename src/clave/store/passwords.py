"""Making passwords: of characters, as pass does with `tr`, or of words of the EFF's long list.

Every character and every word is chosen alike and apart from all others (`secrets`), so the entropy is the
number of them times the logarithm of how many there are to choose from; it is what `bits` says.
"""

from __future__ import annotations

import math
import re
import secrets
import string
from functools import cache
from typing import NamedTuple

from clave.errors import UsageError

# The classes of tr(1) in the C locale, which pass uses for PASSWORD_STORE_CHARACTER_SET.
_CLASSES = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "digit": string.digits,
    "graph": string.ascii_letters + string.digits + string.punctuation,
    "lower": string.ascii_lowercase,
    "print": string.ascii_letters + string.digits + string.punctuation + " ",
    "punct": string.punctuation,
    "upper": string.ascii_uppercase,
    "xdigit": string.digits + "ABCDEFabcdef",
}
_PIECE = re.compile(r"\[:(?P<class>[a-z]+):\]|(?P<from>\\?.)-(?P<to>\\?.)|(?P<one>\\?.)", re.DOTALL)
# Characters that are taken for each other when a password is read aloud or typed from paper.
SIMILAR = frozenset("0O1lI|5S8B2Z")

MAX_LENGTH = 1 << 16


class Generated(NamedTuple):
    """A new password and its entropy in bits."""

    text: str
    bits: float


def parse_length(text: str) -> int:
    """Return the length that a user typed. Raises UsageError with pass's words."""
    if not (text.isascii() and text.isdecimal()):
        raise UsageError(f'pass-length "{text}" must be a number')
    if len(text) > len(str(MAX_LENGTH)) or int(text) > MAX_LENGTH:
        raise UsageError(f"pass-length {text[:12]} is too large", f"At most {MAX_LENGTH}.")
    if int(text) == 0:
        raise UsageError("pass-length must be greater than zero")
    return int(text)


def characters(length: int, charset: str, *, exclude_similar: bool = False) -> Generated:
    """Return `length` characters of a set that is written as for tr: `a-z`, `[:alnum:]`, single characters.

    Raises UsageError for a set of fewer than two characters.
    """
    choice = expand(charset)
    if exclude_similar:
        choice = [c for c in choice if c not in SIMILAR]
    if len(choice) < 2:
        raise UsageError(f"the character set '{charset}' has no two characters to choose from")
    text = "".join(secrets.choice(choice) for _ in range(length))
    return Generated(text, length * math.log2(len(choice)))


def words(count: int, *, separator: str = "-") -> Generated:
    """Return `count` words of the EFF's long list (7,776 words, 12.9 bits each)."""
    if not 1 <= count <= 1000:
        raise UsageError(f"{count} words are not between 1 and 1000")
    choice = eff_words()
    text = separator.join(secrets.choice(choice) for _ in range(count))
    return Generated(text, count * math.log2(len(choice)))


def expand(charset: str) -> list[str]:
    """Return the characters of a tr set, each once. Raises UsageError for one that tr would refuse."""
    found: dict[str, None] = {}
    for piece in _PIECE.finditer(charset):
        if piece["class"] is not None:
            if piece["class"] not in _CLASSES:
                raise UsageError(f"there is no character class [:{piece['class']}:]", "Such as [:alnum:], [:punct:].")
            found.update(dict.fromkeys(_CLASSES[piece["class"]]))
        elif piece["from"] is not None:
            first, last = ord(piece["from"][-1]), ord(piece["to"][-1])
            if first > last:
                raise UsageError(f"the range '{piece[0]}' is the wrong way round")
            found.update(dict.fromkeys(map(chr, range(first, last + 1))))
        else:
            found[piece["one"][-1]] = None
    if any(not c.isprintable() for c in found):
        raise UsageError("a password holds only characters that can be typed")
    return list(found)


@cache
def eff_words() -> tuple[str, ...]:
    """Return the words of the EFF's long list, sorted."""
    from importlib.resources import files

    text = files("xkcdpass").joinpath("static", "eff-long").read_text(encoding="utf-8")
    return tuple(sorted(set(text.split())))
