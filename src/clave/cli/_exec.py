"""Running a program with secrets, as `clave exec` does. Loaded also where click is not."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from clave.delivery import child, resolving
from clave.errors import UsageError
from clave.model import notices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from clave.cli._state import App
    from clave.delivery.choosing import Chosen
    from clave.delivery.files import Folder
    from clave.delivery.resolving import Resolved
    from clave.delivery.watching import Values, Watch


class How(NamedTuple):
    """How a program is run, see the options of the command."""

    pristine: bool = False
    mask: bool = False
    watch: bool = False
    sync_every: int | None = None
    on_disk: bool = False


def plain(app: App, *argv: str, pristine: bool = False, **words: Any) -> int:
    """Do what the command does whose options are plain ones."""
    from clave.cli import _allowed

    return run(argv, lambda: _allowed.choose(app, **words), How(pristine=pristine))


def run(argv: Sequence[str], choose: Callable[[], Chosen], how: How) -> int:
    """Look everything up, then become the program; or stay beside it, and return its exit code."""
    if not argv:
        raise UsageError("exec needs a program to run", "It stands at the end: clave exec -- CMD.")
    if how.sync_every and not how.watch:
        raise UsageError("--sync-every is for --watch", "Say both.")
    chosen = choose()
    resolved = resolving.resolve(chosen.store, chosen.variables)
    if how.mask or how.watch or any(each.as_file for each in resolved):
        return _stay(argv, chosen, resolved, how)
    env = child.environment({each.name: each.value for each in resolved}, pristine=how.pristine)
    resolving.check_room(map(os.fsencode, argv), env)
    _tell()
    return child.replace(argv, env)


def _stay(argv: Sequence[str], chosen: Chosen, resolved: Sequence[Resolved], how: How) -> int:
    from clave.delivery import supervising
    from clave.delivery.files import Folder

    # With --watch a variable that is optional may become a file later.
    folder = Folder.make(allow_disk=how.on_disk) if any(each.as_file for each in chosen.variables) else None
    try:
        values = _values(resolved, folder, how)
        resolving.check_room(map(os.fsencode, argv), values.env)
        if folder is not None:
            for name, value in values.files.items():
                folder.put(name, value)
        watch = _watch(chosen, values, folder, how) if how.watch else None
        _tell()
        return supervising.supervise(argv, values.env, masks=values.masks, files=folder, restart=watch)
    finally:
        if folder is not None:
            folder.remove()


def _values(resolved: Sequence[Resolved], folder: Folder | None, how: How) -> Values:
    from clave.delivery.watching import Values

    files = {each.name: each.value for each in resolved if each.as_file}
    extra = {
        each.name: os.fsencode(os.path.join(folder.path, each.name)) if folder and each.as_file else each.value
        for each in resolved
    }
    masks = [mask for each in resolved for mask in each.masks] if how.mask else []
    return Values(child.environment(extra, pristine=how.pristine), masks, files)


def _watch(chosen: Chosen, now: Values, folder: Folder | None, how: How) -> Watch:
    from clave.delivery.watching import Watch

    def resolve() -> Values:
        return _values(resolving.resolve(chosen.store, chosen.variables), folder, how)

    def sync() -> None:
        from clave.store.share import syncing

        syncing.sync(chosen.store)

    def paths() -> list[str]:
        return resolving.sources(chosen.store, chosen.variables)

    if how.sync_every is None:
        return Watch(paths, resolve, now=now)
    return Watch(paths, resolve, now=now, sync=sync, sync_every=how.sync_every)


def _tell() -> None:
    """Say what was noticed: nothing of us is left after this."""
    from clave.cli import _output

    for line in notices.take():
        _output.warn(line)
    sys.stdout.flush()
    sys.stderr.flush()
