"""For the steps of a GitHub job: what is to be appended to `$GITHUB_ENV`, and the masks of the job's log.

The file has a heredoc for each variable, with a delimiter that nobody can foresee: a value that ended it early could
set other variables. The runner masks what it was told to line by line, so each line of a value is told.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from clave.delivery.formats import Refused, Variables, text, without_nul

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
        found = re.split(r"[\r\n]+", value.decode())
        lines.update(dict.fromkeys(line for line in found if line.strip() and (len(found) == 1 or len(line) >= _SHORT)))
    return "".join(f"::add-mask::{line.replace('%', '%25')}\n" for line in lines).encode()


def _heredoc(name: str, value: str) -> str:
    if _OWN.fullmatch(name):
        raise Refused(name, "GitHub lets no step set it")
    delimiter = f"clave_{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
