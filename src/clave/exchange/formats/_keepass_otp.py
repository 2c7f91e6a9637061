"""Seeds of one-time codes in the ways in which KeePass, its plugins and KeePassXC keep them, as otpauth:// URIs.

| strings | whose |
|---|---|
| `otp`: an otpauth:// URI | KeePassXC; further ones are ours: `otp_2` … |
| `otp`: `key=…&step=…&size=…&type=…&otpHashMode=…&encoding=…&counter=…` | KeeOtp |
| `TOTP Seed`, `TOTP Settings`: `30;6`, or `30;S` (Steam) | KeeTrayTOTP, KeePassXC before 2.4 |
| `TimeOtp-Secret`, `-Hex`, `-Base32`, `-Base64`, `TimeOtp-Period`, `-Length`, `-Algorithm` | KeePass 2.47 |
| `HmacOtp-Secret` and so on, `HmacOtp-Counter` | KeePass 2 |

What makes no seed (base32 that is none, a number that is none) stays what it is: a field.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clave.exchange.item import Field

_NUMBERED = re.compile(r"otp(?:_(\d{1,6}))?")
_NAMES = re.compile(
    r"otp(_\d{1,6})?|TOTP (Seed|Settings)"
    r"|(Time|Hmac)Otp-(Secret(-(Hex|Base32|Base64))?|Period|Length|Algorithm|Counter)"
)
_STEAM = "S"
_HASHES = {"SHA1": "SHA1", "SHA256": "SHA256", "SHA512": "SHA512"}


class _Seed(NamedTuple):
    secret: bytes
    kind: str = "totp"
    period: int = 30
    digits: int = 6
    algorithm: str = "SHA1"
    counter: int = 0
    steam: bool = False


def is_name(name: str) -> bool:
    """Tell whether a string of this name may be (part of) a seed."""
    return _NAMES.fullmatch(name) is not None


def names(uris: Sequence[str]) -> Iterator[str]:
    """Yield the name for each URI. KeePassXC takes `otp` for TOTP whatever it says: that is not for a counter's."""
    for number, uri in enumerate(uris, 1):
        yield "otp" if number == 1 and not uri.lower().startswith("otpauth://hotp") else f"otp_{number}"


def take(fields: Sequence[Field], title: str, user: str) -> tuple[list[str], list[Field]]:
    """Return the seeds as URIs, with a label of title and user, and the fields that are no part of one."""
    values = {each.name: each.value for each in reversed(fields) if is_name(each.name)}
    uris: dict[str, None] = {}
    used: set[str] = set()
    for name in sorted(filter(_NUMBERED.fullmatch, values), key=_number):
        value = values[name]
        seed = None if value.lower().startswith("otpauth://") else _keeotp(value)
        if seed or value.lower().startswith("otpauth://"):
            uris[_uri(seed, title, user) if seed else value] = None
            used.add(name)
    for found, consumed in (_tray(values), _keepass(values, "Time"), _keepass(values, "Hmac")):
        if found:
            uris[_uri(found, title, user)] = None
            used |= consumed
    rest = [each for each in fields if each.name not in used or values[each.name] != each.value]
    return list(uris), rest


def _number(name: str) -> int:
    match = _NUMBERED.fullmatch(name)
    return int(match[1] or 1) if match else 0


def _keeotp(value: str) -> _Seed | None:
    parameters = dict(parse_qsl(value))
    key, encoding = parameters.get("key", ""), parameters.get("encoding", "base32").lower()
    secret = _secret(key, {"base32": "Base32", "hex": "Hex", "base64": "Base64", "utf8": ""}.get(encoding, "?"))
    try:
        return (
            _Seed(
                secret,
                "hotp" if parameters.get("type", "totp").lower() == "hotp" else "totp",
                int(parameters.get("step", "30")),
                int(parameters.get("size", "6")),
                _HASHES[parameters.get("otpHashMode", "Sha1").upper()],
                int(parameters.get("counter", "0")),
            )
            if secret
            else None
        )
    except (ValueError, KeyError):
        return None


def _tray(values: Mapping[str, str]) -> tuple[_Seed | None, set[str]]:
    secret = _secret(values.get("TOTP Seed", ""), "Base32")
    settings = values.get("TOTP Settings", "30;6").split(";")
    if not secret or len(settings) < 2 or not settings[0].isdecimal():
        return None, set()
    used = {"TOTP Seed"}
    if len(settings) == 2:  # a third part is the address of a clock: it stays
        used.add("TOTP Settings")
    if settings[1] == _STEAM:
        return _Seed(secret, period=int(settings[0][:9]), digits=5, steam=True), used
    if not settings[1].isdecimal():
        return None, set()
    return _Seed(secret, period=int(settings[0][:9]), digits=int(settings[1][:9])), used


def _keepass(values: Mapping[str, str], kind: str) -> tuple[_Seed | None, set[str]]:
    prefix = f"{kind}Otp-"
    for form in ("", "Hex", "Base32", "Base64"):
        name = f"{prefix}Secret{form and '-' + form}"
        secret = _secret(values.get(name, ""), form)
        if not secret:
            continue
        algorithm = values.get(f"{prefix}Algorithm", "HMAC-SHA-1").upper().removeprefix("HMAC").replace("-", "")
        try:
            seed = _Seed(
                secret,
                "hotp" if kind == "Hmac" else "totp",
                int(values.get(f"{prefix}Period") or 30),
                int(values.get(f"{prefix}Length") or 6),
                _HASHES[algorithm],
                int(values.get(f"{prefix}Counter") or 0),
            )
        except (ValueError, KeyError):
            return None, set()
        parts = ("Algorithm", "Length", "Counter" if kind == "Hmac" else "Period")
        return seed, {name, *(f"{prefix}{part}" for part in parts if f"{prefix}{part}" in values)}
    return None, set()


def _secret(text: str, form: str) -> bytes | None:
    """Return the bytes of a secret, None for what is none."""
    bare = re.sub(r"[\s-]", "", text) if form else text
    try:
        if form == "Base32":
            bare = bare.upper().rstrip("=")
            return base64.b32decode(bare + "=" * (-len(bare) % 8)) or None
        if form == "Hex":
            return bytes.fromhex(bare) or None
        if form == "Base64":
            return base64.b64decode(bare, validate=True) or None
        return bare.encode() or None if not form else None
    except (binascii.Error, ValueError):
        return None


def _uri(seed: _Seed, title: str, user: str) -> str:
    label = ":".join(quote(each, safe="@") for each in (title, user) if each) or "unnamed"
    parts = [f"secret={base64.b32encode(seed.secret).decode().rstrip('=')}"]
    parts += [f"issuer={quote(title, safe='')}"] if title and user else []
    parts += [f"algorithm={seed.algorithm}"] if seed.algorithm != "SHA1" else []
    parts += [f"digits={seed.digits}"] if seed.digits != 6 else []
    if seed.kind == "hotp":
        parts.append(f"counter={seed.counter}")
    elif seed.period != 30:
        parts.append(f"period={seed.period}")
    parts += ["encoder=steam"] if seed.steam else []
    return f"otpauth://{seed.kind}/{label}?{'&'.join(parts)}"
