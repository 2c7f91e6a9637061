"""Many messages: in order, in bounded memory, with as many gpg processes at once as there are processors.

More would only compete: sixty-four at once lose gpg's lock files. A key that the agent will not use stops
the run, or the user would be asked once for every file.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from clave.errors import CannotDecrypt, KeyLocked
from clave.openpgp.message import decrypt, encrypt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from typing import TypeVar

    from clave.openpgp.keys import Recipient

    Item = TypeVar("Item")
    Done = TypeVar("Done")


def decrypt_many(
    items: Iterable[tuple[str, bytes]], *, options: Sequence[str] = ()
) -> Iterator[tuple[str, bytes | CannotDecrypt]]:
    """Yield name and plaintext of each (name, ciphertext), or in its place why there is none.

    Raises KeyLocked at the first message whose key the agent will not use.
    """

    def one(item: tuple[str, bytes]) -> tuple[str, bytes | CannotDecrypt]:
        name, ciphertext = item
        try:
            return name, decrypt(ciphertext, name=name, options=options)
        except KeyLocked:
            raise
        except CannotDecrypt as failure:
            return name, failure

    return _in_order(one, items)


def encrypt_many(
    items: Iterable[tuple[str, bytes, Sequence[Recipient]]], *, options: Sequence[str] = ()
) -> Iterator[tuple[str, bytes]]:
    """Yield name and ciphertext of each (name, plaintext, recipients). Raises CannotEncrypt."""

    def one(item: tuple[str, bytes, Sequence[Recipient]]) -> tuple[str, bytes]:
        name, plaintext, recipients = item
        return name, encrypt(plaintext, recipients, options=options)

    return _in_order(one, items)


def _in_order(work: Callable[[Item], Done], items: Iterable[Item]) -> Iterator[Done]:
    """Do the first alone (it may prompt for a passphrase), the others side by side; yield in order."""
    source = iter(items)
    for item in source:
        yield work(item)
        break
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Done]] = deque()
        try:
            for item in source:
                waiting.append(pool.submit(work, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
