"""Certificates that were given as bytes: what they say, whom they encrypt to, whose signatures they make good.

No keyring takes part: a team store brings the certificates of its members along, and what is not in them does not
count. A file has one certificate, public, and nothing else; binary or one block of ASCII armor.

The encryption subkey is the one that gpg would take: the newest that is valid; the primary key, where it encrypts and
no subkey does.

All this is Sequoia's work (`components`, `detached`), loaded when it is needed. Whoever has no Sequoia has no team
store: VerificationFailed.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from functools import lru_cache
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from clave.errors import CannotEncrypt, NotFound, ProgramMissing, UsageError, VerificationFailed
from clave.openpgp import packets
from clave.openpgp.command import environment
from clave.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clave.openpgp.components import Certificate, Known, Subkey
    from clave.openpgp.detached import Checked
    from clave.openpgp.keys import Recipient

_LARGEST = 256 << 10  # bytes of a certificate
_BLOCK = b"PGP PUBLIC KEY BLOCK"


def read(data: bytes) -> Certificate | None:
    """Return what a certificate says, None for what is none."""
    known = _known(data)
    return known.certificate if known else None


def problem(certificate: Certificate, now: float | None = None) -> str | None:
    """Say why a certificate cannot be encrypted to ("expired on 2026-01-31"), None if it can."""
    now = time.time() if now is None else now
    if not _is_one_public_key(certificate):
        return "is not one public key"
    if len(certificate.fingerprint) != 40:
        return "is of a version that gpg does not read"
    if certificate.revoked:
        return "is revoked"
    if not certificate.accepted:
        return "has no good signature by itself, or only one of a kind that is too weak"
    if _has_ended(certificate.expires, now):
        return _expired(certificate.expires)
    able = [key for key in certificate.keys if key.can_encrypt]
    if not able:
        return "has no encryption subkey"
    if encryption_subkey(certificate, now) is None:
        newest = max(able, key=lambda key: key.created)
        return "has an encryption subkey that " + ("is revoked" if newest.revoked else _expired(newest.expires))
    return None


def encryption_subkey(certificate: Certificate, now: float | None = None) -> Subkey | None:
    """Return the key that gpg would encrypt to, None if there is none."""
    now = time.time() if now is None else now
    if certificate.revoked or not certificate.accepted or _has_ended(certificate.expires, now):
        return None
    able = [key for key in certificate.keys if key.can_encrypt and not key.revoked and not _has_ended(key.expires, now)]
    subkeys = [key for key in able if key is not certificate.primary]
    return max(subkeys or able, key=lambda key: key.created, default=None)


def signing_keys(certificate: Certificate, now: float | None = None) -> list[str]:
    """Return the fingerprints of the keys whose signatures of now are good, the newest first."""
    now = time.time() if now is None else now
    if certificate.revoked or not certificate.accepted or _has_ended(certificate.expires, now):
        return []
    able = [key for key in certificate.keys if key.can_sign and not key.revoked and not _has_ended(key.expires, now)]
    return [key.fingerprint for key in sorted(able, key=lambda key: key.created, reverse=True)]


def only(data: bytes, subkey_id: str) -> bytes:
    """Return a binary certificate with the encryption subkey of this id and no other subkey. Raises CannotEncrypt."""
    known = _known(data)
    if known and _is_one_public_key(known.certificate) and subkey_id in known.certificate.encryption:
        return known.parts.written(each for each in known.parts.subkeys if each.id == subkey_id)
    raise CannotEncrypt(f"the encryption subkey {subkey_id} is not in the certificate of its owner")


@contextmanager
def in_files(recipients: Sequence[Recipient]) -> Iterator[list[str]]:
    """Yield the options that tell gpg the recipients: those with certificates by files with nothing but their subkey.

    The files hold public data, and are gone afterwards. Raises CannotEncrypt.
    """
    with TemporaryDirectory(prefix="clave-") as folder:
        argv = ["--no-keyring"] if all(recipient.certificate for recipient in recipients) else []
        for recipient in recipients:
            if recipient.certificate is None:
                argv += ["--recipient", f"{recipient.subkey}!"]
                continue
            path = os.path.join(folder, recipient.key_id)
            with open(path, "wb") as file:
                file.write(only(recipient.certificate, recipient.key_id))
            argv += ["--recipient-file", path]
        yield argv


def armor(data: bytes) -> bytes:
    """Return a certificate as ASCII armor, without pictures and what others have signed. Raises UsageError."""
    known = _known(data)
    if known is None or not _is_one_public_key(known.certificate):
        raise UsageError("this is not one public OpenPGP key")
    return packets.armor(known.parts.written(known.parts.subkeys), _BLOCK)


def merged(older: bytes, newer: bytes) -> bytes:
    """Return two copies of a certificate as one, armored: a signature that either makes good stays good.

    gpg replaces the signature that bears an expiry when that is extended; with the new one alone the key seems not to
    have been valid before. Where the newer one has nothing new, the older one is returned as it is. Raises UsageError.
    """
    old, new = _known(older), _known(newer)
    if old is None or new is None or old.certificate.primaries != new.certificate.primaries:
        raise UsageError("these are not two copies of one public OpenPGP key")
    both = old.merged(new)
    return older if both == old.merged(old) else armor(both)


def verify(payload: bytes, signature: bytes, certificates: Iterable[bytes]) -> Checked:
    """Check a detached signature against these certificates alone."""
    try:
        from clave.openpgp import detached
    except ImportError:
        raise _without_sequoia() from None
    return detached.verify(payload, signature, certificates, _known)


def exported(fingerprint: str) -> bytes:
    """Return the certificate that the user's keyring has under this fingerprint, armored. Raises NotFound."""
    options = ["--no-options", "--export-options", "export-minimal"]
    data = _gpg([*options, "--export", "--", fingerprint])
    certificate = read(data)
    if certificate is None or certificate.fingerprint != fingerprint.upper():
        raise NotFound(f"there is no key {fingerprint} in your keyring", "See what is there: gpg --list-keys.")
    return armor(data)


