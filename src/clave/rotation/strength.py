"""How strong a password is at least that somebody typed: a careful estimate, without knowing how it was made.

The cheapest way to put the password together counts. A word of a list costs as much as a choice from that list; what
may be a word (four to eight letters, a vowel among them) as much as a choice from a large dictionary; a character that
repeats or continues the one before (`aaa`, `123`, `cba`) one bit, as does a separator that came before; a year eight;
and any other character a choice from the kinds of characters that the password has. What a list of leaked passwords
knows, this does not.
"""

from __future__ import annotations

import math
import string

_KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation + " ")
_OTHER = 100  # characters that somebody may choose from who types one of no kind above
_LONGEST = 1000  # characters that are looked at; what comes behind them makes no password weaker
_WORD = 3, 12  # characters of a word
_MAYBE = 4, 8  # letters of what may be a word
_DICTIONARY = 17.0  # bits: a choice from 130,000 words
_CAPITAL = 1.0  # bits for a word that is written another way than in the list
_LEET = str.maketrans("013457$@", "oieastsa")
# What keyboards and people offer first, and is in no list of words.
_COMMON = frozenset(("qwerty", "qwertz", "asdf", "asdfgh", "password", "passwort", "admin", "letmein", "welcome"))


def estimate(password: bytes, words: frozenset[str]) -> float:
    """Return the bits of a password; `words` are in lower case."""
    text = password.decode("utf-8", "surrogateescape")[:_LONGEST]
    pool = sum(len(kind) for kind in _KINDS if any(c in kind for c in text))
    pool += _OTHER if any(all(c not in kind for kind in _KINDS) for c in text) else 0
    single = math.log2(max(pool, 2))
    per_word = math.log2(max(len(words), 2))
    best = [0.0]
    for end in range(1, len(text) + 1):
        costs = [best[end - 1] + (1.0 if _continues(text, end - 1) else single)]
        for length in range(_WORD[0], min(_WORD[1], end) + 1):
            cost = _word(text[end - length : end], words, per_word)
            if cost is not None:
                costs.append(best[end - length] + cost)
        best.append(min(costs))
    return best[-1]


def _continues(text: str, at: int) -> bool:
    """Tell whether a character is what one expects: that before it, its neighbour, a separator that came before."""
    if at == 0:
        return False
    c, before = text[at], text[:at]
    return abs(ord(c) - ord(before[-1])) <= 1 or (c in _KINDS[-1] and c in before)


def _word(part: str, words: frozenset[str], per_word: float) -> float | None:
    if len(part) == 4 and part.isdecimal() and part[:2] in ("19", "20"):
        return 8.0
    known = part.lower()
    if known not in words and known not in _COMMON:
        known = known.translate(_LEET)
    if known in words or known in _COMMON:
        cost = 3.0 if known in _COMMON else per_word
    elif _MAYBE[0] <= len(part) <= _MAYBE[1] and _may_be_word(part):
        known, cost = part.lower(), _DICTIONARY
    else:
        return None
    return cost + (0.0 if known == part else _CAPITAL)


def _may_be_word(part: str) -> bool:
    """Tell whether letters look like a word: in lower case but for the first, and with a vowel."""
    return part.isascii() and part.isalpha() and part[1:].islower() and not set("aeiouyAEIOUY").isdisjoint(part)
