"""Signals as something to read, in the loop that waits for output and for the end of a child.

What counts is whether the child has got a signal already: ^C, and a change of the window's size, the terminal sends to
all processes of the job; what somebody sends to us (`kill`) is ours alone, and is passed on. On Linux signalfd(2)
tells the two apart. Elsewhere what a terminal can send is taken for the terminal's, where there is one.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Self

_FORWARDED = frozenset(
    (
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGTERM,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGTSTP,
        signal.SIGTTIN,
        signal.SIGWINCH,
    )
)
_READ = _FORWARDED | {signal.SIGCHLD}
# Not read, only kept from stopping us: we write to the terminal, and set it as the child does, from the background too.
_BLOCKED = _READ | {signal.SIGTTOU}
_FROM_A_TERMINAL = frozenset((signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGWINCH))

_SIZE_OF_SET = 128  # bytes of a sigset_t and of a signalfd_siginfo, by chance the same
_LINUX = sys.platform == "linux"


class Arrived(NamedTuple):
    """A signal that has come: its number, and whether the kernel sent it for the whole job."""

    number: int
    for_all: bool


class Signals:
    """The signals that come while its `with` statement lasts; `fileno` is readable when there are any."""

    def __enter__(self) -> Self:
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._handlers = {number: signal.getsignal(number) for number in _READ}
        if self._handlers[signal.SIGCHLD] == signal.SIG_IGN:  # nobody would tell us how a child ended
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if _LINUX:
            signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
            self._source = _signalfd()
        else:
            signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED - _READ)
            self._source, self._wakeup = os.pipe()
            for end in (self._source, self._wakeup):
                os.set_blocking(end, False)
            signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
            for number in _READ:
                signal.signal(number, _nothing)
        return self

    def __exit__(self, *_: object) -> None:
        if not _LINUX:
            signal.set_wakeup_fd(-1)
            os.close(self._wakeup)
        os.close(self._source)
        for number, handler in self._handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)
        while _LINUX and signal.sigtimedwait(_READ, 0):  # what came too late is not for who comes after us
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._source

    def take(self) -> list[Arrived]:
        """Return what has come since."""
        try:
            data = os.read(self._source, 64 * _SIZE_OF_SET)
        except BlockingIOError:
            return []
        if not _LINUX:
            return [Arrived(number, number in _FROM_A_TERMINAL) for number in data]
        return [_arrived(data[at : at + _SIZE_OF_SET]) for at in range(0, len(data), _SIZE_OF_SET)]

    def give_back(self) -> None:
        """Set signals as they were before: in a child, before it becomes the user's program."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler if handler == signal.SIG_IGN else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def stop_us(self) -> None:
        """Do what SIGTSTP does by itself: stop until somebody lets us go on."""
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTSTP})
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP} if _LINUX else ())
        signal.signal(signal.SIGTSTP, handler or signal.SIG_DFL)


def _arrived(info: bytes) -> Arrived:
    """Read a signalfd_siginfo: ssi_signo, ssi_errno, ssi_code, ssi_pid. A code above 0 is the kernel's."""
    number, _, code, sender = (int.from_bytes(info[at : at + 4], sys.byteorder, signed=True) for at in range(0, 16, 4))
    return Arrived(number, code > 0 or sender == os.getpid())


def _signalfd() -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = ctypes.create_string_buffer(_SIZE_OF_SET)
    libc.sigemptyset(numbers)
    for number in _READ:
        libc.sigaddset(numbers, int(number))
    descriptor: int = libc.signalfd(-1, numbers, os.O_CLOEXEC | os.O_NONBLOCK)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "signals cannot be read")
    return descriptor


def _nothing(*_: object) -> None:
    """Be there: a signal that has no handler wakes nobody."""
