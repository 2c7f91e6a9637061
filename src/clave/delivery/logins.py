"""Which entry holds the login that a program knows by a service and a user name, as Python's keyring does.

1. A service that the config file names, `[keyring] "https://upload.example.org/" = "work/index"`, is that entry; it may
   be `STORE:NAME`. Who is logged in as, its field `user` (or `username`, `login`) says; one without is anybody's.
2. Any other is in the folder `keyring/SERVICE/`, an entry a user name. Of a service that is an address with `https://`
   this is left out, as is a slash at its end: pip asks for `https://HOST/simple/`, and then for `HOST`.

What a name of an entry cannot hold is written as in a URI, so no two services are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.errors import NotFound, UsageError
from clave.model.name import MAX_COMPONENT, check_new
from clave.model.secret import Secret, find_field
from clave.store import layout, stores, writing
from clave.store.reading import read

if TYPE_CHECKING:
    from clave.config import Settings
    from clave.store.store import Store

FOLDER = "keyring"
_HTTPS = "https://"
_EMPTY = "%"  # no escape looks like this


class Login(NamedTuple):
    """What one logs in with. `user` is "" where the entry does not say."""

    user: str
    password: str


def find(settings: Settings, service: str, user: str | None) -> Login | None:
    """Return the login of a user, or with None that of the only one; None where there is none, or several.

    Raises CannotDecrypt, VerificationFailed, NotFound (no store), UsageError for a password that is no text.
    """
    if service in settings.keyring:
        store, name = _named(settings, service)
        login = _read(store, name)
        return login if user in (None, login.user) or not login.user else None
    store = stores.open_store(settings)
    if user is None:
        names = layout.entries(store.root, _folder(service)) if layout.is_folder(store.root, _folder(service)) else []
        return _read(store, names[0]) if len(names) == 1 else None
    name = entry_name(service, user)
    return _read(store, name)._replace(user=user) if layout.is_entry(store.root, name) else None


def save(settings: Settings, service: str, user: str, password: str) -> None:
    """Keep the password of a user; the other lines of an entry that is there stay. Raises as every write."""
    if "\n" in password or "\r" in password:
        raise UsageError("a password of several lines cannot be kept for a service", "Keep it as an entry.")
    value = password.encode("utf-8", "surrogateescape")
    if service in settings.keyring:
        store, name = _named(settings, service)
        if find(settings, service, user) is None:
            raise UsageError(f"{name} is the login of somebody else than {user}", "Change the entry itself.")
    else:
        store, name = stores.open_store(settings), entry_name(service, user)

    def edit(old: bytes | None) -> bytes:
        if old is not None:
            return Secret(old).with_password(value).plaintext
        fields = {"user": user, "url": service}
        lines = (f"{key}: {text}\n".encode("utf-8", "surrogateescape") for key, text in fields.items() if text)
        return b"".join((value + b"\n", *lines))

    writing.update(store, name, edit, subject=f"Add given password for {name} to store.", operation="insert")


def remove(settings: Settings, service: str, user: str) -> None:
    """Remove the entry of a login. Raises NotFound, and UsageError for an entry that the config file names."""
    if service in settings.keyring:
        name = settings.keyring[service]
        raise UsageError(f"{name} is an entry of its own, which the config file names", f"Remove it: clave rm {name}.")
    store, name = stores.open_store(settings), entry_name(service, user)
    if not layout.is_entry(store.root, name):
        raise NotFound(f"{name} is not in the password store")
    writing.remove(store, name)


def entry_name(service: str, user: str) -> str:
    """Return the entry of a service's user. Raises UsageError for one that is too long."""
    return check_new(f"{_folder(service)}/{_component(user)}")


def _folder(service: str) -> str:
    parts = service.removeprefix(_HTTPS).rstrip("/").split("/")
    return "/".join((FOLDER, *map(_component, parts)))


def _component(text: str) -> str:
    """Return a text as a part of a name: what may not be in one, or not there, as `%XX`."""
    end = len(text) - 1
    written = "".join(
        each
        if each.isprintable() and each.isascii() and each not in "/%#" and not (each in ".- " and at in (0, end))
        else "".join(f"%{octet:02X}" for octet in each.encode("utf-8", "surrogateescape"))
        for at, each in enumerate(text)
    )
    if len(written) > MAX_COMPONENT:
        raise UsageError(f"'{text[:40]}…' is too long for the name of an entry", "Name one in the config file.")
    return written or _EMPTY


def _named(settings: Settings, service: str) -> tuple[Store, str]:
    store, name = stores.split_store(settings, settings.keyring[service])
    if not layout.is_entry(store.root, name):
        raise NotFound(f"{name}, which the config file names for {service}, is not in the password store")
    return store, name


def _read(store: Store, name: str) -> Login:
    store.require_verified(name)
    secret = Secret(read(store.root, name, options=store.options))
    try:
        return Login((find_field(secret, "user") or b"").decode(), secret.password.decode())
    except UnicodeDecodeError:
        raise UsageError(f"{name} holds no text, and so no login", "Name another entry.") from None
