"""Bitwarden's JSON under a password ("password protected"): read and written. Inside is `bitwarden_json`'s document.

    key    = PBKDF2-SHA-256(password, salt, iterations), or Argon2id(password, SHA-256(salt), iterations, memory, lanes)
    keys   = HKDF-Expand(key, "enc"), HKDF-Expand(key, "mac")
    a text = "2." iv "|" AES-256-CBC "|" HMAC-SHA-256 over iv and ciphertext, each in base64

1. The numbers of the file are taken within what Bitwarden itself accepts; more would be work for a year.
2. Nothing is decrypted before its HMAC is right. If that of the short text is wrong, so is the password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from typing import TYPE_CHECKING

from clave.errors import CannotDecrypt, UsageError
from clave.exchange.format import BadFile, Format
from clave.exchange.formats._objects import Node
from clave.exchange.formats.bitwarden_json import FORMATS as PLAIN
from clave.exchange.formats.bitwarden_json import document, is_bitwarden, read_document

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from clave.exchange.format import Source, WriteOptions
    from clave.exchange.item import Item, Lost, Parsed

ITERATIONS = 600_000  # of what we write: Bitwarden's own number
_MOST = {"iterations": 2_000_000, "rounds": 10, "memory": 1024, "lanes": 16}  # memory in MiB
_BLOCK = 16  # bytes of AES
_VALIDATION = "encKeyValidation_DO_NOT_EDIT"


class BitwardenEncrypted(Format):
    """Bitwarden's JSON under a password."""

    name = "bitwarden-encrypted"
    title = "Bitwarden (JSON, password protected)"
    plaintext = False
    writes = True

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - the content says it
        """Tell by the first members."""
        return is_bitwarden(head) and b'"passwordProtected"' in head

    def read(self, source: Source) -> Parsed:
        """Return the items."""
        from clave.exchange.limits import MAX_TEXT, load_json

        top = Node(load_json(source.read(MAX_TEXT)), "the document")
        if not top.flag("passwordProtected"):
            return read_document({"encrypted": True}, deleted=False)  # says what to do
        keys = _keys_of(top, source)
        _opened(top.text(_VALIDATION), keys, "the password is wrong")
        data = _opened(top.text("data"), keys, "the file was changed")
        return read_document(load_json(data), deleted=source.options.include_deleted)

    def losses(self, items: Sequence[Item]) -> list[Lost]:
        """Return what the JSON inside does not carry."""
        return PLAIN[0].losses(items)

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:
        """Return the document. Raises UsageError without a password."""
        if options.password is None:
            raise UsageError(f"{self.name} wants a password", "Use --password-file or --password-fd.")
        salt = base64.b64encode(os.urandom(16)).decode()
        keys = _stretched(hashlib.pbkdf2_hmac("sha256", options.password().encode(), salt.encode(), ITERATIONS))
        shape: dict[str, Any] = {
            "encrypted": True,
            "passwordProtected": True,
            "salt": salt,
            "kdfType": 0,
            "kdfIterations": ITERATIONS,
            "kdfMemory": None,
            "kdfParallelism": None,
            _VALIDATION: _sealed(os.urandom(16).hex().encode(), keys),
            "data": _sealed(json.dumps(document(items), ensure_ascii=False).encode(), keys),
        }
        return json.dumps(shape, indent=2).encode()


def _keys_of(top: Node, source: Source) -> tuple[bytes, bytes]:
    """Return the keys that the file's numbers make of the password. Raises BadFile before the password is asked for."""
    salt, kind = top.text("salt").encode(), top.number("kdfType")
    count, memory, lanes = (top.number(key) for key in ("kdfIterations", "kdfMemory", "kdfParallelism"))
    if kind == 0:
        iterations = _within(count, "iterations")
        return _stretched(hashlib.pbkdf2_hmac("sha256", source.password().encode(), salt, iterations))
    if kind == 1:
        try:
            from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
        except ImportError:
            raise _missing() from None
        rounds, size, threads = _within(count, "rounds"), _within(memory, "memory"), _within(lanes, "lanes")
        derive = Argon2id(
            salt=hashlib.sha256(salt).digest(), length=32, iterations=rounds, lanes=threads, memory_cost=size * 1024
        )
        return _stretched(derive.derive(source.password().encode()))
    raise BadFile("the password of this file is used in a way that is not known", "Export it again, with PBKDF2.")


def _within(number: float, what: str) -> int:
    if isinstance(number, int) and 1 <= number <= _MOST[what]:
        return number
    raise BadFile(f"the file asks for {what} that Bitwarden does not take (1 to {_MOST[what]})", "Do not trust it.")


def _stretched(key: bytes) -> tuple[bytes, bytes]:
    """Return the two keys: HKDF-Expand to the length of one block."""
    first, second = (hmac.digest(key, info + b"\x01", "sha256") for info in (b"enc", b"mac"))
    return first, second


def _opened(text: str, keys: tuple[bytes, bytes], why: str) -> bytes:
    parts = text.removeprefix("2.").split("|")
    try:
        iv, ciphertext, code = (base64.b64decode(each, validate=True) for each in parts)
    except (ValueError, binascii.Error):
        raise BadFile("the document holds no encrypted text where one belongs", "Export it again.") from None
    if not text.startswith("2.") or len(iv) != _BLOCK or not ciphertext or len(ciphertext) % _BLOCK:
        raise BadFile("the document is encrypted in a way that is not known", "Export it again.")
    if not hmac.compare_digest(hmac.digest(keys[1], iv + ciphertext, "sha256"), code):
        raise CannotDecrypt(f"the export cannot be decrypted: {why}", "Try again with the password of the export.")
    padded: bytes = _aes(keys[0], iv).decryptor().update(ciphertext)
    if not 1 <= padded[-1] <= _BLOCK:
        raise BadFile("the document is damaged inside", "Export it again.")
    return padded[: -padded[-1]]


def _sealed(plaintext: bytes, keys: tuple[bytes, bytes]) -> str:
    iv, missing = os.urandom(_BLOCK), _BLOCK - len(plaintext) % _BLOCK
    ciphertext = _aes(keys[0], iv).encryptor().update(plaintext + bytes((missing,)) * missing)
    code = hmac.digest(keys[1], iv + ciphertext, "sha256")
    return "2." + "|".join(base64.b64encode(each).decode() for each in (iv, ciphertext, code))


def _missing() -> UsageError:
    return UsageError("an encrypted export wants the package cryptography", "Install it, or use another export.")


def _aes(key: bytes, iv: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError:
        raise _missing() from None
    return Cipher(algorithms.AES(key), modes.CBC(iv))


FORMATS = (BitwardenEncrypted(),)
