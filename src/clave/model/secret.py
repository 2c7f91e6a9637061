"""A plaintext and what can be read in it: password, fields, notes, one-time codes.

Line 1 is the password. Below it, lines `key: value` are fields, lines that begin with `otpauth://` are seeds of
one-time codes, and the rest is free text. The bytes are never normalised: what is not changed stays as it is,
down to the line ends.
"""

from __future__ import annotations

import re

# Fields that are no secret (DESIGN, Store format); free text is notes.
PUBLIC_FIELDS = frozenset(("user", "username", "login", "url", "host", "port", "tags", "notes", "expires"))
_PASSWORD = frozenset(("password", "pass"))
# Managers write the same thing under these names; whoever asks for `user` means any of them.
_USER = ("user", "username", "login")
OTP = "otp"  # asked for as a field, it is the code of now

_FIELD = re.compile(rb"([^\s:][^:]*?)[ \t]*:(?!//)[ \t]*(.*)", re.DOTALL)
_OTP = b"otpauth://"
_PEM = re.compile(rb"\s*-----BEGIN ")


class Secret:
    """One plaintext, exactly as stored."""

    __slots__ = ("plaintext",)

    def __init__(self, plaintext: bytes) -> None:
        self.plaintext = plaintext

    @property
    def lines(self) -> list[bytes]:
        """The lines without their newlines (a CR before one stays); a final newline begins no further line."""
        lines = self.plaintext.split(b"\n")
        return lines[:-1] if lines[-1] == b"" else lines

    @property
    def password(self) -> bytes:
        """Line 1 without its newline."""
        return self.plaintext.partition(b"\n")[0]

    @property
    def fields(self) -> list[tuple[str, bytes]]:
        """The `key: value` lines below line 1, in their order; a CR at the end of a value is left out."""
        found = (_field(line) for line in self.lines[1:])
        return [each for each in found if each is not None]

    def field(self, name: str) -> bytes | None:
        """Return a field by name, upper and lower case alike, the first of several; None where there is none.

        `password` is line 1 and `notes` the free text, unless a field has that name.
        """
        wanted = name.casefold()
        for key, value in self.fields:
            if key.casefold() == wanted:
                return value
        if wanted in _PASSWORD:
            return self.password
        if wanted == "notes" and self.notes:
            return self.notes
        return None

    @property
    def otp_uris(self) -> list[str]:
        """The `otpauth://` lines, wherever they stand."""
        found = (line.strip() for line in self.lines)
        return [line.decode("utf-8", "surrogateescape") for line in found if line.lower().startswith(_OTP)]

    @property
    def notes(self) -> bytes:
        """The lines below line 1 that are neither fields nor seeds, with a newline after each."""
        rest = (line for line in self.lines[1:] if _field(line) is None and not _is_otp(line))
        return b"".join(line + b"\n" for line in rest).strip(b"\n")

    @property
    def is_text(self) -> bool:
        """Whether the plaintext is UTF-8 without NUL."""
        try:
            return "\0" not in self.plaintext.decode()
        except UnicodeDecodeError:
            return False

    def with_password(self, value: bytes) -> Secret:
        """Return the secret with another line 1. Raises ValueError for a value with a newline."""
        _one_line(value)
        _, newline, rest = self.plaintext.partition(b"\n")
        return Secret(value + (newline or b"\n") + rest)

    def with_field(self, name: str, value: bytes) -> Secret:
        """Return the secret with one field set: its line replaced, or a line appended; `password` is line 1.

        Raises ValueError for a value with a newline or a carriage return at its end, which would be read as part of
        the line's, or for a name that a line cannot hold.
        """
        if name.casefold() in _PASSWORD and not any(key.casefold() == name.casefold() for key, _ in self.fields):
            return self.with_password(value)
        _one_line(value)
        if value.endswith(b"\r"):
            raise ValueError("the value of a field cannot end with a carriage return")
        return self._replaced(name, value)

    def without_field(self, name: str) -> Secret:
        """Return the secret without the line of a field; as it is where there is none."""
        return self._replaced(name, None)

    def _replaced(self, name: str, value: bytes | None) -> Secret:
        key = name.encode("utf-8", "surrogateescape")
        if b"\n" in key or _field(key + b": x") != (name, b"x"):
            raise ValueError(f"'{name}' cannot be the name of a field")
        lines = self.plaintext.split(b"\n")
        for number, line in enumerate(lines[1:], 1):
            found = _field(line)
            if found is not None and found[0].casefold() == name.casefold():
                if value is None:
                    del lines[number]
                else:
                    end = b"\r" if line.endswith(b"\r") else b""
                    before = line[: line.index(b":") + 1]
                    lines[number] = before + b" " + value + end
                return Secret(b"\n".join(lines))
        if value is None:
            return self
        end = b"" if self.plaintext.endswith(b"\n") else b"\n"
        return Secret(self.plaintext + end + key + b": " + value + b"\n")


