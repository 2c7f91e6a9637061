"""What comes between a program and where its output goes, when it is to be masked.

An output that is a terminal is replaced by a terminal (a pty), so that the program still sees one, with colours and the
size of the window; anything else by a pipe. Standard output and error that are the same file share one, so their
order is kept; others stay apart. Standard input and /dev/tty are left as they are: ^C, ^Z and `fg`, prompts for
passwords and programs that read single keys work as ever, and what is written to /dev/tty is not masked. Only a
program that takes its standard error for the terminal that controls it is mistaken: bash then has no jobs of its own.

The pty hands on what is written as it is (no OPOST): the real terminal behind it makes the ends of lines, as without
us. A program that sets the mode of its standard output (curses) means the real terminal: its changes are made there
too, and undone at its end. The window's size is copied, and the job told (SIGWINCH) after that.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import struct
import termios
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from clave.delivery.masking import Masker

_CHUNK = 1 << 16
_PLENTY = 1 << 18  # bytes that wait to be written, above which nothing more is read
_PATIENCE = 500  # milliseconds for a terminal to take what it is given before we stop
_SIZE = struct.Struct("HHHH")
_INPUT, _OUTPUT, _CONTROL, _LOCAL = range(4)  # the flags among the attributes of termios; then speeds and characters
_CHARACTERS = 6


class Stream:
    """One output of a program on its way, through a masker, to where the user wanted it (`target`)."""

    def __init__(self, target: int, masker: Masker) -> None:
        self._masker = masker
        self._waiting = b""
        self._terminal = Terminal(target) if os.isatty(target) else None
        if self._terminal is not None:
            self.source, self.child_end = self._terminal.master, self._terminal.slave
            self.target, self._is_ours = _opened_again(target)
        else:
            self.source, self.child_end = os.pipe()
            self.target, self._is_ours = target, False
        os.set_blocking(self.source, False)
        self.is_open = True

    @property
    def wants_to_read(self) -> bool:
        """Tell whether to wait for more from the program."""
        return self.is_open and len(self._waiting) < _PLENTY

    @property
    def wants_to_write(self) -> bool:
        """Tell whether to wait until there is room at the target."""
        return bool(self._waiting)

    @property
    def holds(self) -> bool:
        """Tell whether `pause` would show something."""
        return self._masker.holds

    def started(self) -> None:
        """Let go of the program's end, which it has now."""
        os.close(self.child_end)

    def read(self) -> bool:
        """Take what the program has written; tell whether there was anything."""
        try:
            chunk = os.read(self.source, _CHUNK)
        except BlockingIOError:
            return False
        except OSError as failure:
            if failure.errno != errno.EIO:  # how Linux says that nobody has the other end of a pty any more
                raise
            chunk = b""
        if self._terminal is not None:
            self._terminal.follow()
        if not chunk:
            self._close()
            return False
        self._put(self._masker.feed(chunk))
        return True

    def pause(self) -> None:
        """Nothing follows for now: show what may be shown."""
        self._put(self._masker.pause())

    def resize(self) -> None:
        """Give the pty the size of the window."""
        if self._terminal is not None:
            self._terminal.resize()

    def write(self) -> None:
        """Write what there is room for."""
        try:
            # So much fits where poll(2) says that anything does; the target may be one that would make us wait.
            self._waiting = self._waiting[os.write(self.target, self._waiting[: select.PIPE_BUF]) :]
        except BlockingIOError:
            pass
        except OSError:  # its reader is gone: the program shall notice as it would without us
            self._waiting = b""
            self._close()

    def drain(self) -> None:
        """Hand on all that there is, for as long as that takes no waiting."""
        while self.is_open and self.read():
            pass
        poll = select.poll()
        poll.register(self.target, select.POLLOUT)
        while self._waiting and poll.poll(_PATIENCE):
            self.write()

    def finish(self) -> None:
        """The program has ended: take the rest."""
        while self.is_open and self.read():
            pass
        self._put(self._masker.end())
        self._close()
        if self._terminal is not None:
            self._terminal.restore()

    def close(self) -> None:
        """Let go of the target."""
        if self._is_ours:
            os.close(self.target)
            self._is_ours = False

    def _put(self, data: bytes) -> None:
        self._waiting += data
        if data:
            self.write()

    def _close(self) -> None:
        if self.is_open:
            os.close(self.source)
            self.is_open = False


class Terminal:
    """A pty that stands for the real terminal `real`."""

    def __init__(self, real: int) -> None:
        self._real = real
        self.master, self.slave = os.openpty()
        self._before = termios.tcgetattr(real)
        mode = _copied(self._before)
        mode[_OUTPUT] &= ~termios.OPOST
        termios.tcsetattr(self.slave, termios.TCSANOW, mode)
        self._mode = self._first = termios.tcgetattr(self.slave)
        self._size = b""
        self.resize()

    def follow(self) -> None:
        """Do to the real terminal what the program has done to its own."""
        self.resize()
        with suppress(OSError, termios.error):
            self._set(termios.tcgetattr(self.master))

    def resize(self) -> None:
        """Copy the size of the window, and tell the programs that are in the foreground if it has changed."""
        with suppress(OSError):
            size = fcntl.ioctl(self._real, termios.TIOCGWINSZ, bytes(_SIZE.size))
            if size != self._size:
                is_first, self._size = not self._size, size
                fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
                if not is_first:
                    os.killpg(os.tcgetpgrp(self._real), signal.SIGWINCH)

    def restore(self) -> None:
        """Undo what the program has done to the mode: it may have been killed."""
        with suppress(OSError, termios.error):
            self._set(self._first)

    def _set(self, mode: list[Any]) -> None:
        """Make those changes of the real terminal that lead from the mode that we knew to this one."""
        if mode == self._mode or not self._may_set():
            return
        real = termios.tcgetattr(self._real)
        for flags in (_INPUT, _OUTPUT, _CONTROL, _LOCAL):
            changed = mode[flags] ^ self._mode[flags]
            real[flags] = real[flags] & ~changed | mode[flags] & changed
        for at, character in enumerate(mode[_CHARACTERS]):
            if character != self._mode[_CHARACTERS][at]:
                real[_CHARACTERS][at] = character
        # A raw program writes the ends of its lines itself. On the pty it has found that off already.
        raw = not mode[_LOCAL] & (termios.ICANON | termios.ISIG)
        real[_OUTPUT] = real[_OUTPUT] & ~termios.OPOST if raw else real[_OUTPUT] | self._before[_OUTPUT] & termios.OPOST
        termios.tcsetattr(self._real, termios.TCSANOW, real)
        self._mode = mode

    def _may_set(self) -> bool:
        """Tell whether the terminal is with our job, or with one that our job has made; not with the user's shell."""
        foreground = os.tcgetpgrp(self._real)
        return foreground == os.getpgrp() or foreground != os.getsid(0)


def streams(masker: Masker) -> dict[int, Stream]:
    """Return a stream for each of the outputs 1 and 2; the same one for both if they are the same file."""
    first, second = (os.fstat(target) for target in (1, 2))
    out = Stream(1, copy(masker))
    return {1: out, 2: out if os.path.samestat(first, second) else Stream(2, copy(masker))}


def _copied(mode: list[Any]) -> list[Any]:
    return [*mode[:_CHARACTERS], [*mode[_CHARACTERS]]]


def _opened_again(terminal: int) -> tuple[int, bool]:
    """Return a descriptor of the terminal that never makes us wait, and whether it is a new one."""
    try:
        return os.open(os.ttyname(terminal), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK), True
    except OSError:
        return terminal, False
