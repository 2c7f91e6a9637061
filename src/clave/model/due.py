"""The end that a secret has of its own: the day from which on it is good for nothing.

It is what a line `expires: 2027-01-31` below the first says; a time behind the day is passed over. Certificates and
keys have ends, too: `parts` finds them, and who knows their formats reads them.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from clave.model.secret import Secret

if TYPE_CHECKING:
    from datetime import date

FIELD = "expires"
X509, OPENPGP = "x509", "openpgp"
MAX_TEXT = 1 << 20  # bytes that are looked through: what is larger is no secret with a line about its end
_MAX_PARTS = 200
_DER = (b"0\x81", b"0\x82")  # so begins a SEQUENCE of some length
_DAY = re.compile(rb"\s*(\d{4}-\d{2}-\d{2})(?:[T ].*)?", re.ASCII | re.DOTALL)
_ARMOR = re.compile(
    rb"-----BEGIN (?P<label>(?:X509 |TRUSTED )?CERTIFICATE|PGP (?:PUBLIC|PRIVATE) KEY BLOCK)-----.+?"
    rb"-----END (?P=label)-----",
    re.DOTALL,
)


class Part(NamedTuple):
    """A certificate or key in a secret: X509 or OPENPGP, and its bytes, armored or not."""

    kind: str
    data: bytes


def may_end(plaintext: bytes) -> bool:
    """Tell, fast, whether a secret may have an end of its own."""
    return (
        b"-----BEGIN " in plaintext
        or FIELD.encode() in plaintext.lower()
        or plaintext[:2] in _DER
        or plaintext[:1] >= b"\x80"
    )


def stated(plaintext: bytes) -> date | None:
    """Return the day that a line of the secret says, None for none."""
    from datetime import date

    value = Secret(plaintext[:MAX_TEXT]).field(FIELD)
    match = _DAY.fullmatch(value) if value is not None else None
    if match:
        with suppress(ValueError):
            return date.fromisoformat(match[1].decode())
    return None


def parts(plaintext: bytes) -> list[Part]:
    """Return the certificates and keys that stand in a secret, or that it is."""
    text = plaintext[:MAX_TEXT]
    found = [
        Part(OPENPGP if match["label"].startswith(b"PGP") else X509, match[0])
        for _, match in zip(range(_MAX_PARTS), _ARMOR.finditer(text), strict=False)
    ]
    if not found and text[:2] in _DER:
        found = [Part(X509, text)]
    if not found and text[:1] >= b"\x80" and not Secret(text).is_text:  # the tag of an OpenPGP packet has bit 7
        found = [Part(OPENPGP, text)]
    return found
