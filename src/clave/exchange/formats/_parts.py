"""What the formats of other managers share: what a writer did not carry, seeds of one-time codes, times, folders."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from clave.exchange.item import Lost

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from clave.exchange.item import Field, Item, Past

NO_PLACE = "the format has no place for it"
OTHERWISE = "the format holds it in another form"
ARCHIVED = "it is in the archive"
DELETED = "it is deleted"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BASE32 = re.compile(r"[A-Za-z2-7]{8,}=*")
_ONE = {
    "title": "title",
    "folder": "folder",
    "password": "password",
    "user": "user",
    "notes": "notes",
    "created": "date of creation",
    "modified": "date of the last change",
    "expires": "date of expiry",
    "plain": "text as it stands",
}
_SEVERAL = {"urls": "address", "otp": "seed of one-time codes", "tags": "tag"}


def told(item: Item, back: Item) -> list[Lost]:
    """Return what of an item is not, or not so, in what its reader makes of what the writer wrote of it.

    A writer that tells this has told every loss, whatever its reasons.
    """
    found: list[Lost] = []
    for part, name in _ONE.items():
        before, after = getattr(item, part) or None, getattr(back, part) or None
        if before != after:
            found.append(Lost(item.origin, name, OTHERWISE if after else NO_PLACE))
    for part, name in _SEVERAL.items():
        found += _of_several(item.origin, [name] * 2, getattr(item, part), getattr(back, part))
    found += _of_fields(item.origin, item.fields, back.fields)
    found += [
        Lost(item.origin, f"file '{each.name}'", NO_PLACE)
        for each in _missing(item.attachments, back.attachments, ordered=True)
    ]
    return found + [
        Lost(item.origin, f"older version{_of_day(past)}", OTHERWISE if back.history else NO_PLACE)
        for past in _missing(_undated(item.history), _undated(back.history), ordered=True)
    ]


def _of_several(origin: str, names: list[str], before: Sequence[str], after: Sequence[str]) -> list[Lost]:
    missing = _missing(before, after, ordered=True)
    why = OTHERWISE if len(after) == len(before) else NO_PLACE
    return [Lost(origin, names[0], why) for _ in missing]


def _of_fields(origin: str, before: Sequence[Field], after: Sequence[Field]) -> list[Lost]:
    pairs, others = [each[:2] for each in before], [each[:2] for each in after]
    found = [Lost(origin, f"field '{name}'", NO_PLACE) for name, _ in _missing(pairs, others)]
    if found or Counter(others) - Counter(pairs):
        return found or [Lost(origin, "fields", OTHERWISE)]
    if pairs != others:
        found.append(Lost(origin, "order of the fields", NO_PLACE))
    marks = Counter(before) - Counter(after)
    return found + [Lost(origin, f"whether field '{each.name}' is hidden", NO_PLACE) for each in marks.elements()]


def _missing(before: Iterable[Any], after: Iterable[Any], *, ordered: bool = False) -> list[Any]:
    """Return what is not in the second; with `ordered`, where all is there but not so, everything."""
    before, after = list(before), list(after)
    missing = list((Counter(before) - Counter(after)).elements())
    return missing or (before if ordered and before != after else [])


def _undated(history: Sequence[Past]) -> list[tuple[Any, Item]]:
    from dataclasses import replace

    return [(when, replace(item, origin="")) for when, item in history]


def _of_day(past: Sequence[Any]) -> str:
    return f" of {past[0].date().isoformat()}" if past[0] else ""


def seed(text: str, title: str = "", user: str = "") -> str | None:
    """Return the otpauth:// URI for what a manager keeps as a seed: a URI already, or bare base32; None for neither."""
    text = text.strip()
    if text.lower().startswith("otpauth://"):
        return text if text.isprintable() else None
    bare = re.sub(r"[\s-]", "", text)
    if not _BASE32.fullmatch(bare):
        return None
    label = ":".join(quote(each, safe="@") for each in (title, user) if each)
    return f"otpauth://totp/{label or 'unnamed'}?secret={bare.upper().rstrip('=')}"


def at(number: float, unit: int = 1) -> datetime | None:
    """Return the moment that is so many units (of which a second has `unit`) after 1970; None beyond the calendar."""
    try:
        return _EPOCH + timedelta(microseconds=round(number * (1_000_000 // unit)))
    except (OverflowError, ValueError):
        return None


def since(moment: datetime, unit: int = 1) -> int:
    """Return how many whole units a moment is after 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1_000_000 // unit)


def host(url: str) -> str:
    """Return the host of an address, the address where there is none."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def split_path(text: str, separator: str = "/") -> tuple[str, ...]:
    """Return the folders of a path; empty ones are none."""
    return tuple(each for each in text.split(separator) if each)
