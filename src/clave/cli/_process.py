"""The process of one run: how it is set up, how a failure is told, how it ends. Loaded also where click is not.

Every failure ends here as one line on stderr and an exit code; nothing else in the program prints an error or exits.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from clave import places
from clave.cli import _output
from clave.errors import CannotWrite, ClaveError, Interrupted
from clave.model import notices
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

# sysexits.h EX_SOFTWARE: a mistake of ours. 128 + SIGPIPE: the reader of our output went away.
_INTERNAL = 70
_BROKEN_PIPE = 128 + 13

# What an operating system says when something cannot be written: full, over quota, read-only, not ours.
_CANNOT_WRITE = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EBADF)
)


def prepare() -> None:
    """Set up the process: standard streams, umask, no core dumps (they would hold plaintext)."""
    from clave.config import umask
    from clave.process import harden

    if sys.stdin is None:  # our caller closed it
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        raise CannotWrite("the standard output is closed", "Send it to a file or to /dev/null.")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that is not UTF-8 shows escapes, never a traceback
            stream.reconfigure(errors="backslashreplace")
    harden(umask(os.environ))
    _sweep()


def _sweep() -> None:
    """Remove the plaintext of a process that was killed; loads nothing if there is none."""
    if places.left_in_ram(os.environ):
        from clave.ram import sweep

        sweep()


def tell(failure: BaseException) -> int:
    """Print a failure as one line and return its exit code."""
    if os.environ.get("CLAVE_DEBUG") == "1":
        import traceback

        traceback.print_exception(failure)
    match failure:
        case ClaveError():
            error = failure
        case KeyboardInterrupt() | EOFError():
            error = Interrupted("interrupted")
        case SystemExit():
            return failure.code if isinstance(failure.code, int) else 1
        case OSError(errno=errno.EPIPE):
            return _BROKEN_PIPE
        case OSError() if failure.errno in _CANNOT_WRITE:
            error = CannotWrite(_os_error(failure))
        case _:
            print_error(_internal_line(failure))
            return _INTERNAL
    print_error(error.line(), error.details)
    return error.exit_code


def print_error(line: str, details: Iterable[str] = ()) -> None:
    """Write `Error: …` to stderr, and details below it; if even that is gone, the exit code has to say it."""
    with suppress(OSError):  # the failure that we are about to print came first
        sys.stdout.flush()
    with suppress(OSError):
        label = _output.paint("Error:", "bad", sys.stderr)
        sys.stderr.write("".join([f"{label} {printable(line)}\n", *(f"  {printable(each)}\n" for each in details)]))
        sys.stderr.flush()


def _os_error(failure: OSError) -> str:
    if isinstance(failure.filename, str | bytes):
        return f"cannot use {os.fsdecode(failure.filename)}: {failure.strerror}"
    return f"cannot write the output: {failure.strerror}"


def _internal_line(failure: BaseException) -> str:
    """Return kind and place of an unforeseen failure: its text could hold a secret."""
    at = failure.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f" in {at.tb_frame.f_globals.get('__name__')}, line {at.tb_lineno}" if at else ""
    return (
        f"internal error ({type(failure).__name__}{place}). "
        "Please report it; CLAVE_DEBUG=1 shows more, read it before you share it."
    )


def _share() -> None:
    """Share what was written, if the user wants that done at once; else say that it can be."""
    from clave.store.share import unshared

    stores = [store for store in unshared.take() if store.settings.sync_auto or sys.stderr.isatty()]
    if not stores:
        return
    from clave.store.share import sharing

    for store in stores:
        line = sharing.shared(store) if store.settings.sync_auto else sharing.to_share(store)
        if line:
            with suppress(OSError):
                _output.note(line)


def close_output(code: int) -> int:
    """Tell what was noticed; make sure that what was written has arrived, and that Python does not complain."""
    if code == 0 and "clave.store.share.unshared" in sys.modules:
        _share()
    for line in notices.take():
        with suppress(OSError):
            _output.warn(line)
    try:
        sys.stdout.flush()
    except OSError as failure:
        code = code or tell(failure)
    else:
        return code
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
