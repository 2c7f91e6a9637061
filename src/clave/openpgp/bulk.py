"""Many messages: in order and in bounded memory, most of them without a gpg of their own.

A few messages are gpg's, one process each: making the engine ready takes as long as that. Many are the engine's
(`engine`), which leaves to gpg what it must; all are gpg's where the libraries of the engine are not installed, or
where the user has options of their own for gpg.

No more gpg processes run at once than there are processors (sixty-four lose gpg's lock files), and the first message
for other recipients runs alone: it may ask for a passphrase. A key that the agent will not use stops the run, or the
user would be asked once for every file.
"""

from __future__ import annotations

import os
from collections import deque
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from clave.errors import BadMessage, CannotDecrypt, KeyLocked, ProgramMissing
from clave.openpgp.command import start_listing
from clave.openpgp.message import decrypt, encrypt
from clave.openpgp.packets import dearmor, inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future, ThreadPoolExecutor
    from types import ModuleType
    from typing import Any, Self

    from clave.openpgp.engine import Opener
    from clave.openpgp.keys import Recipient

Item = TypeVar("Item")
Done = TypeVar("Done")

_FEW = 8  # messages that gpg is through with while the engine is made ready


def decrypt_many(
    items: Iterable[tuple[str, bytes]], *, options: Sequence[str] = ()
) -> Iterator[tuple[str, bytes | CannotDecrypt]]:
    """Yield name and plaintext of each (name, ciphertext), or in its place why there is none.

    Raises KeyLocked at the first message whose key the agent will not use.
    """
    few, items = _few(items)
    opener = None if few or options else _opener()
    refused: list[KeyLocked] = []
    used: set[tuple[str, ...]] = set()  # the recipients of messages that gpg has had

    def by_gpg(name: str, ciphertext: bytes) -> bytes | CannotDecrypt:
        if refused:
            return refused[0]
        try:
            return decrypt(ciphertext, name=name, options=options)
        except CannotDecrypt as failure:
            if isinstance(failure, KeyLocked):
                refused.append(failure)
            return failure

    def steps() -> Iterator[tuple[str, Callable[[], bytes | CannotDecrypt]]]:
        opened = opener.open(items) if opener else ((name, ciphertext, None) for name, ciphertext in items)
        for name, ciphertext, plaintext in opened:
            if plaintext is None:
                recipients = _recipients(ciphertext)
                yield name, processes.start(partial(by_gpg, name, ciphertext), alone=recipients not in used)
                used.add(recipients)
            else:
                yield name, partial(_known, plaintext)
            if refused:
                return

    with _Processes() as processes:
        for name, plaintext in _in_order(steps()):
            if isinstance(plaintext, KeyLocked):
                raise plaintext
            yield name, plaintext


def encrypt_many(
    items: Iterable[tuple[str, bytes, Sequence[Recipient]]], *, options: Sequence[str] = ()
) -> Iterator[tuple[str, bytes]]:
    """Yield name and ciphertext of each (name, plaintext, recipients). Raises CannotEncrypt."""
    few, items = _few(items)
    engine = None if few or options else _engine()
    sealer = engine and engine.Sealer()

    def steps() -> Iterator[tuple[str, Callable[[], bytes]]]:
        for name, plaintext, recipients in items:
            made = sealer.seal(plaintext, recipients) if sealer else None
            if made is None:
                yield name, processes.start(partial(encrypt, plaintext, recipients, options=options))
            else:
                yield name, partial(_known, made)

    with _Processes() as processes:
        yield from _in_order(steps())


def _recipients(ciphertext: bytes) -> tuple[str, ...]:
    """Return whom a message is for; nobody, for one that will be refused."""
    try:
        return tuple(sorted(inspect(dearmor(ciphertext)).recipients))
    except BadMessage:
        return ()


def _few(items: Iterable[Item]) -> tuple[bool, Iterator[Item]]:
    """Tell whether the items are few; return them all."""
    source = iter(items)
    first = list(islice(source, _FEW))
    return len(first) < _FEW, chain(first, source)


def _opener() -> Opener | None:
    """Return what opens messages without a gpg for each, None where that is gpg's to do."""
    try:
        with start_listing() as listing:  # gpg works while the libraries are loaded
            engine = _engine()
            opener: Opener | None = engine.Opener.start(listing) if engine else None
            return opener
    except ProgramMissing:
        return None


def _engine() -> ModuleType | None:
    """Return the engine, None if the libraries that it needs are not installed, or are not those that it knows."""
    try:
        from clave.openpgp import bridge, engine
    except ImportError:
        return None
    return engine if bridge.works() else None


def has_engine() -> bool:
    """Tell whether many messages are worked on without a gpg for each."""
    return _engine() is not None


def _known(result: Done) -> Done:
    return result


def _in_order(steps: Iterable[tuple[str, Callable[[], Done]]]) -> Iterator[tuple[str, Done]]:
    """Yield name and result of each step, while a few later ones are worked on."""
    waiting: deque[tuple[str, Callable[[], Done]]] = deque()
    for step in steps:
        waiting.append(step)
        if len(waiting) > 2 * _WORKERS:
            name, result = waiting.popleft()
            yield name, result()
    for name, result in waiting:
        yield name, result()


_WORKERS = os.cpu_count() or 1


class _Processes:
    """Runs gpg in the background; for a `with` statement, whose end drops what was not begun."""

    def __init__(self) -> None:
        self._first = True
        self._pool: ThreadPoolExecutor | None = None
        self._running: list[Future[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def start(self, work: Callable[[], Done], *, alone: bool = False) -> Callable[[], Done]:
        """Do the first work, and one that may prompt, alone, the others side by side; return how to wait."""
        if self._first or alone:
            self._first = False
            for each in self._running:
                each.exception()  # waits for it; whoever has its result meets what it raised
            self._running.clear()
            return partial(_known, work())
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(_WORKERS)
        future = self._pool.submit(work)
        self._running = [*(each for each in self._running if not each.done()), future]
        return future.result
