"""A key for a machine, made in a keyring that is thrown away: it exists in what is returned, and nowhere else.

The keyring lies in a folder in RAM (`ram.py`). Its agent is stopped and the folder removed however this ends. After a
kill the next command sweeps the folder away, and an agent whose folder is gone ends by itself.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from clave import ram
from clave.errors import CannotEncrypt, ProgramMissing
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
            _stop(place.path)
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


def _stop(home: str) -> None:
    """Stop what serves a keyring. Without gpgconf there is an agent at most that ends when its folder is gone."""
    with suppress(ProgramMissing):
        for words in (("--kill", "all"), ("--remove-socketdir",)):
            run(["gpgconf", "--homedir", home, *words], env=environment())
