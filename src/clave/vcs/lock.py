"""One writer a store: a lock on a folder that vanishes with its process, and with the git that it has started.

A git that we run under the lock inherits it: if we are killed while git moves HEAD, nobody else begins before git
is done. gpg does not: it may wait for a PIN for ever.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clave.errors import Busy, CannotWrite

if TYPE_CHECKING:
    from collections.abc import Iterator

# How long a command waits for another one's write, in seconds. A rekey of thousands takes longer: 75 then.
PATIENCE = 30.0
_PAUSE = 0.02

_held: list[int] = []


@contextmanager
def exclusive(folder: str) -> Iterator[None]:
    """Hold the lock on `folder`; wait up to PATIENCE seconds for it, then raise Busy."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be locked: {error.strerror}", "Check that it exists.") from None
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Busy("another clave is writing to this store", "Try again when it is done.") from None
                time.sleep(_PAUSE)
        _held.append(descriptor)
        try:
            yield
        finally:
            _held.remove(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def handed_on() -> Iterator[None]:
    """What is started meanwhile keeps the locks that we hold until it ends."""
    for descriptor in _held:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - it takes no keyword
    try:
        yield
    finally:
        for descriptor in _held:
            os.set_inheritable(descriptor, False)  # noqa: FBT003
