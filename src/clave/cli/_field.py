"""The value that `NAME#FIELD` means: a field of the entry, or what can be made of it (`otp`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from clave.errors import NotFound
from clave.model.secret import OTP, Secret, field_names, find_field
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._target import Target


def value(target: Target, plaintext: bytes, field: str) -> bytes:
    """Return a field's value; `otp` is the code of now, where no field has that name. Raises NotFound."""
    require(target, plaintext, field)
    found = find_field(Secret(plaintext), field)
    if found is not None:
        return found
    from clave.store import otp

    return otp.take(target.store, target.name, time.time()).text.encode()


def require(target: Target, plaintext: bytes, field: str) -> None:
    """Raise NotFound unless there is such a field; a code is not made for it yet."""
    secret = Secret(plaintext)
    if find_field(secret, field) is None and not (field.casefold() == OTP and secret.otp_uris):
        raise NotFound(
            f"{target.name} has no field '{field}'", f"It has: {', '.join(map(printable, field_names(secret)))}."
        )
