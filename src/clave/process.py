"""Starting other programs: the only place that does.

Always an argument list, never a shell. Pipes are served together, so a child that fills one while we
wait on another cannot hang us; output can be capped. Built on `posix_spawn`: the `subprocess` module
costs as much start-up as gpg needs for a decryption. What is not needed to start a child is imported after that:
the child runs meanwhile.
"""

from __future__ import annotations

import os

# Descriptor at which a child that was started with `status=True` finds its status pipe (`--status-fd 3`).
STATUS_FD = 3

_CHUNK = 1 << 16
_LOOK_AGAIN = 100  # milliseconds after which we look whether a child that says nothing has ended
# Python ignores SIGPIPE (13) and SIGXFSZ (25); a child must have the defaults. The numbers are the same on
# Linux, macOS and the BSDs, and the `signal` module is not worth its import here.
_DEFAULT_SIGNALS = (13, 25)
_SIGTERM = 15  # not SIGKILL: gpg and git then remove their own lock files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self


def with_terminal(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with GPG_TTY, which tells a pinentry in the terminal where to ask (as in pass)."""
    found = dict(env)
    if not found.get("GPG_TTY"):
        for descriptor in (0, 1, 2):
            try:
                found["GPG_TTY"] = os.ttyname(descriptor)
                break
            except OSError:
                continue
    return found


# What `harden` found, for `soften`: the umask and the limits of a core dump.
_found: tuple[int, tuple[int, int]] | None = None


def harden(umask: int) -> None:
    """Leave no core dump of this process, it would hold plaintext; and make files with this umask."""
    import resource

    global _found
    core = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, core[1]))
    before = os.umask(umask)
    _found = _found or (before, core)


def soften() -> None:
    """Give back what the user had before `harden`: for a program of theirs that takes the place of this process."""
    if _found is not None:
        import resource

        os.umask(_found[0])
        resource.setrlimit(resource.RLIMIT_CORE, _found[1])


class Result:
    """What a finished child left: exit `code` (-N after signal N), `out`, `err` and `status` as bytes."""

    __slots__ = ("code", "err", "out", "status")

    def __init__(self, code: int, out: bytes, err: bytes, status: bytes) -> None:
        self.code = code
        self.out = out
        self.err = err
        self.status = status


class Running:
    """A child that was started by `start`. It is ended where the `with` is left before `finish`."""

    def __init__(self, pid: int, pipes: _Pipes) -> None:
        self._pid = pid
        self._pipes = pipes
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipes.close()
        if not self._ended:
            os.kill(self._pid, _SIGTERM)
            os.waitpid(self._pid, 0)

    def finish(self, input: bytes | None = None) -> Result:  # noqa: A002 - as in start
        """Let the child run to its end and return what it wrote; `input` is for one that was started without.

        Raises OutputTooLarge; on ^C Interrupted.
        """
        if input is not None:
            self._pipes.give(input)
        try:
            self._pipes.serve()
        except KeyboardInterrupt:
            raise _interrupted() from None
        code = _wait(self._pid)
        self._ended = True
        return Result(code, self._pipes.taken(1), self._pipes.taken(2), self._pipes.taken(STATUS_FD))


def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    status: bool = False,
    input: bytes | None = None,  # noqa: A002 - subprocess has made this the word for it
    limit: int | None = None,
    err_to_terminal: bool = False,
    watch: Callable[[bytes], object] | None = None,
) -> Running:
    """Start `argv`, so that it works while we do something else; for a `with` statement.

    `env` replaces the whole environment. With `status` the child has a third pipe at STATUS_FD. `input` is what
    it gets on its stdin; None: that is told by `finish`. `limit` caps stdout, in bytes. `err_to_terminal` leaves
    stderr as it is (gpg may ask there). `watch` gets each piece of stderr as it comes (progress of a slow remote).
    Raises ProgramMissing.
    """
    pipes = _Pipes(watch)
    try:
        actions = [pipes.to_child(0)]
        actions.append(pipes.from_child(1, limit))
        if not err_to_terminal:
            actions.append(pipes.from_child(2, None))
        if status:
            actions.append(pipes.from_child(STATUS_FD, None))
        pid = _spawn(argv, env, actions)
    except BaseException:
        pipes.close()
        raise
    pipes.close_child_ends()
    if input is not None:
        pipes.give(input)
    return Running(pid, pipes)


def run(
    argv: Sequence[str],
    *,
    input: bytes = b"",  # noqa: A002 - as in start
    env: Mapping[str, str] | None = None,
    status: bool = False,
    limit: int | None = None,
    err_to_terminal: bool = False,
    watch: Callable[[bytes], object] | None = None,
) -> Result:
    """Run `argv` to its end with `input` on its stdin and return what it wrote. Arguments and errors: see `start`."""
    with start(
        argv, input=input, env=env, status=status, limit=limit, err_to_terminal=err_to_terminal, watch=watch
    ) as child:
        return child.finish()


def run_on_terminal(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, safe: Callable[[bytes], bytes] | None = None
) -> int:
    """Run `argv` with our own stdin, stdout and stderr (an editor, `git`); return its exit code, -N: signal N.

    With `safe` its stderr is a pipe, and what that function makes of each piece of it goes to ours.
    """
    if safe is None:
        return _wait_patiently(_spawn(argv, env, []))
    ours, theirs = _high_pipe()
    try:
        try:
            pid = _spawn(argv, env, [(os.POSIX_SPAWN_DUP2, theirs, 2)])
        finally:
            os.close(theirs)
        return _relay(pid, ours, safe)
    finally:
        os.close(ours)


class Aside:
    """Work that a copy of this process does meanwhile. Made by `aside`."""

    def __init__(self, pid: int, source: int) -> None:
        self._pid = pid
        self._source = source

    def result(self) -> bytes:
        """Wait for the end and return what the work gave; b"" if the copy failed. To be called once."""
        chunks: list[bytes] = []
        try:
            while chunk := os.read(self._source, _CHUNK):
                chunks.append(chunk)
        finally:
            os.close(self._source)
        return b"".join(chunks) if _wait(self._pid) == 0 else b""


def aside(work: Callable[[], bytes]) -> Aside | None:
    """Do `work` on another processor, in a copy of this process; None where there is none, or no room for it.

    For work on what is in memory already: the copy must start no program and write nothing but its result.
    """
    if (os.cpu_count() or 1) < 2:
        return None
    source, target = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(source)
        os.close(target)
        return None
    if pid:
        os.close(target)
        return Aside(pid, source)
    code = 1
    try:
        os.close(source)
        _write_all(target, work())
        code = 0
    finally:
        os._exit(code)  # whatever it raised: only the copy may end here


def limited(work: Callable[[], bytes], *, seconds: int, memory: int, limit: int) -> bytes | None:
    """Do `work` in a copy of this process that has so much processor time and memory more, and may give `limit` bytes.

    None: it took more, or failed. For work on what others wrote; it must start no program and write nothing else.
    """
    import resource

    source, target = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(source)
            used = resource.getrusage(resource.RUSAGE_SELF)
            _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds)
            if in_use := _virtual_memory():
                _lower(resource.RLIMIT_AS, in_use + memory)
            _write_all(target, work())
            code = 0
        finally:
            os._exit(code)
    os.close(target)
    chunks: list[bytes] = []
    size = 0
    try:
        while size <= limit and (chunk := os.read(source, _CHUNK)):
            chunks.append(chunk)
            size += len(chunk)
    finally:
        os.close(source)  # a copy that has more to give ends at that
        code = _wait(pid)
    return b"".join(chunks) if code == 0 and size <= limit else None


def _lower(kind: int, to: int) -> None:
    import resource

    hard = resource.getrlimit(kind)[1]
    value = to if hard == resource.RLIM_INFINITY else min(to, hard)
    try:
        resource.setrlimit(kind, (value, value))
    except (ValueError, OSError):
        return  # a system that does not know this limit


def _virtual_memory() -> int:
    """Return how much address space this process has; 0 where the system does not tell (macOS)."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _write_all(target: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(target, rest) :]


def _relay(pid: int, source: int, safe: Callable[[bytes], bytes]) -> int:
    """Hand on what comes from `source` until the child ends: a process that it leaves behind may keep the pipe."""
    import select

    poll = select.poll()
    poll.register(source, select.POLLIN)
    code: int | None = None
    while True:
        try:
            chunk = os.read(source, _CHUNK) if poll.poll(_LOOK_AGAIN if code is None else 0) else None
            if chunk:
                data = memoryview(safe(chunk))
                while data:
                    data = data[os.write(2, data) :]
            elif chunk is not None:
                return _wait_patiently(pid) if code is None else code
            elif code is not None:
                return code
            else:
                ended, state = os.waitpid(pid, os.WNOHANG)
                code = os.waitstatus_to_exitcode(state) if ended else None
        except KeyboardInterrupt:
            continue


def _wait_patiently(pid: int) -> int:
    while True:
        try:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except KeyboardInterrupt:
            # ^C went to the child too: it decides (an editor stays, git ends).
            continue


def leave(argv: Sequence[str]) -> None:
    """Start a program and leave it alone: it has no terminal, nothing to read, and what it writes is lost."""
    nothing = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)]
    os.posix_spawnp(
        argv[0], list(argv), dict(os.environ), file_actions=nothing, setsigdef=_DEFAULT_SIGNALS, setpgroup=0
    )


