"""A machine's key for as long as one program runs: CI has it as a text, and no keyring.

- The key is imported into a keyring of its own, in a folder of RAM. When the program ends, by a signal too, the agent
  is stopped and the folder removed; what a kill -9 leaves the next command removes, and the agent ends by itself.
- The program is to run clave: it gets GNUPGHOME, and what else clave reads. What `clave exec` starts in it does not.
- A variable that holds a secret key, as CI hands it over, the program does not get.
- A fresh clone knows nothing of its store, so CLAVE_ROOT has to say which one it is: a machine cannot be asked.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from clave import places, ram
from clave.delivery import supervising
from clave.errors import NotFound, UsageError
from clave.openpgp import throwaway
from clave.store.trust.pins import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LIMIT = 1 << 20  # bytes of a key
_SECRET = b"-----BEGIN PGP PRIVATE KEY BLOCK"
_SIGNALS = (signal.SIGHUP, signal.SIGTERM)


def run(argv: Sequence[str], key: bytes) -> int:
    """Run a program with a keyring that has one key; return its exit code.

    Raises UsageError (no CLAVE_ROOT, no key, no RAM), CannotDecrypt (no gpg), and what `supervising.supervise` raises.
    """
    require_root()
    with keyring(key) as home:
        env = {name: value for name, value in os.environb.items() if _SECRET not in value}
        return supervising.supervise(argv, {**env, b"GNUPGHOME": os.fsencode(home)})


def require_root() -> None:
    """Raise UsageError unless the machine was told which store it is to use."""
    if not os.environ.get(ROOT, "").strip():
        raise UsageError(
            f"{ROOT} is not set: a machine has to be told which store it is to use",
            "Set it to the words that a member sees: clave pin --words.",
        )


def read_key(path: str) -> bytes:
    """Return the key in a file. Raises NotFound, UsageError."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    return read_key_from(file)


def read_key_from(descriptor: int) -> bytes:
    """Return the key that comes from a descriptor, which is closed. Raises UsageError."""
    try:
        with open(descriptor, "rb") as stream:
            key = stream.read(_LIMIT + 1)
    except OSError as error:
        raise UsageError(f"the key cannot be read: {error.strerror}") from None
    if len(key) > _LIMIT:
        raise UsageError(f"the key is larger than {_LIMIT >> 20} MiB", _EXPORT)
    return key


_EXPORT = "It is what 'clave team machine' printed, or: gpg --armor --export-secret-keys."


@contextmanager
def keyring(key: bytes) -> Iterator[str]:
    """Make a keyring with a key in RAM; it is gone afterwards. Raises UsageError, CannotDecrypt, CannotWrite."""
    with _ending_on_signals():
        place = ram.make(places.CI, hint="A machine's key is put nowhere else.")
        try:
            count = throwaway.take(place.path, key)
            if count != 1:
                raise UsageError(f"the key of the machine has {count or 'no'} secret keys in it, and not one", _EXPORT)
            yield place.path
        finally:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            with suppress(KeyboardInterrupt):
                throwaway.stop(place.path)
            place.remove()


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Let signals end this process as an exception does, so that what is to be removed is."""

    def end(number: int, _: object) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
