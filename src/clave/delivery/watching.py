"""Watching a store for a program that runs with its secrets: has one of them changed?

- Looked at are the times and sizes of a few files (HEAD and refs of the repository, the files of the entries), once a
  second. Only a difference there is looked into.
- What takes time, resolving the secrets again and the callback that syncs, happens in a copy of this process, so that
  the output and the signals of the program never wait for it. The copy has no terminal and says nothing on it.
- The program is started anew if a value is another one than it runs with, and for nothing else. If the secrets cannot
  be resolved, it goes on with what it has, and one line says why, once for each reason.
- A store that changes all the time does not mean a restart each time: the pause between two doubles from 2 seconds to
  60 while they follow each other, and what changed meanwhile is taken together.
"""

from __future__ import annotations

import os
import pickle
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clave import places
from clave.delivery import descendants
from clave.errors import ClaveError
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_EVERY = 1.0
_PAUSES = (2.0, 60.0)  # seconds between two restarts: at least, and at most where they follow each other
_LATELY = 10_000_000_000  # nanoseconds
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Values:
    """What a program is started with: its whole environment, what is masked, the contents of files by name."""

    env: Mapping[bytes, bytes]
    masks: Sequence[bytes] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


class Watch:
    """Tells when a program is to be started anew, and with what; asked by the supervisor.

    `paths` returns the files to look at (those that are not there count as well), `resolve` the values as they are
    now, `now` are those that the program is started with first. `sync` is called every `sync_every` seconds. Both
    may raise, and are called in a copy of this process: what they change in memory is gone afterwards.
    """

    def __init__(
        self,
        paths: Callable[[], Iterable[str]],
        resolve: Callable[[], Values],
        *,
        now: Values,
        sync: Callable[[], object] | None = None,
        sync_every: float = 60.0,
        every: float = _EVERY,
    ) -> None:
        self._paths = paths
        self._resolve = resolve
        self._sync = sync
        self._sync_every = sync_every
        self._every = every
        self._values = now
        self._seen = self._stamps()
        # Something has changed that was not looked into: perhaps since `now` was resolved, if it was so lately.
        self._is_stale = self._changed_lately()
        self._work: _Copy | None = None
        self._said = ""
        at = time.monotonic()
        self._next_look = at + every
        self._next_sync = at + sync_every
        self._restarted = at
        self._pause = _PAUSES[0]

    @property
    def source(self) -> int | None:
        """A descriptor that is readable when there is something to `look` at before it is `due`."""
        return self._work.source if self._work else None

    @property
    def due(self) -> float:
        """When to `look` at the latest, by the monotonic clock."""
        return self._next_look

    def look(self) -> Values | None:
        """Return the new values if the program is to be started anew with them now."""
        if self._work is not None:
            if not self._work.read():
                self._next_look = time.monotonic() + self._every
                return None
            outcome, self._work = self._work.outcome(), None
            return self._judge(outcome)
        at = time.monotonic()
        if at < self._next_look:
            return None
        self._next_look = at + self._every
        stamps = self._stamps()
        if stamps != self._seen:
            self._seen, self._is_stale = stamps, True
        elif self._is_stale and at >= self._restarted + self._pause:
            # Nothing has changed since the last look: whoever writes there is done.
            self._is_stale = False
            self._work = _Copy(self._resolve)
        elif self._sync is not None and at >= self._next_sync:
            self._work = _Copy(self._sync)
            self._next_sync = at + self._sync_every
        return None

    def rest(self) -> None:
        """The program has ended: stop what is under way."""
        if self._work is not None:
            self._work.stop()
            self._work, self._is_stale = None, True

    def _judge(self, outcome: object) -> Values | None:
        if isinstance(outcome, str):
            if outcome != self._said:
                self._say(f"the secrets stay as they were: {outcome}")
            self._said = outcome
            return None
        if not isinstance(outcome, Values):  # a sync: what it has brought is seen by the next look
            return None
        self._said = ""
        if outcome == self._values:
            return None
        self._values = outcome
        at = time.monotonic()
        follows = at < self._restarted + 2 * self._pause
        self._pause = min(2 * self._pause, _PAUSES[1]) if follows else _PAUSES[0]
        self._restarted = at
        return outcome

    def _stamps(self) -> dict[str, str]:
        stamps = {}
        for path in self._paths():
            try:
                stamps[path] = places.stamp(os.stat(path))
            except OSError:
                stamps[path] = ""
        return stamps

    def _changed_lately(self) -> bool:
        since = time.time_ns() - _LATELY
        return any(int(stamp.split()[0]) >= since for stamp in self._seen.values() if stamp)

    def _say(self, text: str) -> None:
        with suppress(OSError):
            os.write(2, f"clave: {printable(text)}\n".encode())


class _Copy:
    """A copy of this process that does something and hands back what it returned, or the line of its failure."""

    def __init__(self, work: Callable[[], object]) -> None:
        parent = os.getpid()
        self.source, target = os.pipe()
        self._chunks: list[bytes] = []
        self._pid = os.fork()
        if self._pid == 0:
            _do(work, target, parent)
        os.close(target)
        os.set_blocking(self.source, False)

    def read(self) -> bool:
        """Take what has come; tell whether that was all."""
        while True:
            try:
                chunk = os.read(self.source, _CHUNK)
            except BlockingIOError:
                return False
            if not chunk:
                os.close(self.source)
                return True
            self._chunks.append(chunk)

    def outcome(self) -> object:
        """Return what the work returned; a string: why it failed."""
        try:
            return pickle.loads(b"".join(self._chunks))  # noqa: S301 - our own copy has written it
        except (EOFError, pickle.UnpicklingError):
            return "looking for new ones was broken off"

    def stop(self) -> None:
        """End it."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        os.close(self.source)


def _do(work: Callable[[], object], target: int, parent: int) -> None:
    code = 1
    try:
        descendants.end_with(parent)
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the terminal means the program
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        try:
            result = work()
        except ClaveError as failure:
            result = failure.line()
        except Exception as failure:  # noqa: BLE001 - its text could hold a secret
            result = f"internal error ({type(failure).__name__})."
        data = memoryview(pickle.dumps(result))
        while data:
            data = data[os.write(target, data) :]
        code = 0
    finally:
        os._exit(code)
