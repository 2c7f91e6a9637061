"""`clave git`: git in the store, as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.errors import GitFailed, ProgramMissing, VerificationFailed

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="git", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
               add_help_option=False)  # fmt: skip
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_app
@click.pass_context
def command(ctx: click.Context, app: App, arguments: tuple[str, ...]) -> None:
    """Run git in the store.

    All arguments are git's, and so are configuration, terminal and exit code; only the control characters in what
    a remote says are shown as escapes. `clave git init` makes the store a repository (again, if it is one) that
    shows differences of plaintexts.

    \b
    clave git remote add origin URL
    clave git push --set-upstream origin main
    clave git pull --rebase

    In a team store pull, merge, rebase and reset are refused: clave sync verifies what comes.
    """
    from clave.process import run_on_terminal
    from clave.store.stores import open_store
    from clave.vcs.git import RemoteText, environment, moves_head, speaks_with_remote

    if arguments[:1] == ("init",) and len(arguments) == 1:
        from clave.store import rekeying

        store = open_store(app.settings, app.store_name, new=True)
        made = rekeying.init_git(store)
        _output.note(f"{'Made' if made else 'Set up again'} the git repository of {store.root}.")
        return
    repository = app.store.repository()
    if repository is None:
        raise GitFailed("the password store is not a git repository", 'Try "clave git init".')
    settings = repository.settings()
    moving = moves_head(arguments, settings) if app.store.is_team else None
    if moving:
        raise VerificationFailed(
            f"'{moving}' of git would bring in or drop commits of a team store without verifying them",
            "Use: clave sync.",
        )
    try:
        safe = RemoteText() if speaks_with_remote(arguments, settings) else None
        # A member may have made the store's folder look like a bare repository, with programs in its configuration.
        argv = ["git", "-c", "safe.bareRepository=explicit", "-C", app.store.root, *arguments]
        code = run_on_terminal(argv, env=environment(), safe=safe)
    except ProgramMissing:
        raise GitFailed("git is not installed", "Install git and try again.") from None
    ctx.exit(code if code >= 0 else 128 - code)
