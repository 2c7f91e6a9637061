"""One-time codes: `otpauth://` lines, as the Key URI format writes them and pass-otp reads them (pyotp).

A URI is taken only if a code can be made from it: a type, an account, a base32 secret, for HOTP a counter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlsplit

from clave.errors import NotFound, UsageError
from clave.model.secret import Secret
from clave.store import writing
from clave.store.reading import read

if TYPE_CHECKING:
    from clave.store.store import Store

_ALGORITHMS = ("SHA1", "SHA256", "SHA512")
_COUNTER = re.compile(r"([?&]counter=)(\d+)", re.IGNORECASE)


class Seed(NamedTuple):
    """What a URI says: `kind` is totp or hotp, `period` in seconds, `counter` None for totp."""

    kind: str
    account: str
    issuer: str
    secret: str
    algorithm: str
    digits: int
    period: int
    counter: int | None


class Code(NamedTuple):
    """A code, and for how many seconds it is valid yet (None: until it is used)."""

    text: str
    seconds_left: int | None


def parse(uri: str) -> Seed:
    """Read a URI. Raises UsageError that says what is wrong with it, never the URI itself: it is a secret."""
    try:
        parts = urlsplit(uri.strip())
    except ValueError:
        raise _invalid("it is no URI") from None
    if parts.scheme.lower() != "otpauth" or parts.netloc.lower() not in ("totp", "hotp"):
        raise _invalid("it does not begin with otpauth://totp/ or otpauth://hotp/")
    parameters = {key.lower(): value for key, value in parse_qsl(parts.query, keep_blank_values=True)}
    issuer, _, account = unquote(parts.path.lstrip("/")).rpartition(":")
    account = account.strip()
    if not account and not issuer:
        raise _invalid("missing accountname")
    secret = re.sub(r"[\s=-]", "", parameters.get("secret", "")).upper()
    if not secret:
        raise _invalid("missing secret")
    if not re.fullmatch(r"[A-Z2-7]+", secret) or len(secret) % 8 in (1, 3, 6):
        raise _invalid("the secret is not base32")
    algorithm = parameters.get("algorithm", "SHA1").upper().replace("-", "").removeprefix("HMAC")
    if algorithm not in _ALGORITHMS:
        raise _invalid(f"the algorithm is none of {', '.join(_ALGORITHMS)}")
    is_hotp = parts.netloc.lower() == "hotp"
    return Seed(
        kind="hotp" if is_hotp else "totp",
        account=account or issuer,
        issuer=unquote_plus(parameters.get("issuer", "")) or issuer.strip(),
        secret=secret,
        algorithm=algorithm,
        digits=_number(parameters, "digits", "6", 6, 10),
        period=_number(parameters, "period", "30", 1, 86_400),
        counter=_number(parameters, "counter", "", 0, 2**63) if is_hotp else None,
    )


def code(seed: Seed, at: float) -> Code:
    """Return the code at the time `at` (seconds since 1970); for hotp that of its counter.

    TOTP is HOTP whose counter is the number of periods since 1970 (RFC 6238, 4.2).
    """
    import hashlib
    from base64 import b32decode

    import pyotp

    class Hotp(pyotp.HOTP):
        """Takes the short secrets too that services hand out (often 80 bits), which pyotp refuses."""

        def byte_secret(self) -> bytes:
            return b32decode(self.secret + "=" * (-len(self.secret) % 8))

    hotp = Hotp(seed.secret, digits=seed.digits, digest=getattr(hashlib, seed.algorithm.lower()))
    if seed.counter is not None:
        return Code(hotp.at(seed.counter), None)
    return Code(hotp.at(int(at) // seed.period), seed.period - int(at) % seed.period)


def find(plaintext: bytes, name: str) -> str:
    """Return the URI of an entry, the first of several. Raises NotFound, and UsageError for one that is none."""
    uris = Secret(plaintext).otp_uris
    if not uris:
        raise NotFound(f"{name} has no OTP secret", f"Give it one: clave otp append {name}")
    try:
        parse(uris[0])
    except UsageError as reason:
        raise UsageError(f"{name} has an {reason.message}", reason.hint) from None
    return uris[0]


def take(store: Store, name: str, at: float) -> Code:
    """Return the code of an entry at the time `at`; of an HOTP secret the next one, its counter stored first.

    Raises NotFound (no entry, no OTP secret), UsageError (not a valid URI), CannotDecrypt, and for HOTP what
    writing raises: a code whose counter was not stored is not given out.
    """
    seed = parse(find(read(store.root, name, options=store.options), name))
    if seed.counter is None:
        return code(seed, at)
    taken: list[Code] = []

    def advance(plaintext: bytes | None) -> bytes:
        if plaintext is None:
            raise NotFound(f"{name} is not in the password store")
        advanced = with_next_counter(plaintext, find(plaintext, name))
        taken.append(code(parse(find(advanced, name)), at))
        return advanced

    writing.update(store, name, advance, subject=f"Increment HOTP counter for {name}.")
    return taken[0]


def with_next_counter(plaintext: bytes, uri: str) -> bytes:
    """Return the entry with the counter of its hotp URI one higher, as pass-otp writes it; all else as it is."""
    match = _COUNTER.search(uri)
    if match is None:
        raise _invalid("missing counter")
    new = f"{uri[: match.start()]}{match[1]}{int(match[2]) + 1}{uri[match.end() :]}"
    return plaintext.replace(uri.encode("utf-8", "surrogateescape"), new.encode("utf-8", "surrogateescape"), 1)


def with_uri(plaintext: bytes, uri: str) -> bytes:
    """Return the entry with `uri` in the place of its first URI, or on a new line at its end."""
    lines = plaintext.split(b"\n")
    for number, line in enumerate(lines):
        if line.strip().lower().startswith(b"otpauth://"):
            lines[number] = uri.encode("utf-8", "surrogateescape")
            return b"\n".join(lines)
    end = b"" if not plaintext or plaintext.endswith(b"\n") else b"\n"
    return plaintext + end + uri.encode("utf-8", "surrogateescape") + b"\n"


def build(secret: str, *, issuer: str = "", account: str = "") -> str:
    """Return the totp URI of a bare base32 secret. Raises UsageError as `parse`."""
    label = ":".join(quote(part, safe="") for part in (issuer, account) if part)
    uri = f"otpauth://totp/{label}?secret={quote(secret.strip(), safe='')}"
    if issuer:
        uri += f"&issuer={quote(issuer, safe='')}"
    parse(uri)
    return uri


def _number(parameters: dict[str, str], name: str, default: str, least: int, most: int) -> int:
    text = parameters.get(name, default)
    if not text:
        raise _invalid(f"missing {name}")
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):
        raise _invalid(f"{name} is not a number from {least} to {most}")
    return int(text)


def _invalid(reason: str) -> UsageError:
    return UsageError(f"invalid key URI ({reason})", "It looks like otpauth://totp/ISSUER:ACCOUNT?secret=BASE32.")
