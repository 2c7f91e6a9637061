"""The CSV of KeePassXC: one row an item, with the columns of its exporter.

1. `Group` is a path that begins with the root group, whose name is none of a folder (`Root` or `Passwords`).
2. `Icon` is a number, told as lost if there is one; a column that KeePassXC does not write is a field.
3. The recycle bin is a group as any other: that of the usual name, below the root, is left out unless asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.exchange import limits
from clave.exchange.format import Format
from clave.exchange.formats import _keepass, _keepass_otp
from clave.exchange.formats._parts import told
from clave.exchange.item import Field, Item, Lost, Parsed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from clave.exchange.format import Source, WriteOptions

_HEADER = (
    "Group", "Title", "Username", "Password", "URL", "Notes", "TOTP", "Icon", "Last Modified", "Created",
)  # fmt: skip
_BEGINS = b'"Group","Title","Username","Password","URL","Notes"'
_BIN = "Recycle Bin"


class KeePassXcCsv(Format):
    """A table; folders, seeds and times are in it, the rest of a database is not."""

    name = "keepassxc-csv"
    title = "KeePassXC CSV"
    writes = True

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - the header says it
        """Tell whether the header is KeePassXC's."""
        return head.removeprefix(b"\xef\xbb\xbf").startswith((_BEGINS, _BEGINS.replace(b'"', b"")))

    def read(self, source: Source) -> Parsed:
        """Return what a table holds."""
        table = limits.table(source.read(limits.MAX_TEXT))
        more = [each for each in table.header if each not in _HEADER]
        items: list[Item] = []
        lost: list[Lost] = []
        skipped: list[Lost] = []
        for row in table.rows:
            origin, cells = f"row {row.number}", row.cells
            folder = tuple(cells.get("Group", "").split("/"))[1:]
            if folder[:1] == (_BIN,) and not source.options.include_deleted:
                skipped.append(Lost(origin, "the item", "it is in the recycle bin"))
                continue
            if cells.get("Icon", "") not in ("", "0"):
                lost.append(Lost(origin, "its icon", "clave has no place for it"))
            fields = [Field(name, cells[name]) for name in more if cells[name]]
            title, user, totp = (cells.get(name, "") for name in ("Title", "Username", "TOTP"))
            otp, rest = _keepass_otp.take([Field("otp", totp)] if totp else [], title, user)
            times: list[datetime | None] = []
            for name in ("Created", "Last Modified"):
                text = cells.get(name, "")
                times.append(_keepass.moment(text) if text else None)
                if text and times[-1] is None:
                    lost.append(Lost(origin, f"'{name}'", "it is no date"))
            items.append(
                Item(
                    title=title,
                    folder=folder,
                    password=cells.get("Password") or None,
                    user=user or None,
                    urls=tuple(filter(None, [cells.get("URL")])),
                    notes=cells.get("Notes") or None,
                    otp=tuple(otp),
                    fields=(*rest, *fields),
                    created=times[0],
                    modified=times[1],
                    origin=origin,
                )
            )
        return Parsed(tuple(items), tuple(lost), tuple(skipped))

    def losses(self, items: Sequence[Item]) -> list[Lost]:
        """Return what reading the rows does not give back."""
        return [each for item in items for each in told(item, _back(item))]

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:  # noqa: ARG002 - nothing is asked
        """Return a table."""
        return limits.write_table(_HEADER, map(_row, items))


def _row(item: Item) -> tuple[str, ...]:
    group = "/".join(("Root", *(each.replace("/", "-") for each in item.folder)))
    cells = (group, item.title, item.user or "", item.password or "", next(iter(item.urls), ""), item.notes or "")
    otp = next((each for each in item.otp if not each.lower().startswith("otpauth://hotp")), "")
    return tuple(_clean(each) for each in (*cells, otp, "0", _time(item.modified), _time(item.created)))


def _clean(text: str) -> str:
    """Return what a cell can hold: no NUL, no half of a character, not too long."""
    return text.replace("\0", "").encode(errors="ignore").decode()[: limits.MAX_FIELD]


def _time(moment: datetime | None) -> str:
    from datetime import UTC

    try:
        return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z") if moment else ""
    except OverflowError:
        return ""


def _back(item: Item) -> Item:
    """Return what reading the row of an item gives."""
    group, title, user, password, url, notes, otp, _, modified, created = _row(item)
    return Item(
        title=title,
        folder=tuple(group.split("/"))[1:],
        password=password,
        user=user,
        urls=(url,) if url else (),
        notes=notes,
        otp=(otp,) if otp else (),
        created=_keepass.moment(created) if created else None,
        modified=_keepass.moment(modified) if modified else None,
    )


FORMATS = (KeePassXcCsv(),)
