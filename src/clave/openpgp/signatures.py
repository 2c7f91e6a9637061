"""Detached signatures: of `.gpg-id` files, as pass makes and checks them.

A signature counts only if gpg calls it good *and* valid: for a revoked or expired key gpg still says VALIDSIG,
and gpgv even exits with 0.
"""

from __future__ import annotations

import os
import tempfile

from clave.errors import ProgramMissing, VerificationFailed
from clave.openpgp.command import environment
from clave.openpgp.message import Status
from clave.process import STATUS_FD, run

_REFUSED = {
    b"REVKEYSIG": "the signature is by a revoked key",
    b"EXPKEYSIG": "the signature is by an expired key",
    b"EXPSIG": "the signature has expired",
    b"BADSIG": "the signature does not fit the file",
    b"ERRSIG": "the signature is by a key that is not in your keyring",
}


def verify(signature: bytes, data: bytes) -> tuple[str, ...]:
    """Return the fingerprints of the key that made a good detached signature of `data`: primary key, signing subkey.

    Raises VerificationFailed for everything else, also for more than one signature.
    """
    # gpg takes the signature from a file; it is no secret.
    with tempfile.NamedTemporaryFile(prefix="clave-", suffix=".sig") as file:
        file.write(signature)
        file.flush()
        argv = ["gpg", "--batch", "--quiet", "--status-fd", str(STATUS_FD), "--verify", file.name, "-"]
        try:
            result = run(argv, input=data, env=environment(), status=True)
        except ProgramMissing:
            raise VerificationFailed("gpg is not installed", "Install gnupg and try again.") from None
    status = Status(result.status)
    for keyword, reason in _REFUSED.items():
        if status.has(keyword):
            raise VerificationFailed(reason)
    good, valid = status.words(b"GOODSIG"), status.words(b"VALIDSIG")
    if result.code != 0 or len(good) != 1 or len(valid) != 1:
        raise VerificationFailed("the signature is invalid")
    return (valid[0][9], valid[0][0]) if len(valid[0]) > 9 else (valid[0][0],)


def sign(data: bytes, key: str) -> bytes:
    """Return a detached binary signature of `data` by the secret key `key`. Raises VerificationFailed."""
    argv = ["gpg", "--batch", "--quiet", "--yes", "--no-armor", "--local-user", key, "--detach-sign"]
    try:
        result = run(argv, input=data, env=environment())
    except ProgramMissing:
        raise VerificationFailed("gpg is not installed", "Install gnupg and try again.") from None
    if result.code != 0 or not result.out:
        raise VerificationFailed(f"gpg could not sign with {os.path.basename(key)}", "Check the key: clave doctor.")
    return result.out
