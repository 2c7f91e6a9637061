"""How many duties there are, for a prompt of a shell: from a file that the last look at them has left.

    <Unix seconds up to which it holds>
    <commit of HEAD> <stamp of the policy's file, - for none>
    <number of duties> <number of those of the user>

Ages grow by the day, so it holds until midnight, and for this HEAD and this policy alone: after a write, a sync, or
what another program has committed it says nothing. Where it does not hold, a look is begun in the background, at most
once a minute, and the prompt after that knows. Nothing here raises: a prompt has no use for an error.

Imported by the fast path: nothing heavy may be imported here.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

from clave.places import cache_of, stamp
from clave.store.layout import POLICY
from clave.vcs.head import plain_head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clave.store.lifecycle.duties import Duties

_FOLDER = "prompt"
_LIMIT = 1000  # bytes of the file
_PATIENCE = 60  # seconds between two looks in the background


def tell(root: str | None, *, mine: bool) -> bool:
    """Write "3 due" to stdout, nothing where nothing is due or known; return false for the full program to be asked."""
    if root is None:
        return False
    with suppress(OSError, ValueError):
        state = _state(root)
        number = _known(root, state, mine=mine) if state else 0
        if number is None:
            _look(root)
        elif number:
            os.write(1, b"%d due\n" % number)
    return True


def remember(root: str, found: Duties) -> None:
    """Leave what a look at a whole store has found."""
    from clave.config import write_private
    from clave.errors import CannotWrite

    now = time.localtime()
    midnight = int(time.mktime((now.tm_year, now.tm_mon, now.tm_mday + 1, 0, 0, 0, 0, 0, -1)))
    state = _state(root)
    if state is not None:
        text = f"{midnight}\n{state}\n{len(found.pressing())} {len(found.pressing(mine=True))}\n"
        with suppress(CannotWrite):
            write_private(_file(root), text.encode())


def _known(root: str, state: str, *, mine: bool) -> int | None:
    """Return the number of duties, None where it is not known."""
    with suppress(OSError, ValueError, IndexError), open(_file(root), encoding="ascii") as file:
        until, known, numbers = file.read(_LIMIT).splitlines()
        if time.time() < int(until) and known == state:
            return int(numbers.split(" ")[mine])
    return None


def _look(root: str) -> None:
    """Have a look in the background, unless one was begun just now."""
    asked = f"{_file(root)}.asked"
    with suppress(FileNotFoundError):
        if time.time() - os.stat(asked).st_mtime < _PATIENCE:
            return
    os.makedirs(os.path.dirname(asked), mode=0o700, exist_ok=True)
    with open(asked, "wb"):
        pass
    from clave.process import leave

    os.environ["PASSWORD_STORE_DIR"] = root
    # -P: what lies in the folder in which the shell is must not be taken for a part of us.
    leave([sys.executable, "-P", "-m", "clave", "due", "--quiet"])


def _state(root: str) -> str | None:
    """Return what a number of duties depends on, None where it cannot be said in a moment."""
    top = os.path.realpath(root)
    while not os.path.lexists(git_dir := os.path.join(top, ".git")) and top != "/":
        top = os.path.dirname(top)
    head = plain_head(git_dir)
    try:
        policy = stamp(os.stat(os.path.join(root, POLICY)))
    except OSError:
        policy = "-"
    return f"{head} {policy}" if head else None


def _file(root: str) -> str:
    return cache_of(os.environ, _FOLDER, os.path.realpath(root))
