"""Keyrings that are thrown away. A key for a machine is made in one: it exists in what is returned, and nowhere else.

A keyring lies in a folder in RAM (`ram.py`). Its agent is stopped and the folder removed however this ends. After a
kill the next command sweeps the folder away, and an agent whose folder is gone ends by itself.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from clave import ram
from clave.errors import CannotDecrypt, CannotEncrypt, ProgramMissing
from clave.openpgp import certificates
from clave.openpgp.command import environment
from clave.places import KEY
from clave.process import run


class Made(NamedTuple):
    """A key: the secret one, which nothing protects, and its certificate, both armored."""

    secret: bytes
    certificate: bytes


def make(user_id: str, *, hint: str, allow_disk: bool = False) -> Made:
    """Make an ed25519 and cv25519 key without passphrase and expiry.

    Raises UsageError, with that hint, where there is no RAM to make it in and `allow_disk` is false; CannotEncrypt,
    CannotWrite.
    """
    place = ram.make(KEY, hint=hint, allow_disk=allow_disk)
    try:
        return _make(place.path, user_id)
    except ProgramMissing:
        raise CannotEncrypt("gpg is not installed", "Install gnupg and try again.") from None
    finally:
        try:
            stop(place.path)
        finally:
            place.remove()


def _make(home: str, user_id: str) -> Made:
    def gpg(*arguments: str) -> bytes:
        argv = ["gpg", "--no-options", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback"]
        result = run([*argv, "--passphrase", "", *arguments], env=environment())
        if result.code != 0:
            raise CannotEncrypt("gpg could not make the key", "See whether it can: gpg --full-generate-key.")
        return result.out

    gpg("--quick-gen-key", "--", user_id, "ed25519", "cert,sign", "never")
    fingerprint = _fingerprint(gpg("--with-colons", "--list-keys"))
    gpg("--quick-add-key", fingerprint, "cv25519", "encr", "never")
    secret = gpg("--armor", "--export-secret-keys", fingerprint)
    return Made(secret, certificates.armor(gpg("--export", fingerprint)))


def _fingerprint(listing: bytes) -> str:
    rows = (line.split(":") for line in listing.decode("utf-8", "replace").splitlines())
    return next(row[9] for row in rows if row[0] == "fpr")


def take(home: str, key: bytes) -> int:
    """Put secret keys into the keyring of a folder; return how many there are in it. Raises CannotDecrypt."""
    gpg = ["gpg", "--no-options", "--homedir", home, "--batch", "--quiet"]
    try:
        run([*gpg, "--import"], input=key, env=environment())
        listing = run([*gpg, "--with-colons", "--list-secret-keys"], env=environment()).out
    except ProgramMissing:
        raise CannotDecrypt("gpg is not installed", "Install gnupg and try again.") from None
    return sum(line.startswith(b"sec:") for line in listing.splitlines())


def stop(home: str) -> None:
    """Stop what serves the keyring of a folder, which is about to be removed."""
    with suppress(ProgramMissing):  # without gpgconf there is no agent to stop but one that ends with its folder
        for words in (("--kill", "all"), ("--remove-socketdir",)):
            run(["gpgconf", "--homedir", home, *words], env=environment())
