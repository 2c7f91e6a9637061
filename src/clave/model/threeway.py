"""Two changed versions of a secret merged into one, by what both began with: field by field.

Each part that one side alone changed is that side's. Both changed a part in the same way: that is it. In different
ways, or one changed what the other removed: they do not join, and nothing is guessed. The parts are line 1, the lines
of each field (several with one name are one part), the seeds of one-time codes, and the free text, which is joined
line by line. What is no text, or a key file, is one part. A part is never made of pieces that nobody wrote, and never
stands between the marks of a conflict.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, TypeVar

from clave.model.secret import Secret, is_whole, part_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Value = TypeVar("Value")

# A part's place in a text: "password", "otp", "text", or a field's name behind a colon.
PASSWORD, OTP, TEXT = "password", "otp", "text"

_MOST_LINES = 5000  # of free text: comparing takes the square of it


class Apart(Exception):
    """The two sides do not join."""


def merge(base: bytes | None, ours: bytes, theirs: bytes) -> bytes | None:
    """Return the secret that has the changes of both sides against `base` (None: both made it), None if none does."""
    if ours == theirs or base == ours:
        return theirs
    if base == theirs:
        return ours
    if base is None or any(map(is_whole, (base, ours, theirs))):
        return None
    try:
        return _joined(base, ours, theirs)
    except Apart:
        return None


def choose(base: Value | None, ours: Value | None, theirs: Value | None) -> Value | None:
    """Return which of two values holds, by the value before: the one that was changed. Raises Apart if both were."""
    if ours in (theirs, base):
        return theirs
    if theirs == base:
        return ours
    raise Apart


def parts(plaintext: bytes) -> dict[str, tuple[bytes, ...]]:
    """Return the lines of each part of a text, in the order of their first lines; a field is `:name` in lower case."""
    found: dict[str, list[bytes]] = {PASSWORD: [Secret(plaintext).password]}
    for line in Secret(plaintext).lines[1:]:
        found.setdefault(part_of(line), []).append(line)
    return {part: tuple(lines) for part, lines in found.items()}


def _joined(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    before, here, there = parts(base), parts(ours), parts(theirs)
    joined: dict[str, tuple[bytes, ...]] = {}
    for part in {**there, **here, **before}:
        versions = before.get(part), here.get(part), there.get(part)
        try:
            value = choose(*versions)
        except Apart:
            if part != TEXT:
                raise
            value = tuple(merge_lines(*(version or () for version in versions)))
        if value:
            joined[part] = value
    # The order is that of the side whose free text it is, which stands between the fields.
    return rewrite(ours if joined.get(TEXT) == here.get(TEXT) != there.get(TEXT) else theirs, joined)


def rewrite(text: bytes, wanted: Mapping[str, Sequence[bytes]]) -> bytes:
    """Return a text with other lines in its parts: each part stays where it is, a new one follows the last field."""
    lines = [*wanted[PASSWORD]]
    free = iter(_aligned([line for line in Secret(text).lines[1:] if part_of(line) == TEXT], wanted.get(TEXT, ())))
    lines += next(free)
    done = {PASSWORD, TEXT}
    end = len(lines)  # behind the last line that is of a field or a seed
    for line in Secret(text).lines[1:]:
        part = part_of(line)
        if part == TEXT:
            lines += next(free)
        elif part not in done:
            done.add(part)
            lines += wanted.get(part, ())
            end = len(lines)
    lines[end:end] = [line for part, new in wanted.items() if part not in done for line in new]
    return b"\n".join(lines) + (b"\n" if text.endswith(b"\n") else b"")


def _aligned(old: Sequence[bytes], new: Sequence[bytes]) -> list[list[bytes]]:
    """Return what comes before all old lines, and what takes the place of each: the new lines, in their order."""
    places: list[list[bytes]] = [[] for _ in range(len(old) + 1)]
    for _, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for offset, line in enumerate(new[j1:j2]):
            # Line for line, what is left over at the last line of its block; an insertion behind the line before it.
            places[min(i1 + offset + 1, i2)].append(line)
    return places


def merge_lines(base: Sequence[bytes], ours: Sequence[bytes], theirs: Sequence[bytes]) -> list[bytes]:
    """Return the lines with the changes of both sides. Raises Apart where these overlap or touch each other."""
    if max(map(len, (base, ours, theirs))) > _MOST_LINES:
        raise Apart
    hunks = sorted({*_hunks(base, ours), *_hunks(base, theirs)})  # what both did in the same way is there once
    joined: list[bytes] = []
    at = 0
    last = -1  # where the hunk before ended
    for start, end, new in hunks:
        if start <= last:
            raise Apart
        joined += [*base[at:start], *new]
        at = last = end
    return [*joined, *base[at:]]


def _hunks(base: Sequence[bytes], new: Sequence[bytes]) -> Iterable[tuple[int, int, tuple[bytes, ...]]]:
    matcher = SequenceMatcher(None, base, new, autojunk=False)
    return [(i1, i2, tuple(new[j1:j2])) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"]
