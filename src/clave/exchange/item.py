"""What an item of any manager is: the value between a format and the store.

Nothing in it is safe to print or to use as a name: it comes from a file of somebody else's making. Whoever shows it
uses `model.text.printable`; whoever stores it, `exchange.mapping`.

A reader of a format puts every part of the source that is not empty into an item, or tells it as a Lost. A part
without a place of its own is a Field, so hardly anything has to be lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime


class Attachment(NamedTuple):
    """A file that belongs to an item; several may have one name."""

    name: str
    content: bytes


class Field(NamedTuple):
    """A value with a name, which need not be unique; `value` may have several lines."""

    name: str
    value: str
    protected: bool = True


class Past(NamedTuple):
    """An older version of an item, which has no history itself, and when it was the newest (aware), if known."""

    when: datetime | None
    item: Item


@dataclass(frozen=True, slots=True)
class Item:
    """One item. Datetimes are aware; None and `""` both mean that there is nothing."""

    title: str
    folder: tuple[str, ...] = ()  # as in the source, outermost first
    password: str | None = None
    user: str | None = None
    urls: tuple[str, ...] = ()
    notes: str | None = None
    otp: tuple[str, ...] = ()  # otpauth:// URIs; a bare base32 seed has been made one
    fields: tuple[Field, ...] = ()  # all else that has a name, in the source's order
    tags: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    history: tuple[Past, ...] = ()  # newest first
    created: datetime | None = None
    modified: datetime | None = None
    expires: datetime | None = None
    origin: str = field(default="", compare=False)  # for the user: "row 3", "item 'GitHub'"
    # A plaintext that is kept byte for byte (pass, gopass, json): the rest but title and folder is a reading of it.
    plain: bytes | None = None


class Lost(NamedTuple):
    """Something that is not carried: of which item, what (never a value), and why."""

    origin: str
    what: str
    why: str


class Parsed(NamedTuple):
    """What a file holds: its items in the file's order, parts that are not carried, items left out on purpose."""

    items: tuple[Item, ...]
    lost: tuple[Lost, ...] = ()
    skipped: tuple[Lost, ...] = ()
