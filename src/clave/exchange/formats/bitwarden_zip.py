"""Bitwarden's zip with attachments: `data.json` as in `bitwarden_json`, and `attachments/ID OF THE ITEM/NAME`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clave.exchange.format import Format
from clave.exchange.formats._parts import told
from clave.exchange.formats.bitwarden_json import document, item_id, read_document
from clave.exchange.item import Attachment, Item, Lost, Parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clave.exchange.format import Source, WriteOptions

_DATA, _FILES = "data.json", "attachments"


class BitwardenZip(Format):
    """Bitwarden's JSON with the files of its items."""

    name = "bitwarden-zip"
    title = "Bitwarden (zip with attachments)"
    writes = True

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - the content says it
        """Tell by the names of its first members."""
        is_zip = head.startswith(b"PK\x03\x04") and head[30:42] != b"Proton Pass/"
        return is_zip and _DATA.encode() in head and f"{_FILES}/".encode() in head

    def read(self, source: Source) -> Parsed:
        """Return the items."""
        from clave.exchange.limits import MAX_TEXT, Zip, load_json

        archive = Zip(source.read())
        files: dict[str, list[Attachment]] = {}
        others: list[Lost] = []
        for path in archive.names():
            place, _, rest = path.partition("/")
            identifier, _, name = rest.partition("/")
            if place == _FILES and name:
                files.setdefault(identifier, []).append(Attachment(name, archive.read(path)))
            elif path != _DATA:
                others.append(Lost("the archive", f"file '{path}'", "no item refers to it"))
        parsed = read_document(load_json(archive.read(_DATA, MAX_TEXT)), files, deleted=source.options.include_deleted)
        return parsed._replace(lost=(*parsed.lost, *others))

    def losses(self, items: Sequence[Item]) -> list[Lost]:
        """Return what of the items is not in what is read again."""
        return [each for item in items for each in told(item, _again(item))]

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:  # noqa: ARG002 - none of them mean anything
        """Return the archive."""
        import io
        from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

        out = io.BytesIO()
        with ZipFile(out, "w") as archive:
            data = json.dumps(document(items), indent=2, ensure_ascii=False).encode()
            archive.writestr(ZipInfo(_DATA), data, ZIP_DEFLATED)
            archive.writestr(ZipInfo(f"{_FILES}/"), b"")
            for number, item in enumerate(items):
                for each in _carried(item.attachments):
                    archive.writestr(ZipInfo(f"{_FILES}/{item_id(number)}/{each.name}"), each.content, ZIP_DEFLATED)
        return out.getvalue()


def _carried(attachments: Iterable[Attachment]) -> list[Attachment]:
    """Return the attachments whose names can be those of files in an archive, the first of each name."""
    found: dict[str, Attachment] = {}
    for each in attachments:
        safe = each.name.isprintable() and not set("/\\").intersection(each.name) and each.name not in ("", ".", "..")
        if safe and len(each.name.encode()) < 1000:
            found.setdefault(each.name, each)
    return list(found.values())


def _again(item: Item) -> Item:
    """Return what is read of an item as it is written."""
    (found,) = read_document(document([item]), {item_id(0): _carried(item.attachments)}, deleted=True).items
    return found


FORMATS = (BitwardenZip(),)
