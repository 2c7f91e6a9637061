"""clave's own shape, complete: `{"format": "clave-items", "version": 1, "items": […]}`; see `exchange.shape`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clave.exchange import limits, shape
from clave.exchange.format import BadFile, Format, Source, WriteOptions
from clave.exchange.item import Parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.exchange.item import Item

_MARK, _VERSION = "clave-items", 1


class Json(Format):
    """The format `json`."""

    name = "json"
    title = "clave's own JSON"
    writes = True
    carries_plain = True

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - what it is called says nothing
        """Recognise the mark at the beginning."""
        return head.lstrip().startswith(b"{") and f'"format": "{_MARK}"'.encode() in head[:200]

    def read(self, source: Source) -> Parsed:
        """Return the items of a document."""
        document = limits.load_json(source.read(limits.MAX_TEXT))
        if not isinstance(document, dict) or document.get("format") != _MARK:
            raise BadFile(f'the document is none of clave: it lacks "format": "{_MARK}"', "Name its format.")
        if document.get("version") != _VERSION:
            raise BadFile("the document is of another version of clave", "Update clave.")
        found = document.get("items")
        if not isinstance(found, list):
            raise BadFile("the document has no list of items", "See the documentation for the shape.")
        reader = shape.Reader()
        return Parsed(tuple(reader.item(each, f"item {at}") for at, each in enumerate(found, 1)), tuple(reader.lost))

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:  # noqa: ARG002 - it has none
        """Return the document."""
        document = {"format": _MARK, "version": _VERSION, "items": [shape.dump(each) for each in items]}
        return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


FORMATS = (Json(),)
