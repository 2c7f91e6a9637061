"""For the steps of a GitHub job: what is to be appended to `$GITHUB_ENV`, and the masks of the job's log.

The file has a heredoc for each variable, with a delimiter that nobody can foresee: a value that ended it early could
set other variables. The runner masks what it was told to line by line, so each line of a value is told.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from typing import TYPE_CHECKING

from clave.delivery.formats import Refused, Variables, text, without_nul
from clave.errors import CannotWrite, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

_OWN = re.compile(r"GITHUB_(?!TOKEN$).*|RUNNER_.*|NODE_OPTIONS")  # set again, or refused, by the runner
_SHORT = 4  # a line of a longer value with fewer characters (a brace, "fi") would mask half of the log


def write(variables: Variables) -> bytes:
    """Return what is to be appended to the file. Raises Refused."""
    return "".join(_heredoc(name, text(name, without_nul(name, value), "GitHub")) for name, value in variables).encode()


def masks(values: Iterable[bytes]) -> bytes:
    """Return the commands, for stdout, that mask the lines of values in the log from now on."""
    lines: dict[str, None] = {}
    for value in values:
        found = re.split(r"[\r\n]+", value.decode("utf-8", "ignore"))  # a log is text
        lines.update(dict.fromkeys(line for line in found if line.strip() and (len(found) == 1 or len(line) >= _SHORT)))
    return "".join(f"::add-mask::{line.replace('%', '%25')}\n" for line in lines).encode()


def append(path: str, data: bytes) -> None:
    """Append what `write` made to the file of the job. Raises UsageError where there is none, CannotWrite."""
    if not path:
        raise UsageError("GITHUB_ENV is not set", "--format github is for a step of a GitHub job.")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "wb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UsageError(f"GITHUB_ENV is {path}, which is not a file", "Leave it as GitHub has set it.")
            file.write(b"\n" + data)  # what a step wrote before may lack its last newline
    except OSError as error:
        raise CannotWrite(f"cannot write {path}, which is GITHUB_ENV: {error.strerror}") from None


def _heredoc(name: str, value: str) -> str:
    if _OWN.fullmatch(name):
        raise Refused(name, "GitHub lets no step set it")
    delimiter = f"clave_{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
