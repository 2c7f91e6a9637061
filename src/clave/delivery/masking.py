"""Stars in place of secrets, in what a program prints.

Hidden is every byte of every occurrence of

- a value, with and without the blanks around it, and each line of it;
- its base64, ordinary and URL-safe, also where it stands in the middle of something longer, or in lines of 64 or 76;
- its forms in URLs and in JSON.

What is shorter than six bytes is not: it would be found everywhere, and tell what it hides. A run of hidden bytes
becomes one `********`, however long it is. A value longer than `_PIECE` is looked for piece by piece.

This is a guard against accidents, not a wall: a program can print a secret in endless other ways (backwards, in hex,
with a colour in the middle), and on other channels than its output.

Output is handed on at once, but for an end that may be the beginning of a secret. When nothing follows, the first
half of the shortest secret (three bytes) is shown after all, so that what is typed is seen; what makes it a secret
after that is still hidden. The work grows with the output alone, not with the number or length of secrets.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_right
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STARS = b"********"
SHORTEST = 6

_PIECE = 64
_LARGE = 1 << 16  # bytes of a value above which it is hidden as it is, and its lines, but not its other forms
_SHOWN = SHORTEST // 2
_STEP = SHORTEST - 3

# What encoders leave as it is, besides letters, digits and `_.-~`: Python, the same for paths, encodeURIComponent,
# encodeURI.
_URL_SAFE = ("", "/", "!'()*", "!'()*;/?:@&=+$,#")


class Masker:
    """Puts stars in place of secrets in one stream of output, which comes in chunks."""

    def __init__(self, values: Sequence[bytes]) -> None:
        self.too_short = sum(0 < len(value.strip()) < SHORTEST for value in values)
        patterns = {piece for value in values for form in forms(value) for piece in _pieces(form)}
        self._sorted = sorted(patterns)
        self._heads = {pattern[:length] for pattern in patterns for length in (1, 2)}
        self._longest = max(map(len, patterns), default=0)
        self._by_key: dict[bytes, dict[int, set[bytes]]] = {}  # first bytes → length, the longest first → patterns
        for pattern in sorted(patterns, key=len, reverse=True):
            self._by_key.setdefault(pattern[:SHORTEST], {}).setdefault(len(pattern), set()).add(pattern)
        # Every third place is looked at: a secret holds there one of these, at its start or up to two bytes behind it.
        self._signs = {key[at : at + 4] for key in self._by_key for at in range(_STEP)}
        self._held = b""  # what may be the beginning of a secret
        self._hidden = 0  # so many bytes of it, from its start, belong to a secret already
        self._shown = 0  # so many bytes of it were shown all the same
        self._may_show = 0  # so many bytes of it may be
        self._in_stars = False  # whether the last thing put out was a run of hidden bytes, which may go on

    @property
    def holds(self) -> bool:
        """Tell whether there is something that `pause` would show."""
        return self._shown < self._may_show

    def feed(self, chunk: bytes) -> bytes:
        """Take more of the stream and return what can be shown."""
        data = self._held + chunk
        return self._show(data, self._end(data))

    def pause(self) -> bytes:
        """Return what may be shown of what is held back, because nothing follows for now."""
        if not self.holds:
            return b""
        start, self._shown = self._shown, self._may_show
        self._in_stars = False
        return self._held[start : self._shown]

    def end(self) -> bytes:
        """Return the rest: the stream has ended."""
        return self._show(self._held, len(self._held))

    def _show(self, data: bytes, end: int) -> bytes:
        """Return what is to be shown of `data` up to `end`, and hold back the rest."""
        out = []
        at = self._shown
        runs = [*self._runs(data)]
        self._hidden, self._may_show = 0, _SHOWN
        for start, stop in runs:
            if start > end:
                self._may_show = min(self._may_show, start - end)
                break
            if at < start:
                out.append(data[at:start])
                self._in_stars = False
            if not self._in_stars:
                out.append(STARS)
                self._in_stars = True
            at = max(at, min(stop, end))
            if stop > end:
                self._hidden, self._may_show = stop - end, 0
        if at < end:
            out.append(data[at:end])
            self._in_stars = False
        self._held = data[end:]
        self._shown = max(0, at - end)
        self._may_show = min(self._may_show, len(self._held))
        return b"".join(out)

    def _runs(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Find what is to be hidden in `data`: start and end of each run, in order."""
        start, stop = 0, self._hidden
        for at, length in self._occurrences(data):
            if at > stop:
                if start < stop:
                    yield start, stop
                start = at
            stop = max(stop, at + length)
        if start < stop:
            yield start, stop

    def _occurrences(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Find the secrets in `data`: place and length of the longest at each place, in order."""
        signs = self._signs
        for sign in [at for at in range(0, len(data), _STEP) if data[at : at + 4] in signs]:
            for at in range(max(0, sign - _STEP + 1), sign + 1):
                for length, patterns in self._by_key.get(data[at : at + SHORTEST], {}).items():
                    if data[at : at + length] in patterns:
                        yield at, length
                        break

    def _end(self, data: bytes) -> int:
        """Return where in `data` something begins that may become a secret; its length if nothing does."""
        for at in range(max(0, len(data) - self._longest + 1), len(data)):
            tail = data[at:]
            if tail[:2] in self._heads:
                later = bisect_right(self._sorted, tail)
                if later < len(self._sorted) and self._sorted[later].startswith(tail):
                    return at
        return len(data)


def forms(value: bytes) -> Iterator[bytes]:
    """Yield what a value may look like in output; nothing shorter than SHORTEST."""
    lines = [line.strip() for line in value.split(b"\n")]
    found = {value, value.strip(), *lines}
    if len(value) <= _LARGE:
        for line in lines:
            found.update(_json(line))
        for whole in (value, value.strip()):
            found.update((*_base64(whole), *_url(whole), *_json(whole)))
    return (form for form in found if len(form) >= SHORTEST and len(form.strip()) >= SHORTEST)


def _base64(value: bytes) -> Iterator[bytes]:
    whole = base64.b64encode(value)
    inner = [whole, whole.rstrip(b"=")]
    for before in range(3):
        # The characters that hold bits of the value alone, where so many bytes stand before it.
        text = base64.b64encode(bytes(before) + value)
        inner.append(text[-(-before * 8 // 6) : (before + len(value)) * 8 // 6])
    for width in (64, 76):
        inner += [whole[at : at + width] for at in range(0, len(whole), width)]
    for text in inner:
        yield text
        yield text.translate(bytes.maketrans(b"+/", b"-_"))


def _url(value: bytes) -> Iterator[bytes]:
    for safe in _URL_SAFE:
        for text in (quote(value, safe=safe), quote_plus(value, safe=safe)):
            yield text.encode()
            yield re.sub("%..", lambda found: found[0].lower(), text).encode()


def _json(value: bytes) -> Iterator[bytes]:
    text = value.decode("utf-8", "surrogateescape")
    for ascii_only in (True, False):
        escaped = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        for more in (str, lambda text: text.replace("/", "\\/"), _for_html):  # as PHP does, as Go does
            escaped_more = more(escaped)
            yield escaped_more.encode("utf-8", "surrogateescape")
            yield re.sub(r"\\u....", lambda found: found[0][:2] + found[0][2:].upper(), escaped_more).encode(
                "utf-8", "surrogateescape"
            )


def _for_html(text: str) -> str:
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _pieces(form: bytes) -> Iterable[bytes]:
    """Cut what is long into pieces, none of them short."""
    count = -(-len(form) // _PIECE)
    return [form[len(form) * at // count : len(form) * (at + 1) // count] for at in range(count)]
