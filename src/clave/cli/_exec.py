"""Running a program with secrets, as `clave exec` does. Loaded also where click is not."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from clave.delivery import child, resolving
from clave.errors import UsageError
from clave.model import notices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from clave.cli._state import App
    from clave.delivery.choosing import Chosen
    from clave.delivery.resolving import Resolved


def plain(app: App, *argv: str, pristine: bool = False, **words: Any) -> int:
    """Do what the command does whose options are plain ones."""
    from clave.cli import _allowed

    return run(lambda app: _allowed.choose(app, **words), app, argv, pristine=pristine)


def run(
    choose: Callable[[App], Chosen],
    app: App,
    argv: Sequence[str],
    *,
    pristine: bool = False,
    mask: bool = False,
    watch: bool = False,
    seconds: int | None = None,
) -> int:
    """Look everything up, then become the program; or stay beside it, and return its exit code."""
    if not argv:
        raise UsageError("exec needs a program to run", "It stands at the end: clave exec -- CMD.")
    if seconds and not watch:
        raise UsageError("--sync-every is for --watch", "Say both.")
    found = choose(app)
    resolved = resolving.resolve(found.store, found.variables)
    if mask or watch or any(each.as_file for each in resolved):
        return _stay(argv, resolved, pristine=pristine, mask=mask)
    env = child.environment({each.name: each.value for each in resolved}, pristine=pristine)
    resolving.check_room(map(os.fsencode, argv), env)
    _tell()
    child.replace(argv, env)


def _stay(argv: Sequence[str], resolved: Sequence[Resolved], *, pristine: bool, mask: bool) -> int:
    raise NotImplementedError


def _tell() -> None:
    """Say what was noticed: nothing of us is left after this."""
    from clave.cli import _output

    for line in notices.take():
        _output.warn(line)
    sys.stdout.flush()
    sys.stderr.flush()
