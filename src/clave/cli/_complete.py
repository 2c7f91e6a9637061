"""`clave --complete SHELL KIND STORE WORD [ENTRY]`: what the completion scripts ask for.

KIND is what WORD, as far as it is typed, will be: an `entry`, a `value` (an entry or `NAME#FIELD`), a `folder`, a
`subfolder` (one of this store), a `field` of ENTRY, a `store`, a `key` to encrypt to, or a `member` or group of a team.
STORE is the argument of `-s` or empty. A candidate a line; what is said of it follows after a tab. The shell chooses
those that fit.

- Whatever is wrong, nothing is written, and nothing is asked: fields are read only where gpg-agent needs no
  passphrase and no PIN for it, so no pinentry comes up while somebody types.
- Nothing that is written holds a control character, so a candidate is a line, and a tab ends it.

Imported by the fast path: nothing heavy may be imported here, and nothing at all that only some kinds need.
"""

from __future__ import annotations

import os

from clave.places import locate, stores
from clave.store.completion import names, names_anywhere, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# gpg's options for reading an entry that nobody has asked to read: it fails where it would have to ask.
_UNASKED = ("--batch", "--no-tty", "--pinentry-mode", "error")
_LIMIT = 1 << 20  # bytes of an entry that has fields


def main(arguments: Sequence[str]) -> int:
    """Write the candidates and return the exit code: 1 where something is wrong."""
    try:
        shell, kind, store, word, *more = arguments
        lines = list(_candidates(shell, kind, _Stores(store or None), word, more[0] if more else ""))
        out = memoryview("".join(f"{line}\n" for line in lines).encode())
        while out:
            out = out[os.write(1, out) :]
    except (Exception, KeyboardInterrupt):  # noqa: BLE001 - a message would end up in the line that is being typed
        return 1
    return 0


class _Stores:
    """The store of the line that is being typed, and those that have a name."""

    def __init__(self, chosen: str | None) -> None:
        found = stores(os.environ)
        if found is None:
            found = _from_config()
        self.named = [(name.removeprefix("*"), path) for name, path in found]
        default = [path for name, path in found if name.startswith("*")]
        self.root = dict(self.named)[chosen] if chosen else locate(os.environ) or default[0]

    def split(self, word: str) -> list[tuple[str, str, str]]:
        """Return all that a word may mean: what stands before the name, the store's folder, the name."""
        prefix, colon, rest = word.partition(":")
        others = [(f"{name}:", path, rest) for name, path in self.named if colon and name == prefix]
        return [("", self.root, word), *others]


def _from_config() -> list[tuple[str, str]]:
    """Read the config file, and leave its stores for the next time."""
    from clave.config import load
    from clave.store.stores import known, remember

    settings = load()
    remember(settings)
    return [("*" * store.default + store.name, store.path) for store in known(settings)]


def _candidates(shell: str, kind: str, known: _Stores, word: str, entry: str) -> Iterable[str]:
    match kind:
        case "entry" | "value" | "folder":
            found = list(_names(known, word, folders_only=kind == "folder"))
            if kind == "value" and "#" in word:
                found += _values(known, word)
            return _fitting(found, word) or _others(shell, kind, known, found)
        case "subfolder":
            found = list(names(known.root, word, folders_only=True))
            return _fitting(found, word) or found
        case "field":
            return _fields(known, entry)
        case "store":
            return (f"{name}\t{path}" for name, path in known.named if shown(path))
        case "key":
            return _keys(word)
        case "member":
            return _members(known.root)
    raise ValueError(kind)


def _fitting(found: Sequence[str], word: str) -> list[str]:
    """Return what begins so; to hand ten thousand names to a shell of which it takes one is slow."""
    return [name for name in found if name.startswith(word)]


def _others(shell: str, kind: str, known: _Stores, found: list[str]) -> list[str]:
    """Return what a shell may still choose from: case or letters in between may not matter to it."""
    if shell == "fish" and kind != "folder":  # it takes also what has the word somewhere inside
        return [*found, *names_anywhere(known.root)]
    return found


def _names(known: _Stores, word: str, *, folders_only: bool) -> Iterator[str]:
    for prefix, root, name in known.split(word):
        yield from (prefix + each for each in names(root, name, folders_only=folders_only))
    if not any(c in word for c in "/:#"):
        yield from (f"{store}:" for store, path in known.named if path != known.root)


def _values(known: _Stores, word: str) -> Iterator[str]:
    entry = word.rpartition("#")[0]
    return (f"{entry}#{field}" for field in _fields(known, entry))


def _fields(known: _Stores, entry: str) -> list[str]:
    """Return what can be asked for of an entry; nothing if it would take a passphrase to know."""
    import resource

    from clave.model.secret import Secret, field_names
    from clave.openpgp.command import user_options
    from clave.openpgp.message import decrypt
    from clave.store.layout import is_entry, read_file

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    for _, root, name in known.split(entry):
        if name and is_entry(root, name):
            options = [*user_options(os.environ), *_UNASKED]
            plaintext = decrypt(read_file(root, name), name=name, options=options, limit=_LIMIT)
            return [field for field in field_names(Secret(plaintext)) if shown(field)]
    return []


def _members(root: str) -> Iterator[str]:
    """Yield who is in the newest roster, verified or not: nothing happens by that."""
    from clave.team.roster import MAX_FILE, parse

    folder = os.path.join(root, ".clave", "roster")
    newest = max(name for name in os.listdir(folder) if name.endswith(".toml"))
    with open(os.path.join(folder, newest), "rb") as file:
        roster = parse(file.read(MAX_FILE + 1))
    yield from (f"{member.name}\t{member.role}" for member in roster.members)
    yield from (f"@{group.name}\t{', '.join(group.members)}" for group in roster.groups)


def _keys(word: str) -> Iterator[str]:
    """Yield the addresses of the keys that can be encrypted to; the fingerprints once one has been begun."""
    from clave.openpgp.keys import public_keys

    for key in public_keys():
        if not (key.can_encrypt and key.usable):
            continue
        user_ids = [user_id for user_id in key.user_ids if shown(user_id)]
        if word and key.fingerprint.startswith(word.upper()):
            yield word + key.fingerprint[len(word) :] + "".join(f"\t{user_id}" for user_id in user_ids[:1])
        for user_id in user_ids:
            name, _, address = user_id.removesuffix(">").rpartition("<")
            if "@" in address and " " not in address:
                yield f"{address}\t{name.strip() or user_id}"
