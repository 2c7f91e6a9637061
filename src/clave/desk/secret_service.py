"""What the desktop's keyring holds: the Secret Service of freedesktop.org, which GNOME, KDE and KeePassXC offer.

keyring itself cannot list what is in a keyring; its library for this one, SecretStorage, can. Other desktops' keyrings
(macOS, Windows) do not let a program list them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import Busy, CannotDecrypt, UsageError
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Kept(NamedTuple):
    """One item: the collection that it is in, what it is called, what it is looked up by; times in Unix seconds."""

    collection: str
    label: str
    attributes: Mapping[str, str]
    secret: bytes
    created: int
    modified: int


def everything() -> Iterator[Kept]:
    """Yield what all collections hold; the desktop asks for what is locked.

    Raises UsageError where there is no such keyring, CannotDecrypt for one that stays locked, Busy for one that fails.
    """
    try:
        import secretstorage
    except ImportError:
        raise UsageError("the keyring of this system cannot be listed", "Export it to a file there.") from None
    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        raise UsageError("there is no desktop session, and so no keyring", "Run this in one.")
    try:
        connection = secretstorage.dbus_init()
    except secretstorage.SecretServiceNotAvailableException:
        raise UsageError("the desktop has no keyring that can be listed", "It is called the Secret Service.") from None
    try:
        for collection in secretstorage.get_all_collections(connection):
            name = collection.get_label()
            if collection.is_locked() and collection.unlock():
                raise CannotDecrypt(f"the keyring '{printable(name)}' is locked", "Unlock it and try again.")
            for item in collection.get_all_items():
                yield Kept(
                    name,
                    item.get_label(),
                    item.get_attributes(),
                    item.get_secret(),
                    item.get_created(),
                    item.get_modified(),
                )
    except secretstorage.SecretServiceNotAvailableException:
        raise UsageError("the desktop has no keyring that can be listed", "It is called the Secret Service.") from None
    except secretstorage.SecretStorageException as problem:
        raise Busy(f"the desktop's keyring failed: {printable(str(problem))}", "Try again.") from None
    finally:
        connection.close()
