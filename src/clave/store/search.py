"""Searching a store: by name, by similar name, and in the decrypted text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from clave.errors import ClaveError, NotFound, UsageError
from clave.model.name import check_folder
from clave.openpgp import bulk
from clave.store import layout
from clave.store.listing import matcher, prune
from clave.store.posix_regex import translate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clave.store.layout import Node
    from clave.store.listing import Matcher
    from clave.store.store import Store

# How alike two names must be to be taken for a slip (difflib's ratio), and how many are proposed.
_ALIKE = 0.6
_PROPOSALS = 3
_SHORTEST_PIECE = 3  # characters of a name that are enough to propose the names that hold them


# By name


def find(store: Store, terms: Sequence[str]) -> list[str]:
    """Return the entries whose names hold a term, or lie in a folder whose name does; see `matcher`."""
    matches = matcher(terms)
    return [name for name in layout.entries(store.root) if any(_each_level(matches, name))]


def find_tree(store: Store, terms: Sequence[str]) -> list[Node]:
    """Return the tree of what matches, as `pass find` shows it: empty folders and files of no entry too."""
    return prune(layout.tree(store.root), matcher(terms))


def _each_level(matches: Matcher, name: str) -> Iterator[bool]:
    parts = name.split("/")
    return (matches(part, "/".join(parts[: at + 1])) for at, part in enumerate(parts))


def suggest(store: Store, name: str) -> list[str]:
    """Return up to three entries or folders that somebody who wrote `name` may have meant, the likeliest first.

    The last component decides (people forget in which folder it was), then the folder.
    """
    from difflib import get_close_matches

    folder, _, last = name.strip("/").lower().rpartition("/")
    by_last: dict[str, list[str]] = {}
    for known in _entries_and_folders(store.root):
        by_last.setdefault(known.rpartition("/")[2].lower(), []).append(known)
    close = get_close_matches(last, by_last, n=_PROPOSALS, cutoff=_ALIKE)
    if len(last) >= _SHORTEST_PIECE:
        close += sorted((known for known in by_last if last in known and known not in close), key=len)
    found: list[str] = []
    for known in close[:_PROPOSALS]:
        found += _nearest(by_last[known], folder)
    return found[:_PROPOSALS]


def _nearest(names: list[str], folder: str) -> list[str]:
    """Sort names by how much their folder is like the given one."""
    from difflib import SequenceMatcher

    likeness = SequenceMatcher(None, b=folder)  # keeps what it learned of b over many a

    def distance(name: str) -> float:
        likeness.set_seq1(name.rpartition("/")[0].lower())
        return -likeness.ratio()

    return sorted(names, key=distance)


def _entries_and_folders(root: str) -> list[str]:
    entries = layout.entries(root)
    folders: dict[str, None] = {}
    for name in entries:
        while name := name.rpartition("/")[0]:
            folders[name] = None
    return [*entries, *folders]


def missing(store: Store, name: str) -> NotFound:
    """Return the error for a name that is neither an entry nor a folder, in pass's words, with proposals."""
    close = [f"'{each}'" for each in suggest(store, name)]
    hint = None
    if close:
        hint = f"Did you mean {' or '.join([', '.join(close[:-1]), close[-1]] if close[:-1] else close)}?"
    return NotFound(f"{name} is not in the password store", hint)


# In the text


@dataclass(frozen=True)
class GrepOptions:
    """What to look for, and how (grep's options).

    `syntax` says what the patterns are; a pattern of several lines is one pattern a line. `most` stops after
    that many lines of an entry; `before` and `after` are lines of context; `as_text` shows what is not text.
    """

    patterns: tuple[str, ...]
    syntax: Literal["basic", "extended", "fixed", "perl"] = "basic"
    ignore_case: bool = False
    invert: bool = False
    whole_words: bool = False
    whole_lines: bool = False
    as_text: bool = False
    most: int | None = None
    before: int = 0
    after: int = 0


