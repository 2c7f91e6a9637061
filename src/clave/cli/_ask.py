"""Questions to the user.

Without a terminal the answer is no. `--yes` or `CLAVE_YES=1` answers only "overwrite?" and "delete?"
(so that scripts written for pass go on working); nothing else is ever answered for the user.
"""

from __future__ import annotations

import os
import sys

from clave.errors import Interrupted, UsageError
from clave.model.text import printable


def interactive() -> bool:
    """Tell whether there is a terminal to ask on."""
    return sys.stdin.isatty()


def confirm(question: str) -> bool:
    """Ask a yes/no question, default no; without a terminal the answer is no."""
    if not interactive():
        return False
    sys.stderr.write(f"{printable(question)} [y/N] ")
    sys.stderr.flush()
    return _answer().strip().lower() in ("y", "yes")


def confirm_loss(question: str, *, force_hint: str) -> bool:
    """Ask "overwrite?" or "delete?": CLAVE_YES=1 says yes.

    Raises UsageError with `force_hint` where nobody can be asked.
    """
    if os.environ.get("CLAVE_YES") == "1":
        return True
    if not interactive():
        raise UsageError(f"{question} There is no terminal to ask on", force_hint)
    return confirm(question)


def line(prompt: str) -> str:
    """Ask for one visible line; from a pipe, read one line of it."""
    if interactive():
        sys.stderr.write(printable(prompt))
        sys.stderr.flush()
    return _answer()


def hidden(prompt: str) -> str:
    """Ask for one line without echo; from a pipe, read one line of it."""
    if not interactive():
        return _answer()
    from getpass import getpass

    try:
        return getpass(printable(prompt))
    except (EOFError, KeyboardInterrupt):
        sys.stderr.write("\n")
        raise Interrupted("interrupted") from None


def _answer() -> str:
    """Read one line, byte for byte (what is not UTF-8 comes as surrogates); raise Interrupted at the end."""
    try:
        answer = os.fsdecode(sys.stdin.buffer.readline())
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        raise Interrupted("interrupted") from None
    if not answer:
        sys.stderr.write("\n" if interactive() else "")
        raise Interrupted("the input ended before the answer")
    return answer.removesuffix("\n")
