"""KeePass 2 XML, as KeePass and KeePassXC export and import it: all of a database, readable by anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.exchange.format import Format
from clave.exchange.formats import _keepass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.exchange.format import Source, WriteOptions
    from clave.exchange.item import Item, Lost, Parsed


class KeePassXml(Format):
    """A document, attachments in it."""

    name = "keepass-xml"
    title = "KeePass 2 XML"
    writes = True

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - the root element says it
        """Tell whether the root element is KeePass's."""
        return b"<KeePassFile" in head and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")

    def read(self, source: Source) -> Parsed:
        """Return what a document holds."""
        return _keepass.read(_keepass.parse(source.read()), include_deleted=source.options.include_deleted)

    def losses(self, items: Sequence[Item]) -> list[Lost]:
        """Return what reading the document does not give back."""
        back = _keepass.read(_keepass.parse(_keepass.write(items, inner=False).xml)).items
        return _keepass.losses(items, back)

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:  # noqa: ARG002 - nothing is asked
        """Return a document."""
        return _keepass.write(items, inner=False).xml


FORMATS = (KeePassXml(),)
