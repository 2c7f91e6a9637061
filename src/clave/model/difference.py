"""What differs between two versions of a secret, told by its parts."""

from __future__ import annotations

from typing import NamedTuple

from clave.model.secret import Secret, is_secret_field

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
# Parts that are no field; a field may have the same name.
PASSWORD, OTP, NOTES, LAYOUT, CONTENT = "password", "otp", "notes", "layout", "content"


class Difference(NamedTuple):
    """One part of a secret that differs.

    `part` is `password` (line 1), the name of a field, `otp` (the seeds), `notes` (free text), `layout` (all
    parts are the same, but in another order or with other blanks) or `content` (of what is no text: all of it).
    `change` is added, changed or removed. `secret`: the values may be shown only where that was asked for. `old`
    and `new` are the values, a line for each of several with one name; None where there is none.
    """

    part: str
    change: str
    secret: bool
    old: bytes | None
    new: bytes | None


def between(old: bytes | None, new: bytes | None) -> list[Difference]:
    """Return what differs between two plaintexts, None for no entry, in the order of the newer one's parts."""
    if old == new:
        return []
    if not all(Secret(plaintext or b"").is_text for plaintext in (old, new)):
        return [_difference(CONTENT, old, new)]
    before, after = _parts(old), _parts(new)
    found = [
        _difference(part[1], before.get(part), after.get(part))
        for part in {**after, **before}
        if before.get(part) != after.get(part)
    ]
    return found or [_difference(LAYOUT, old, new)]


def _parts(plaintext: bytes | None) -> dict[tuple[str, str], bytes]:
    """Return the parts of a text by what they are (`field` or not) and name, equal names on lines of their own."""
    if plaintext is None:
        return {}
    secret = Secret(plaintext)
    parts = {("", PASSWORD): secret.password}
    for name, value in secret.fields:
        key = ("field", name.casefold())
        parts[key] = parts[key] + b"\n" + value if key in parts else value
    if secret.otp_uris:
        parts["", OTP] = "\n".join(secret.otp_uris).encode("utf-8", "surrogateescape")
    if secret.notes:
        parts["", NOTES] = secret.notes
    return parts


def _difference(part: str, old: bytes | None, new: bytes | None) -> Difference:
    change = ADDED if old is None else REMOVED if new is None else CHANGED
    # Free text is no secret by the rules for rotation, but people write recovery codes into it.
    return Difference(part, change, is_secret_field(part) or part == NOTES, old, new)