@dataclass(frozen=True)
class Line:
    """A line of an entry: its number from 1, whether it is a match or context, and where the matches are."""

    number: int
    text: str
    selected: bool
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Searched:
    """An entry that was searched: the number of matching lines, and them with their context.

    A `binary` entry (not UTF-8, or with a NUL) has no lines. With `error` nothing could be searched.
    """

    name: str
    count: int = 0
    lines: tuple[Line, ...] = ()
    binary: bool = False
    error: ClaveError | None = None


def grep(store: Store, options: GrepOptions, where: str = "") -> Iterator[Searched]:
    """Search the entries below a folder (or one entry), in the order of the tree; yield every one of them.

    Entries that cannot be read come with their error; those with a damaged file come last. Raises UsageError
    (a pattern that is none), NotFound, and KeyLocked: no further entry is tried then.
    """
    expression = compile_patterns(options)
    names = _below(store, where)
    damaged: list[Searched] = []
    read = layout.reader(store.root)

    def ciphertexts() -> Iterator[tuple[str, bytes]]:
        for name in names:
            try:
                yield name, read(name)
            except ClaveError as error:
                damaged.append(Searched(name, error=error))

    for name, plaintext in bulk.decrypt_many(ciphertexts(), options=store.options):
        if isinstance(plaintext, ClaveError):
            yield Searched(name, error=plaintext)
        else:
            yield _search(name, plaintext, expression, options)
    yield from damaged


def count_entries(store: Store, where: str = "") -> int:
    """Return how many entries `grep` will search."""
    return len(_below(store, where))


def _below(store: Store, where: str) -> list[str]:
    where = check_folder(where)
    if layout.is_folder(store.root, where):
        return layout.entries(store.root, where)
    if layout.is_entry(store.root, where):
        return [where]
    raise missing(store, where)


def compile_patterns(options: GrepOptions) -> re.Pattern[str]:
    """Return one regular expression for all patterns. Raises UsageError for a pattern that is none."""
    lines = [line for pattern in options.patterns for line in pattern.split("\n")]
    if options.syntax == "fixed":
        expression = "|".join(re.escape(line) for line in lines)
    elif options.syntax == "perl":
        expression = "|".join(f"(?:{pattern})" for pattern in options.patterns)
    else:
        expression = translate(lines, extended=options.syntax == "extended")
    if options.whole_lines:
        expression = rf"\A(?:{expression})\Z"
    elif options.whole_words:
        expression = rf"(?<!\w)(?:{expression})(?!\w)"
    try:
        return re.compile(expression, re.IGNORECASE if options.ignore_case else 0)
    except (re.error, OverflowError) as error:
        reason = getattr(error, "msg", "a number is too large")
        raise UsageError(
            f"the pattern is not a regular expression: {reason}", "With -F it is taken as plain text."
        ) from None


def _search(name: str, plaintext: bytes, expression: re.Pattern[str], options: GrepOptions) -> Searched:
    text = plaintext.decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    matching = [at for at, line in enumerate(lines) if bool(expression.search(line)) != options.invert]
    matching = matching[: options.most]
    if not options.as_text and ("\0" in text or not _is_utf8(text)):
        return Searched(name, len(matching), binary=True)
    selected = frozenset(matching)
    shown = sorted(
        {
            near
            for at in matching
            for near in range(max(0, at - options.before), min(len(lines), at + options.after + 1))
        }
    )
    return Searched(
        name,
        len(matching),
        tuple(
            Line(at + 1, lines[at], at in selected, _spans(expression, lines[at]) if at in selected else ())
            for at in shown
        ),
    )


def _is_utf8(text: str) -> bool:
    """Tell whether text that was decoded with surrogateescape had no escapes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _spans(expression: re.Pattern[str], line: str) -> tuple[tuple[int, int], ...]:
    return tuple(found.span() for found in expression.finditer(line) if found.end() > found.start())
