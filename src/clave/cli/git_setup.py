"""`clave git-setup`: what plain git and pass need to work well in a store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="git-setup")
@click.option("--undo", is_flag=True, help="Take it back.")
@click.option("--merge", "versions", nargs=4, hidden=True)
@pass_app
@click.pass_context
def command(ctx: click.Context, app: App, *, undo: bool, versions: tuple[str, str, str, str] | None) -> None:
    """Set up git in the store, for people who use it or pass.

    Then git merges entries field by field, in memory, and shows their differences decrypted. In a team store git and
    pass also sign what they commit, without which nobody accepts it. It is configuration of this one repository on this
    machine; clave itself needs none of it.
    """
    from clave.store.share import plaingit

    if versions:
        ctx.exit(0 if _merge(app, *versions) else 1)
    done = plaingit.undo(app.store) if undo else plaingit.set_up(app.store)
    for setting in done:
        _output.line(f"{'removed' if undo else 'set'} {setting.key}: {setting.purpose}")
    if not done:
        _output.note("Nothing to do: it is so already.")


def _merge(app: App, base: str, ours: str, theirs: str, path: str) -> bool:
    """Do what git asks of a merge driver, in the work tree that it has made our working directory."""
    from clave.store.share import plaingit
    from clave.store.store import Store

    done = plaingit.merge_driver(Store(os.getcwd(), app.settings), base, ours, theirs, path)
    if not done:
        _output.warn(f"both versions of {path} are kept: take what you need, then git add both")
    return done
