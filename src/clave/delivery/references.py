"""What stands for a secret in files that hold none: `path`, `path#field`, `clave://path#field`, and templates of them.

- A reference is of one store, the one that its file or its caller names. It is a name as `model.name` takes it, so it
  cannot lead out of the store.
- Without a field it means line 1, the password; of a key file or what is no text, the whole. `#*` is the entry as it
  is, whatever it is. Any other field is found as `clave show NAME#FIELD` finds it.
- `%` means something in the URI form alone: there `%23` is a `#` of the name. A `?` begins a query in a URI, and there
  is none to ask.
- In a template `{…}` is a reference, with filters behind `|`; `{{` and `}}` are braces. A value is put in as it is, or
  as its filters make it: it is never read as a template again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import UsageError
from clave.model.name import check, split_field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SCHEME = "clave://"
WHOLE = "*"  # the field that is the entry as it is

_LOOKS = "It looks like 'folder/entry' or 'folder/entry#field'."
_ESCAPE = r"%(?![0-9A-Fa-f]{2})"
_PIECE = r"\{\{|\}\}|\{([^{}]*)\}|[{}]"


class Reference(NamedTuple):
    """A field of an entry; `field` None is what the entry is for, its password."""

    name: str
    field: str | None = None

    def __str__(self) -> str:
        """Return what a person would type for it; `uri` is what is unique."""
        return self.name if self.field is None else f"{self.name}#{self.field}"

    @property
    def uri(self) -> str:
        """The reference in the form in which no two are the same text."""
        from urllib.parse import quote

        name, field = (quote(each or "", safe="/*", errors="surrogateescape") for each in self)
        return SCHEME + name + ("" if self.field is None else f"#{field}")


def parse(text: str) -> Reference:
    """Return what a text refers to. Raises UsageError."""
    rest = text[len(SCHEME) :] if is_uri(text) else text
    if "://" in rest:
        raise UsageError(f"'{text}' is not a reference to an entry", _LOOKS)
    if is_uri(text):
        if "?" in rest:
            raise UsageError(f"'{text}' has a query, and there is none to ask", "Write a '?' of a name as %3F.")
        name, separator, field = rest.partition("#")
        return _checked(text, _decode(text, name), _decode(text, field) if separator else None)
    return _checked(text, *split_field(text))


def is_uri(text: str) -> bool:
    """Tell whether a text is a reference in its URI form, or means to be."""
    return text[: len(SCHEME)].lower() == SCHEME


def _decode(text: str, part: str) -> str:
    if "%" not in part:
        return part
    if re.search(_ESCAPE, part):
        raise UsageError(f"'{text}' has a '%' that is no escape", "Write it as %25.")
    from urllib.parse import unquote_to_bytes

    return unquote_to_bytes(part).decode("utf-8", "surrogateescape")


def _checked(text: str, name: str, field: str | None) -> Reference:
    if name.endswith("/"):
        raise UsageError(f"'{text}' is a folder, not an entry", _LOOKS)
    if field is not None and (not field.strip() or not field.isprintable()):
        raise UsageError(f"'{text}' does not name a field", _LOOKS)
    return Reference(check(name), field)


class _Hole(NamedTuple):
    """A place in a template: what goes there, and through which filters."""

    reference: Reference
    filters: tuple[str, ...]


class Template:
    """A text with references in it. Raises UsageError for one that cannot be filled."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._pieces: list[bytes | _Hole] = []
        at = 0
        for found in re.finditer(_PIECE, text):
            self._add(text[at : found.start()])
            at = found.end()
            if found[1] is not None:
                self._pieces.append(_hole(found[1]))
            elif found[0] in ("{{", "}}"):
                self._add(found[0][0])
            else:
                raise UsageError(f"the template has a '{found[0]}' alone", f"Double it: '{found[0] * 2}' is a brace.")
        self._add(text[at:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    @property
    def references(self) -> frozenset[Reference]:
        """What has to be known to fill it."""
        return frozenset(piece.reference for piece in self._pieces if isinstance(piece, _Hole))

    def fill(self, values: Mapping[Reference, bytes]) -> bytes:
        """Return the text with its values in it. Raises UsageError for one that a filter cannot take."""
        return b"".join(_filled(each, values) if isinstance(each, _Hole) else each for each in self._pieces)

    def _add(self, text: str) -> None:
        if text:
            self._pieces.append(text.encode("utf-8", "surrogateescape"))


def _hole(text: str) -> _Hole:
    name, *filters = text.split("|")
    for each in filters:
        if each not in FILTERS:
            raise UsageError(f"the template has no filter '{each}'", f"There are: {', '.join(FILTERS)}.")
    return _Hole(parse(name), tuple(filters))


def _filled(hole: _Hole, values: Mapping[Reference, bytes]) -> bytes:
    value = values[hole.reference]
    for each in hole.filters:
        try:
            value = FILTERS[each](value)
        except UnicodeDecodeError:
            raise UsageError(f"{hole.reference} is no text, as the filter '{each}' needs it", "Use b64.") from None
    return value


def _url(value: bytes) -> bytes:
    from urllib.parse import quote_from_bytes

    return quote_from_bytes(value, safe="").encode()


def _json(value: bytes) -> bytes:
    from json import dumps

    return dumps(value.decode()).encode()


def _base64(value: bytes) -> bytes:
    from base64 import b64encode

    return b64encode(value)


# What a value can become in a template: part of a URL, a JSON text with its quotes, base64.
FILTERS: Mapping[str, Callable[[bytes], bytes]] = {"url": _url, "json": _json, "b64": _base64}
