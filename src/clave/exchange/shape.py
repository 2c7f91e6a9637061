"""Items as JSON: the shape of the format `json`, and of the older versions that a store keeps (`NAME.history`).

What is empty is left out. Bytes are base64, datetimes ISO 8601 in UTC. `text` (or `base64`, for what is no text) is
the plaintext byte for byte, where the other members do not give it back exactly.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from clave.exchange.format import BadFile
from clave.exchange.item import Attachment, Field, Item, Lost, Past
from clave.model.text import printable

if TYPE_CHECKING:
    from typing import Any

_DATES = ("created", "modified", "expires")


def moment_text(moment: datetime) -> str:
    """Return a datetime as text: in UTC where that is in the calendar, a midnight as the day alone."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        return moment.isoformat()
    if moment.timetz().isoformat() == "00:00:00+00:00":
        return moment.date().isoformat()
    return moment.isoformat().replace("+00:00", "Z")


def moment(text: str) -> datetime | None:
    """Return the datetime that a text means, UTC where it does not say; None for what means none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def dump(item: Item) -> dict[str, Any]:
    """Return an item as an object for JSON."""
    found: dict[str, Any] = {
        "title": item.title,
        "folder": list(item.folder),
        "user": item.user,
        "password": item.password,
        "urls": list(item.urls),
        "fields": [_dump_field(each) for each in item.fields],
        "otp": list(item.otp),
        "notes": item.notes,
        "tags": list(item.tags),
        **{name: _dump_moment(getattr(item, name)) for name in _DATES},
        "attachments": [{"name": each.name, **_dump_bytes(each.content)} for each in item.attachments],
        "history": [
            {"when": _dump_moment(past.when), "item": dump(past.item)} if past.when else {"item": dump(past.item)}
            for past in item.history
        ],
        **({} if item.plain is None else _dump_bytes(item.plain)),
    }
    return {name: value for name, value in found.items() if name in ("title", "text", "base64") or value}


def _dump_field(field: Field) -> dict[str, Any]:
    shape: dict[str, Any] = {"name": field.name, "value": field.value}
    return shape if field.protected else {**shape, "protected": False}


def _dump_moment(value: datetime | None) -> str | None:
    return moment_text(value) if value else None


def _dump_bytes(content: bytes) -> dict[str, str]:
    try:
        return {"text": content.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


class Reader:
    """Reads items of this shape; `lost` is what stood in them and has no meaning here."""

    def __init__(self) -> None:
        self.lost: list[Lost] = []

    def item(self, value: Any, origin: str, *, past: bool = False) -> Item:
        """Return an item. Raises BadFile."""
        shape = _Object(value, origin)
        fields = tuple(self._field(each, origin) for each in shape.objects("fields"))
        attachments = tuple(self._attachment(each, origin) for each in shape.objects("attachments"))
        history = () if past else tuple(self._past(each, origin) for each in shape.objects("history"))
        item = Item(
            title=shape.text("title") or "",
            folder=shape.texts("folder"),
            password=shape.text("password"),
            user=shape.text("user"),
            urls=shape.texts("urls"),
            notes=shape.text("notes"),
            otp=shape.texts("otp"),
            fields=fields,
            tags=shape.texts("tags"),
            attachments=attachments,
            history=history,
            created=shape.moment("created"),
            modified=shape.moment("modified"),
            expires=shape.moment("expires"),
            origin=origin,
            plain=shape.bytes(),
        )
        self._rest(shape)
        return item

    def _field(self, shape: _Object, origin: str) -> Field:
        name, value, protected = shape.text("name"), shape.text("value"), shape.take("protected", bool)
        self._rest(shape)
        if name is None:
            raise BadFile(f"a field of {origin} has no name", "Give it one.")
        return Field(name, value or "", protected is not False)

    def _attachment(self, shape: _Object, origin: str) -> Attachment:
        name, content = shape.text("name"), shape.bytes()
        self._rest(shape)
        if name is None or content is None:
            raise BadFile(f"an attachment of {origin} has no name or no content", "Give it both: name, text or base64.")
        return Attachment(name, content)

    def _past(self, shape: _Object, origin: str) -> Past:
        when, item = shape.moment("when"), self.item(shape.take("item", dict), origin, past=True)
        self._rest(shape)
        return Past(when, item)

    def _rest(self, shape: _Object) -> None:
        self.lost += [Lost(shape.origin, name, "this member has no meaning here") for name in shape.rest()]


class _Object:
    """An object whose members are taken one by one, each of the type that it must have."""

    def __init__(self, value: Any, origin: str) -> None:
        if not isinstance(value, dict):
            raise BadFile(f"{printable(origin)} is no object", "See the documentation for the shape.")
        self.origin = origin
        self._members = dict(value)

    def take(self, name: str, kind: type) -> Any:
        value = self._members.pop(name, None)
        if value is not None and not isinstance(value, kind):
            raise BadFile(f"'{name}' of {printable(self.origin)} is not of the right type", "See the documentation.")
        return value

    def text(self, name: str) -> str | None:
        return cast("str | None", self.take(name, str))

    def texts(self, name: str) -> tuple[str, ...]:
        found = self.take(name, list) or []
        if not all(isinstance(each, str) for each in found):
            raise BadFile(f"'{name}' of {printable(self.origin)} is no list of texts", "See the documentation.")
        return tuple(found)

    def objects(self, name: str) -> list[_Object]:
        return [_Object(each, self.origin) for each in self.take(name, list) or []]

    def moment(self, name: str) -> datetime | None:
        value = self.text(name)
        found = moment(value) if value else None
        if value and found is None:
            raise BadFile(f"'{name}' of {printable(self.origin)} is no date", "Write it as 2026-01-31T12:00:00Z.")
        return found

    def bytes(self) -> bytes | None:
        encoded, plain = self.text("base64"), self.text("text")
        if encoded is None:
            return None if plain is None else plain.encode()
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise BadFile(f"{printable(self.origin)} has base64 that is none", "Export it again.") from None

    def rest(self) -> list[str]:
        return [name for name, value in self._members.items() if value not in (None, "", [], {})]
