"""How gpg is called: its name, its environment, and the command that decrypts.

The fast path starts gpg through this before it loads anything else: only what that takes may be imported here.
"""

from __future__ import annotations

import os

from clave.process import STATUS_FD, start, with_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clave.errors import ProgramMissing
    from clave.process import Running

LIMIT = 1 << 30  # bytes of plaintext: more is a decompression bomb


def user_options(environ: Mapping[str, str]) -> list[str]:
    """Return the user's own options for gpg, split at blanks as pass does."""
    return environ.get("PASSWORD_STORE_GPG_OPTS", "").split()


def environment() -> dict[str, str]:
    """Return the environment for gpg, which may have to ask for a passphrase."""
    return with_terminal(os.environ)


def start_gpg(argv: Sequence[str], *, limit: int | None = None) -> Running:
    """Start gpg with its status on a pipe of its own; some systems call it gpg2. Raises ProgramMissing."""
    try:
        return start(["gpg", *argv], env=environment(), status=True, limit=limit)
    except _missing():
        return start(["gpg2", *argv], env=environment(), status=True, limit=limit)


def start_decrypting(options: Sequence[str] = (), *, limit: int = LIMIT) -> Running:
    """Start a gpg that decrypts the one message that it will get. Raises GpgMissing."""
    # Trust is about the signer of an inner signature, whom nobody asks for here: without, gpg reads no trust database.
    argv = [*options, "--quiet", "--trust-model", "always", "--status-fd", str(STATUS_FD), "--decrypt"]
    try:
        return start_gpg(argv, limit=limit)
    except _missing():
        from clave.errors import GpgMissing

        raise GpgMissing("gpg is not installed", "Install gnupg and try again.") from None


def start_listing() -> Running:
    """Start a gpg that lists the user's own keys with all that is public of them. Raises ProgramMissing."""
    argv = ["gpg", "--batch", "--list-secret-keys", "--with-keygrip", "--with-key-data"]
    return start(argv, env=environment(), input=b"")


def _missing() -> type[ProgramMissing]:
    # Called only when something was raised: errors are loaded after gpg was started.
    from clave.errors import ProgramMissing

    return ProgramMissing
