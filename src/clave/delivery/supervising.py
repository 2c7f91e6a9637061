"""A child with clave as its parent: masked, watched, with files to be removed. Only what has to differ does.

- It is in the job of clave where there is a terminal, so the terminal treats it as if it were alone (^C, ^Z, `fg`, the
  size of the window, its place in a pipeline). Without a terminal it has a process group of its own.
- A signal that comes to clave goes to it once: not if the terminal sent it to the whole job. ^C without a terminal
  (SIGINT, SIGQUIT) goes to its whole group, as a terminal does it. Only what somebody else sends to a whole job that
  has a terminal (`kill %1` in a shell) reaches it twice: nothing tells that from a signal to clave alone.
- SIGTERM to clave means its end: it gets SIGTERM, and SIGKILL if it still lives after the time of grace.
- When it ends, what it has left running in this session is ended in the same way. When clave is killed, the kernel
  sends it SIGTERM (`descendants.py`).
- Its exit code is clave's, 128+N after signal N.
- To start it anew is to end it in the same way first.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from clave.delivery import child, descendants, terminal
from clave.delivery.masking import SHORTEST, Masker
from clave.delivery.signals import Signals
from clave.errors import ClaveError
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clave.delivery.files import Folder
    from clave.delivery.terminal import Stream
    from clave.delivery.watching import Values, Watch

# What somebody sends who wants an end: nothing is started anew after that. And how a job stops.
_ENDS = frozenset((signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP))
_STOPS = frozenset((signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU))
_REST = 2.0  # seconds that what a child leaves behind has to end
_LOST = 5.0  # seconds more after which it is not waited for any longer
_QUIET = 0.1  # seconds of silence after which the beginning of what may be a secret is shown
_OFTEN = 0.05  # seconds between looks at what nothing tells us about


def supervise(
    argv: Sequence[str],
    env: Mapping[bytes, bytes],
    *,
    masks: Sequence[bytes] = (),
    files: Folder | None = None,
    restart: Watch | None = None,
    grace: float = 10.0,
) -> int:
    """Run the program as a child and return its exit code, 128+N after signal N.

    Its output has stars in place of the values of `masks`. `files` are removed when it ends. `restart` says when it
    is to be started anew. `grace` is how many seconds it has to end after SIGTERM. Raises what `child.replace` raises.
    """
    try:
        return Supervisor(argv, env, masks=masks, files=files, watch=restart, grace=grace).run()
    finally:
        if files is not None:
            files.remove()


class Supervisor:
    """Runs one program, maybe several times. Arguments: see `supervise`."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[bytes, bytes],
        *,
        masks: Sequence[bytes],
        files: Folder | None,
        watch: Watch | None,
        grace: float,
    ) -> None:
        self._argv = argv
        self._env = env
        self._masks = masks
        self._files = files
        self._watch = watch
        self._grace = grace
        self._signals = Signals()
        self._has_terminal = _has_terminal()
        self._streams: list[Stream] = []
        self._not_ours: frozenset[int] = frozenset()
        self._pid = 0
        self._code: int | None = None  # of the child, when it has ended
        self._is_stopped = False
        self._deadline: float | None = None  # when it is killed
        self._next: Values | None = None  # what it is to be started anew with
        self._told = -1  # how many values were said to be too short

    def run(self) -> int:
        """Run the program until it ends by itself, and return its exit code."""
        child.find(self._argv[0], self._env)  # nothing has been done if it is not there
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        self._not_ours = descendants.adopt()
        with self._signals:
            while True:
                code = self._live()
                if self._next is None:
                    return code if code >= 0 else 128 - code
                self._env, self._masks, self._next = self._next.env, self._next.masks, None

    def _live(self) -> int:
        """Start the child, serve it until it has ended, and clean up after it."""
        self._start()
        try:
            while self._code is None:
                self._turn()
        finally:
            if self._watch is not None:
                self._watch.rest()
            self._end_the_rest()
            self._finish_streams()
        return self._code

    def _start(self) -> None:
        path = child.find(self._argv[0], self._env)
        outputs: dict[int, Stream] = {}
        if self._masks:
            masker = Masker(self._masks)
            self._tell_of_short_ones(masker.too_short)
            outputs = terminal.streams(masker)
        self._streams = [*dict.fromkeys(outputs.values())]
        self._code = self._deadline = None
        failure, told = os.pipe()
        us = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            self._become(path, outputs, us, told)
        os.close(told)
        for stream in self._streams:
            stream.started()
        with open(failure, "rb") as answer:
            number = answer.read()
        if number:
            os.waitpid(self._pid, 0)
            self._code = child.CANNOT_START
            raise child.refusal(self._argv[0], OSError(int(number), os.strerror(int(number))))

    def _become(self, path: str, outputs: Mapping[int, Stream], parent: int, failure: int) -> None:
        """In the child: become the program, or tell the number of what went wrong."""
        try:
            descendants.end_with(parent)
            if not self._has_terminal:
                os.setpgid(0, 0)
            for target, stream in outputs.items():
                os.dup2(stream.child_end, target)
            child.give_back()
            self._signals.give_back()
            child.execute(path, self._argv, self._env)
        except OSError as error:
            os.write(failure, b"%d" % (error.errno or 0))
        finally:
            os._exit(child.CANNOT_START)

    def _turn(self, longest: float | None = None) -> None:
        """Wait for something to happen, and do what it asks for."""
        ready = self._wait(longest)
        for number, for_all in self._signals.take():
            self._arrived(number, for_all=for_all)
        for stream in self._streams:
            if stream.target in ready and stream.wants_to_write:
                stream.write()
            if stream.source in ready and stream.wants_to_read:
                stream.read()
            elif not ready:
                stream.pause()
        if self._is_late():
            self._send(signal.SIGKILL)
        elif self._watching is not None:
            self._consider(self._watching.look())

    @property
    def _watching(self) -> Watch | None:
        """The watch, while the child runs and nobody has asked for its end."""
        return self._watch if self._code is None and self._deadline is None else None

    def _consider(self, values: Values | None) -> None:
        """Begin to start the child anew, if there are new values."""
        if values is None:
            return
        try:
            for name, value in values.files.items():
                if self._files is not None:
                    self._files.put(name, value)
        except ClaveError as failure:
            self._note(f"the secrets have changed, and the program goes on with the old ones: {failure.message}")
            return
        self._note("the secrets have changed: starting again")
        self._next = values
        self._send(signal.SIGTERM)
        self._deadline = time.monotonic() + self._grace

    def _wait(self, longest: float | None) -> set[int]:
        """Wait until something can be read or written, and return the descriptors."""
        poll = select.poll()
        poll.register(self._signals, select.POLLIN)
        for stream in self._streams:
            if stream.wants_to_read:
                poll.register(stream.source, select.POLLIN)
            if stream.wants_to_write:
                poll.register(stream.target, select.POLLOUT)
        if self._watching is not None and self._watching.source is not None:
            poll.register(self._watching.source, select.POLLIN)
        return {descriptor for descriptor, _ in poll.poll(self._patience(longest))}

    def _patience(self, longest: float | None) -> float | None:
        """Return how many milliseconds `_turn` may wait; None: as long as it takes."""
        times = [] if longest is None else [longest]
        if any(stream.holds for stream in self._streams):
            times.append(_QUIET)
        if self._code is None and self._deadline is not None:
            times.append(max(_OFTEN, self._deadline - time.monotonic()))
        elif self._watching is not None:
            times.append(max(0.0, self._watching.due - time.monotonic()))
        return min(times) * 1000 + 1 if times else None

    def _arrived(self, number: int, *, for_all: bool) -> None:
        if number == signal.SIGCHLD:
            self._reap()
            return
        if number in _ENDS:
            self._next = None
        if number == signal.SIGWINCH:
            for stream in self._streams:
                stream.resize()
        # When a terminal goes away, only the process that leads its session is told.
        is_told_alone = number == signal.SIGHUP and os.getsid(0) == os.getpid()
        if is_told_alone or not (for_all and self._has_terminal):
            self._send(number)
        if number == signal.SIGTERM and self._deadline is None:
            self._deadline = time.monotonic() + self._grace

    def _send(self, number: int) -> None:
        """Send the child a signal, unless it has ended."""
        if self._code is None:
            to_all = number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGCONT)
            with suppress(ProcessLookupError):
                if to_all and not self._has_terminal:
                    os.killpg(self._pid, number)
                else:
                    os.kill(self._pid, number)

    def _reap(self) -> None:
        """Take what has become of the child; and of what we have adopted, which nobody wants to know."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
                if pid == 0:
                    break
                if pid != self._pid:
                    continue
                if os.WIFCONTINUED(status):
                    self._is_stopped = False
                elif not os.WIFSTOPPED(status):
                    self._code = os.waitstatus_to_exitcode(status)
                elif self._has_terminal and os.WSTOPSIG(status) in _STOPS:
                    self._stop()

    def _stop(self) -> None:
        """Stop as the child did, after what it has written on its way to that; the shell has the terminal then."""
        for stream in self._streams:
            stream.drain()
        self._is_stopped = True
        self._signals.stop_us()
        time.sleep(_OFTEN)  # `fg` goes to both of us
        self._reap()
        if self._is_stopped:
            self._send(signal.SIGCONT)

    def _end_the_rest(self) -> None:
        """End what the child has left behind."""
        told: set[int] = set()
        deadline = time.monotonic() + min(_REST, self._grace)
        while left := descendants.living(None if self._has_terminal else self._pid, self._not_ours):
            is_late = time.monotonic() >= deadline
            if time.monotonic() >= deadline + _LOST:
                break
            for pid in left:
                if is_late or pid not in told:
                    with suppress(OSError):
                        os.kill(pid, signal.SIGKILL if is_late else signal.SIGTERM)
                told.add(pid)
            self._turn(_OFTEN)
            self._reap()

    def _finish_streams(self) -> None:
        """Hand on the rest of the output. Whoever reads it may take the time, unless clave has to end."""
        for stream in self._streams:
            stream.finish()
        while any(stream.wants_to_write for stream in self._streams) and not self._is_late():
            self._turn(_OFTEN)
        for stream in self._streams:
            stream.close()
        self._streams = []

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _tell_of_short_ones(self, count: int) -> None:
        if count and count != self._told:
            what = "1 value is" if count == 1 else f"{count} values are"
            self._note(f"{what} shorter than {SHORTEST} characters and not masked")
        self._told = count

    def _note(self, text: str) -> None:
        with suppress(OSError):
            os.write(2, f"clave: {printable(text)}.\n".encode())


def _has_terminal() -> bool:
    """Tell whether our job has a terminal, which sends it signals."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