def from_file(path: str) -> bytes:
    """Return the one public certificate that a file holds, armored. Raises UsageError."""
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as failure:
        raise UsageError(f"cannot read {path}: {os.strerror(failure.errno or 0)}") from None
    certificate = read(data)
    if certificate is None:
        raise UsageError(f"{path} holds no OpenPGP key, or more than one", "Make one: gpg --export FINGERPRINT > FILE.")
    if certificate.secret:
        raise UsageError(
            f"{path} holds a secret key", "Give it to nobody; a public key is made with: gpg --export FINGERPRINT."
        )
    if len(certificate.primaries) != 1:
        raise UsageError(f"{path} holds {len(certificate.primaries)} keys", "Export one: gpg --export FINGERPRINT.")
    return armor(data)


def own_signing_keys() -> dict[str, tuple[str, ...]]:
    """Return the keys with which the user can sign, on a smartcard or not, by the fingerprint of their primary key."""
    able: dict[str, tuple[str, ...]] = {}
    primary, usable, signs = "", False, False
    for line in _gpg(["--with-colons", "--list-secret-keys"]).decode("utf-8", "replace").splitlines():
        row = line.split(":")
        match row[0]:
            case "sec":
                primary, usable = "", row[1] not in _UNUSABLE and "D" not in row[11]
                signs = _signs(row)
            case "ssb":
                signs = _signs(row)
            case "fpr":
                primary = primary or row[9]
                if usable and signs:
                    able[primary] = (*able.get(primary, ()), row[9])
    return able


_UNUSABLE = ("r", "e", "i", "n", "d")  # field 2 of a listing of gpg


def _signs(row: Sequence[str]) -> bool:
    """Tell whether a listed key can sign: its secret part is there, or on a card."""
    return row[1] not in _UNUSABLE and "s" in row[11] and row[14] != "#"


@lru_cache(maxsize=4096)
def _known(data: bytes) -> Known | None:
    """Take a certificate apart, once."""
    try:
        from clave.openpgp import components
    except ImportError:
        raise _without_sequoia() from None
    return components.known(data) if len(data) <= _LARGEST else None


def _without_sequoia() -> VerificationFailed:
    return VerificationFailed(
        "the signatures of a team store cannot be checked: pysequoia is not installed",
        "Install it: pip install pysequoia.",
    )


def _is_one_public_key(certificate: Certificate) -> bool:
    return len(certificate.primaries) == 1 and not certificate.secret


def _has_ended(expires: int | None, now: float) -> bool:
    return expires is not None and expires <= now


def _expired(expires: int | None) -> str:
    from datetime import UTC, datetime

    return "expired" if expires is None else f"expired on {datetime.fromtimestamp(expires, UTC):%Y-%m-%d}"


def _gpg(arguments: Sequence[str]) -> bytes:
    try:
        return run(["gpg", "--batch", "--quiet", *arguments], env=environment()).out
    except ProgramMissing:
        raise CannotEncrypt("gpg is not installed", "Install gnupg and try again.") from None
