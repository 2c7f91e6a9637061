"""What the desktop's keyring holds, as items of an import.

What Python's keyring has put there goes where `clave.keyring` looks for it, so that the programs that use keyring find
it in the store afterwards. Everything else goes to a folder that is called as the collection is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clave.delivery import logins
from clave.desk import secret_service
from clave.errors import UsageError
from clave.exchange.format import Format
from clave.exchange.item import Attachment, Field, Item, Parsed

if TYPE_CHECKING:
    from clave.desk.secret_service import Kept
    from clave.exchange.format import Source

NAME = "keyring"
_OF_KEYRING = {"service", "username"}  # what Python's keyring looks an item up by


class Desktop(Format):
    """Not one of the formats: there is no file."""

    name = NAME
    title = "the desktop's keyring"

    def read(self, source: Source | None = None) -> Parsed:  # noqa: ARG002 - there is none
        """Return what is in all collections. Raises as `secret_service.everything`."""
        return Parsed(tuple(map(_item, secret_service.everything())))


def _item(kept: Kept) -> Item:
    service, user = kept.attributes.get("service", ""), kept.attributes.get("username", "")
    folder: tuple[str, ...] = (kept.collection,)
    title, known = kept.label, set[str]()
    if service and user:
        try:
            *above, title = logins.entry_name(service, user).split("/")
        except UsageError:  # too long for a name: then it is as any other
            pass
        else:
            folder, known = tuple(above), _OF_KEYRING
    text = kept.secret.decode("utf-8", "replace")
    is_line = text.encode() == kept.secret and text.isprintable()
    is_login = folder[0] == logins.FOLDER
    return Item(
        title,
        folder,
        password=text if is_line else None,
        user=user if is_login else None,
        urls=(service,) if is_login else (),
        fields=tuple(
            Field(key, value, protected=False)
            for key, value in sorted(kept.attributes.items())
            if key not in known and value
        ),
        attachments=() if is_line else (Attachment("secret", kept.secret),),
        created=_time(kept.created),
        modified=_time(kept.modified),
        origin=f"'{kept.label}' of '{kept.collection}'",
    )


def _time(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, tz=UTC) if seconds else None
