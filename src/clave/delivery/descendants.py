"""What a child starts in its turn: that it ends with the child, and the child with us.

On Linux we become the parent of every descendant whose own parent has gone (PR_SET_CHILD_SUBREAPER), so none gets lost;
and the child gets SIGTERM when we are gone, however that happens (PR_SET_PDEATHSIG). A process that made a session of
its own (a daemon: gpg-agent, a detached `git gc`) has left on purpose and is let go, and what a shell had started
before it became us (`>(tee log)`) is none of the child's. Elsewhere (macOS) only the process
group of a child is known, if it has one of its own.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LINUX = sys.platform == "linux"


def adopt() -> frozenset[int]:
    """Become the parent of all descendants that lose theirs; return those that there are already."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    return frozenset(living(None))


def end_with(parent: int) -> None:
    """In a child: get SIGTERM when `parent`, who has just made us, is gone; it may be already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def living(group: int | None, but: Container[int] = ()) -> list[int]:
    """Return the processes that are left in our session, of all that descend from us, but not from those of `but`.

    `group` is the process group of the last child, if it has one of its own.
    """
    if not _LINUX:
        with suppress(OSError):
            if group is not None:
                os.killpg(group, 0)
                return [-group]
        return []
    ours = os.getpid()
    session = os.getsid(0)
    processes = _processes()
    found = []
    for pid, (_, state, its_session) in processes.items():
        at = pid
        while at in processes and at != ours and at not in but:
            at = processes[at][0]
        if at == ours and pid != ours and its_session == session and state not in b"ZX":
            found.append(pid)
    return found


def _processes() -> dict[int, tuple[int, bytes, int]]:
    """Return parent, state and session of every process (proc(5))."""
    processes = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                state, parent, _, session, *_ = file.read().rpartition(b")")[2].split()
                processes[int(name)] = (int(parent), state, int(session))
    return processes


_libc = ctypes.CDLL(None) if _LINUX else None  # loaded before a child is made, which is to do little


def _prctl(option: int, value: int) -> None:
    if _libc is not None:
        _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0)
