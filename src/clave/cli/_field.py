"""The value that `NAME#FIELD` means: a field of the entry, or what can be made of it (`otp`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from clave.errors import NotFound
from clave.model.secret import Secret
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._target import Target

OTP = "otp"
# Managers write the same thing under these names; whoever asks for `user` means any of them.
_USER = ("user", "username", "login")


def value(target: Target, plaintext: bytes, field: str) -> bytes:
    """Return a field's value; `otp` is the code of now, where no field has that name. Raises NotFound."""
    require(target, plaintext, field)
    found = _stored(Secret(plaintext), field)
    if found is not None:
        return found
    from clave.store import otp

    return otp.take(target.store, target.name, time.time()).text.encode()


def require(target: Target, plaintext: bytes, field: str) -> None:
    """Raise NotFound unless there is such a field; a code is not made for it yet."""
    secret = Secret(plaintext)
    if _stored(secret, field) is None and not (field.casefold() == OTP and secret.otp_uris):
        raise NotFound(f"{target.name} has no field '{field}'", f"It has: {', '.join(map(printable, known(secret)))}.")


def _stored(secret: Secret, field: str) -> bytes | None:
    names = _USER if field.casefold() == _USER[0] else (field,)
    return next((text for text in map(secret.field, names) if text is not None), None)


def known(secret: Secret) -> list[str]:
    """Return what can be asked for, in the order in which one logs in and then that of the entry."""
    fields = dict.fromkeys(name for name, _ in secret.fields)
    user = next((name for name in _USER if secret.field(name) is not None), None)
    names = ([user] if user else []) + (["password"] if secret.password else [])
    names += [OTP] if secret.otp_uris else []
    names += ["notes"] if secret.notes else []
    return list(dict.fromkeys([*names, *fields]))
