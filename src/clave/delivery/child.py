"""The program that gets the secrets: its environment, and how it is started.

`replace` puts the program in the place of this process: its signals, its terminal, its job control and its exit code
are then those of the program, and nothing of clave stays in memory. What Python and clave have changed for
themselves is given back before: ignored signals, the umask, the limit of core dumps, a variable of the locale. What
the user had set, an ignored SIGHUP of `nohup` or an open descriptor, the program gets as it would without clave.

`supervise` stays as the parent (`supervising.py`), because something is to be done meanwhile or afterwards.

A program is looked for, and may fail to start, as in a shell: 127 if there is none, 126 if it cannot be executed; a
script without `#!` is one for sh.
"""

from __future__ import annotations

import errno
import os
import signal
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from clave import places, process
from clave.errors import CannotExecute, NoSuchProgram, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn


_OURS = (b"PASSWORD_STORE_", b"CLAVE_")
_PRISTINE = frozenset((b"HOME", b"PATH", b"USER", b"LOGNAME", b"SHELL", b"TERM", b"LANG", b"TZ", b"TMPDIR"))
# Python ignores these at its start. Whether the user did so before, nothing tells.
_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)
_SHELL = "/bin/sh"
CANNOT_START = 127  # what a child ends with that has told its parent why


def environment(extra: Mapping[str, bytes], *, pristine: bool) -> dict[bytes, bytes]:
    """Return the environment of the program: ours without what belongs to clave, and `extra`.

    With `pristine` of ours only what a program needs to find its way: HOME, PATH, the user's name, the locale, …
    """
    env = {
        name: value
        for name, value in os.environb.items()
        if not name.startswith(_OURS) and (not pristine or name in _PRISTINE or name.startswith(b"LC_"))
    }
    if any(part.startswith(places.IN_RAM) for part in os.fsdecode(env.get(b"GNUPGHOME", b"")).split("/")):
        del env[b"GNUPGHOME"]  # the key ring of `clave ci`
    if b"LC_CTYPE" in env and not _was_given(b"LC_CTYPE"):
        del env[b"LC_CTYPE"]  # Python sets it in the locale "C" (PEP 538)
    env.update((name.encode(), value) for name, value in extra.items())
    return env


def replace(argv: Sequence[str], env: Mapping[bytes, bytes]) -> NoReturn:
    """Become the program. Raises NoSuchProgram (127), CannotExecute (126), UsageError if it is all too large."""
    path = find(argv[0], env)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    give_back()
    try:
        execute(path, argv, env)
    except OSError as error:
        raise refusal(argv[0], error) from None


def give_back() -> None:
    """Undo what Python and clave have changed for themselves and a program would inherit."""
    process.soften()
    for number in _IGNORED:
        signal.signal(number, signal.SIG_DFL)


def find(program: str, env: Mapping[bytes, bytes]) -> str:
    """Return the path of a program, as a shell with this environment finds it. Raises NoSuchProgram, CannotExecute."""
    if "/" in program:
        found = [program]
    else:
        folders = os.fsdecode(env.get(b"PATH", os.defpath.encode())).split(os.pathsep)
        found = [os.path.join(folder or ".", program) for folder in folders] if program else []
    refused = ""
    for path in found:
        try:
            mode = os.stat(path).st_mode
        except PermissionError:
            refused = refused or "a folder of its path is closed to you"
        except (OSError, ValueError):
            continue
        else:
            if stat.S_ISREG(mode) and os.access(path, os.X_OK):
                return path
            if stat.S_ISREG(mode):
                refused = refused or "it is not executable"
            elif "/" in program:
                refused = "it is a folder" if stat.S_ISDIR(mode) else "it is no program"
    if refused:
        raise CannotExecute(f"'{program}' cannot be run: {refused}", "Check its path and its mode.")
    raise NoSuchProgram(f"the program '{program}' was not found", "Check its name and PATH.")


def execute(path: str, argv: Sequence[str], env: Mapping[bytes, bytes]) -> NoReturn:
    """Become the program at `path`. Raises OSError."""
    try:
        os.execve(path, list(argv), env)
    except OSError as error:
        if error.errno != errno.ENOEXEC or _is_binary(path):
            raise
    os.execve(_SHELL, [_SHELL, path, *argv[1:]], env)


def refusal(program: str, error: OSError) -> CannotExecute | UsageError:
    """Return what to raise when the system would not start a program that is there."""
    if error.errno == errno.E2BIG:
        return UsageError(
            "the arguments and variables are too large for a program to be started with them",
            'Give large secrets as files: as = "file".',
        )
    if error.errno == errno.ENOENT:
        return CannotExecute(f"'{program}' cannot be run: the interpreter that it names is not there", "Install it.")
    reason = "it is no program for this machine" if error.errno == errno.ENOEXEC else error.strerror
    return CannotExecute(f"'{program}' cannot be run: {reason}", "Check that it runs without clave.")


def _is_binary(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"\0" in file.read(512)
    except OSError:
        return True


def _was_given(name: bytes) -> bool:
    """Tell whether a variable was in the environment that this process got; True where nothing tells (macOS)."""
    try:
        with open("/proc/self/environ", "rb") as file:
            return any(line.startswith(name + b"=") for line in file.read().split(b"\0"))
    except OSError:
        return True
