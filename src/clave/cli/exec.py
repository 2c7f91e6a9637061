"""`clave exec`: run a program with secrets in its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _variables
from clave.cli._app import pass_app
from clave.cli._exec import How, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from clave.cli._app import App
    from clave.delivery.choosing import Chosen


@click.command(name="exec", context_settings={"allow_interspersed_args": False})
@_variables.chosen
@click.option("--pristine", is_flag=True, help="Give it no other variables than these and HOME, PATH and the like.")
@click.option("--mask", is_flag=True, help="Show stars in the place of secrets that it writes.")
@click.option("--watch", is_flag=True, help="Start it again when one of its secrets changes.")
@click.option("--sync-every", "seconds", type=click.IntRange(min=5), metavar="SECONDS",
              help="With --watch: get the changes of others that often.")  # fmt: skip
@click.option("--on-disk", is_flag=True, help="Where there is no RAM for secrets as files, put them on a disk.")
@click.argument("argv", metavar="-- CMD…", nargs=-1, type=click.UNPROCESSED)
@pass_app
@click.pass_context
def command(
    ctx: click.Context,
    app: App,
    /,
    argv: tuple[str, ...],
    *,
    choose: Callable[[App], Chosen],
    pristine: bool,
    mask: bool,
    watch: bool,
    seconds: int | None,
    on_disk: bool,
) -> None:
    """Run a program with secrets in its environment.

    Which, the manifest says, clave.toml in this folder or one above; -e adds more. All of them are looked up before the
    program starts; it does not start if one is missing or cannot be read.

    \b
    clave exec -- npm start                       what clave.toml says
    clave exec -p test -- make test               its profile `test`
    clave exec -e PGPASSWORD=prod/db -- psql      one secret, no manifest
    clave exec -e KEY='tls/key#*' -- ./deploy     an entry as it is, not its first line

    A manifest that is new, or asks for more than before, has to be allowed once: clave allow.

    clave is replaced by the program, whose exit code is that of this command. With --mask, --watch, and secrets as
    files, clave stays until it ends. Masking is a guard against accidents: a program that wants to show a secret can.
    """
    ctx.exit(run(argv, lambda: choose(app), How(pristine, mask, watch, seconds, on_disk)))
