"""When a key expires that is kept as a secret: any key, also with its secret part, at which gpg only looks.

Nothing is imported, and the user's key rings and options have no part in it.
"""

from __future__ import annotations

from clave.errors import OutputTooLarge, ProgramMissing
from clave.openpgp.command import environment
from clave.process import run

_LIMIT = 1 << 20  # bytes of a listing
# A listing of `--with-colons`: what kind of record, whether it is of use, when it expires (GnuPG's doc/DETAILS).
_PRIMARY, _SUBKEY = ("pub", "sec"), ("sub", "ssb")
_REVOKED = "r"


def expires(data: bytes) -> int | None:
    """Return when the key that `data` is expires, in seconds since 1970; None: never, or it is no key.

    That is when the primary key expires, or before that the last of its subkeys that are not revoked.
    """
    shown = ["--with-colons", "--show-keys"]
    argv = ["gpg", "--batch", "--quiet", "--no-options", "--no-default-keyring", "--no-auto-check-trustdb", *shown]
    try:
        listing = run(argv, input=data, env=environment(), limit=_LIMIT).out
    except (ProgramMissing, OutputTooLarge):
        return None
    primary: list[int | None] = []
    subkeys: list[int | None] = []
    for line in listing.decode(errors="replace").splitlines():
        row = line.split(":")
        if len(row) > 11 and row[0] in (*_PRIMARY, *_SUBKEY) and row[1] != _REVOKED:
            (primary if row[0] in _PRIMARY else subkeys).append(int(row[6]) if row[6].isdecimal() else None)
    # Of the subkeys the last one counts, which never ends if one of them does not.
    last = [None if None in subkeys else max(each for each in subkeys if each is not None)] if subkeys else []
    return min((each for each in (*primary, *last) if each is not None), default=None)
