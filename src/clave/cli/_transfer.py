"""What `mv` and `cp` have in common: a plan, one question, and the ways to carry it out."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from clave.cli import _ask, _output
from clave.cli._progress import Progress
from clave.errors import Finding, NotFound
from clave.store.search import missing

if TYPE_CHECKING:
    from clave.cli._app import App


def transfer(app: App, old: str, new: str, *, force: bool, keep: bool) -> None:
    """Move, or with `keep` copy, an entry or folder; ask before anything is overwritten."""
    from clave.store import moving

    store, old = app.split(old)
    other, new = app.split(new)
    across = os.path.realpath(other.root) != os.path.realpath(store.root)
    try:
        planned = moving.plan_across(store, old, other, new) if across else moving.plan(store, old, new)
    except NotFound:
        raise missing(store, old) from None
    if planned.replaced and not force:
        names = ", ".join(planned.replaced[:3]) + (", …" if len(planned.replaced) > 3 else "")
        exists, them = ("already exists", "it") if len(planned.replaced) == 1 else ("already exist", "them")
        if not _ask.confirm_loss(f"{names} {exists}. Overwrite {them}?", force_hint=f"Overwrite {them} with -f."):
            raise Finding("nothing was overwritten")
    with Progress("re-encrypted") as progress:
        if across:
            moving.carry(store, planned, other, keep=keep, progress=progress)
        else:
            (moving.copy if keep else moving.move)(store, planned, progress)
    if sys.stderr.isatty():
        _output.note(f"{'copied' if keep else 'renamed'} '{planned.old}' -> '{planned.new}'")
