"""Words that people compare by voice: of a store's beginning, of a key, of where a store is now.

- Words are of the EFF's long list (`passwords.eff_words`), joined by dashes: one word of a shell.
- They are digits to the base of the list's length, of a sha256 over what they stand for. What kind of thing that is
  comes first, so that no key has the words of a store. Eight words are 103 bits: nobody finds another key with them.
- How they are typed does not matter: case, blanks and dashes count for nothing.
"""

from __future__ import annotations

from hashlib import sha256

from clave.store.passwords import eff_words

_MANY, _FEW = 8, 4


def of_genesis(genesis: str, roster_hash: str) -> str:
    """Return the words of a store: of its genesis commit and the hash of its first roster."""
    return _words("genesis", f"{genesis}:{roster_hash}".lower(), _MANY)


def of_key(fingerprint: str) -> str:
    """Return the words of a key."""
    return _words("key", fingerprint.upper(), _MANY)


def of_head(commit: str) -> str:
    """Return the words of a commit: two people who both verified it have the same store."""
    return _words("head", commit.lower(), _FEW)


def same(typed: str, words: str) -> bool:
    """Tell whether somebody typed these words."""
    return _plain(typed) == _plain(words)


def _words(kind: str, text: str, count: int) -> str:
    choice = eff_words()
    number = int.from_bytes(sha256(f"clave {kind}\0{text}".encode()).digest())
    words = []
    for _ in range(count):
        number, at = divmod(number, len(choice))
        words.append(choice[at])
    return "-".join(words)


def _plain(text: str) -> str:
    return "".join(text.replace("-", " ").split()).casefold()
