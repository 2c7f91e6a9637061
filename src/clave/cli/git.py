"""`clave git`: git in the store, as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.errors import GitFailed

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="git", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
               add_help_option=False)  # fmt: skip
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_app
@click.pass_context
def command(ctx: click.Context, app: App, arguments: tuple[str, ...]) -> None:
    """Run git in the store.

    All arguments are git's, and so are terminal and exit code. `clave git init` makes the store a repository
    (again, if it is one) that shows differences of plaintexts.
    """
    from clave.process import ProgramMissing, run_on_terminal
    from clave.store.stores import open_store
    from clave.vcs.git import environment

    if arguments[:1] == ("init",) and len(arguments) == 1:
        from clave.store import rekeying

        store = open_store(app.settings, app.store_name, new=True)
        made = rekeying.init_git(store)
        _output.note(f"{'Made' if made else 'Set up again'} the git repository of {store.root}.")
        return
    repository = app.store.repository()
    if repository is None:
        raise GitFailed("the password store is not a git repository", 'Try "clave git init".')
    try:
        # A member may have made the store's folder look like a bare repository, with programs in its configuration.
        explicit = ("-c", "safe.bareRepository=explicit")
        code = run_on_terminal(["git", *explicit, "-C", app.store.root, *arguments], env=environment())
    except ProgramMissing:
        raise GitFailed("git is not installed", "Install git and try again.") from None
    ctx.exit(code if code >= 0 else 128 - code)