def _spawn(argv: Sequence[str], env: Mapping[str, str] | None, actions: list[tuple[int, int, int]]) -> int:
    try:
        return os.posix_spawnp(
            argv[0],
            list(argv),
            dict(os.environ if env is None else env),
            file_actions=actions,
            setsigdef=_DEFAULT_SIGNALS,
        )
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        from clave.errors import ProgramMissing

        raise ProgramMissing(argv[0]) from None


def _wait(pid: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except KeyboardInterrupt:
        raise _interrupted() from None


def _interrupted() -> Exception:
    from clave.errors import Interrupted

    return Interrupted("interrupted")


class _Pipes:
    """The pipes of one child, served together until the child has closed them."""

    def __init__(self, watch: Callable[[bytes], object] | None = None) -> None:
        self._watch = watch
        self._data = memoryview(b"")
        self._child_ends: list[int] = []
        self._writer = -1
        self._readers: dict[int, int] = {}  # our descriptor -> the child's
        self._chunks: dict[int, list[bytes]] = {}
        self._limits: dict[int, int | None] = {}

    def to_child(self, fd: int) -> tuple[int, int, int]:
        theirs, self._writer = _high_pipe()
        self._child_ends.append(theirs)
        os.set_blocking(self._writer, False)
        return (os.POSIX_SPAWN_DUP2, theirs, fd)

    def from_child(self, fd: int, limit: int | None) -> tuple[int, int, int]:
        ours, theirs = _high_pipe()
        self._child_ends.append(theirs)
        self._readers[ours] = fd
        self._chunks[fd] = []
        self._limits[fd] = limit
        return (os.POSIX_SPAWN_DUP2, theirs, fd)

    def close_child_ends(self) -> None:
        while self._child_ends:
            os.close(self._child_ends.pop())

    def give(self, data: bytes) -> None:
        """Write what the pipe to the child takes at once; `serve` writes the rest."""
        self._data = memoryview(data)
        if not self._data or self._write():
            self._close_writer()

    def serve(self) -> None:
        import select

        poll = select.poll()
        for fd in self._readers:
            poll.register(fd, select.POLLIN)
        if self._data and self._writer >= 0:
            poll.register(self._writer, select.POLLOUT)
        else:
            self._close_writer()
        while self._readers:
            for fd, _ in poll.poll():
                if fd == self._writer:
                    if self._write():
                        poll.unregister(fd)
                        self._close_writer()
                elif self._read(fd):
                    poll.unregister(fd)
                    del self._readers[fd]
                    os.close(fd)

    def _write(self) -> bool:
        """Write what the pipe takes; true when everything was written or the child stopped reading."""
        try:
            self._data = self._data[os.write(self._writer, self._data[:_CHUNK]) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            return True  # its exit code says why
        return not self._data

    def _read(self, fd: int) -> bool:
        """Read once; true at the end of the stream."""
        chunk = os.read(fd, _CHUNK)
        child_fd = self._readers[fd]
        self._chunks[child_fd].append(chunk)
        if child_fd == 2 and chunk and self._watch:
            self._watch(chunk)
        limit = self._limits[child_fd]
        if limit is not None:
            limit -= len(chunk)
            if limit < 0:
                from clave.errors import OutputTooLarge

                raise OutputTooLarge("the output is larger than allowed")
            self._limits[child_fd] = limit
        return not chunk

    def taken(self, fd: int) -> bytes:
        return b"".join(self._chunks.get(fd, ()))

    def _close_writer(self) -> None:
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1

    def close(self) -> None:
        self.close_child_ends()
        self._close_writer()
        for fd in self._readers:
            os.close(fd)
        self._readers.clear()


def _high_pipe() -> tuple[int, int]:
    """Return a pipe whose ends lie above STATUS_FD, so that no dup2 of the child overwrites one."""
    low = []
    ends = list(os.pipe())
    for at in (0, 1):
        while ends[at] <= STATUS_FD:
            low.append(ends[at])
            ends[at] = os.dup(ends[at])
    for end in low:
        os.close(end)
    return ends[0], ends[1]