def find_field(secret: Secret, name: str) -> bytes | None:
    """Return the field that somebody who asks for `name` means, None where there is none."""
    names = _USER if name.casefold() == _USER[0] else (name,)
    return next((text for text in map(secret.field, names) if text is not None), None)


def field_names(secret: Secret) -> list[str]:
    """Return what can be asked for, in the order in which one logs in and then that of the entry."""
    fields = dict.fromkeys(name for name, _ in secret.fields)
    user = next((name for name in _USER if secret.field(name) is not None), None)
    names = ([user] if user else []) + (["password"] if secret.password else [])
    names += [OTP] if secret.otp_uris else []
    names += ["notes"] if secret.notes else []
    return list(dict.fromkeys([*names, *fields]))


def is_secret_field(name: str) -> bool:
    """Tell whether the value of a field is to be kept from people who look over a shoulder."""
    return name.casefold() not in PUBLIC_FIELDS


def compare(old: bytes | None, new: bytes) -> str:
    """Return how much of a secret is new: "value" all secret fields, "part" some, "meta" none.

    Secret are line 1, the seeds, and every field but user, login, url, host, port, tags, notes and expires. What is no
    text, or a key file, is one secret as a whole.
    """
    if old is None:
        return "value"
    if is_whole(old) or is_whole(new):
        return "meta" if old == new else "value"
    before, after = _secret_fields(Secret(old)), _secret_fields(Secret(new))
    kept = [key for key, value in after.items() if before.get(key) == value]
    if len(kept) == len(after) and len(after) >= len(before):
        return "meta"
    # A secret field that was removed leaves the others as they were.
    return "part" if kept else "value"


def _secret_fields(secret: Secret) -> dict[str, list[bytes]]:
    fields: dict[str, list[bytes]] = {"": [secret.password]}
    for key, value in secret.fields:
        if is_secret_field(key):
            fields.setdefault(key.casefold(), []).append(value)
    for line in secret.lines[1:]:
        if _is_otp(line):
            fields.setdefault("otpauth:", []).append(line.strip())
    return fields


def secrets_in(plaintext: bytes) -> frozenset[bytes]:
    """Return the secrets in a plaintext: line 1, the seeds, and every field that is one; none that is empty."""
    if is_whole(plaintext):
        return frozenset((plaintext,))
    return frozenset(value for values in _secret_fields(Secret(plaintext)).values() for value in values if value)


def is_whole(plaintext: bytes) -> bool:
    """Tell whether a plaintext is one secret as a whole: no text, or a key file."""
    return _PEM.match(plaintext) is not None or not Secret(plaintext).is_text


def is_file(plaintext: bytes) -> bool:
    """Tell whether a plaintext is used as a whole alone, and has no password: a key file, or data with a NUL."""
    return _PEM.match(plaintext) is not None or b"\0" in plaintext


def part_of(line: bytes) -> str:
    """Return of which part a line below line 1 is: `:name` of a field (lower case), `otp`, or `text`."""
    if _is_otp(line):
        return "otp"
    field = _field(line)
    return f":{field[0].casefold()}" if field else "text"


def _is_otp(line: bytes) -> bool:
    return line.strip().lower().startswith(_OTP)


def _field(line: bytes) -> tuple[str, bytes] | None:
    if _is_otp(line):
        return None
    match = _FIELD.fullmatch(line.removesuffix(b"\r"))
    if match is None:
        return None
    return match[1].decode("utf-8", "surrogateescape"), match[2]


def _one_line(value: bytes) -> None:
    if b"\n" in value:
        raise ValueError("the value of a field is one line")
