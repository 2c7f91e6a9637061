"""`clave help [COMMAND…]`."""

from __future__ import annotations

import click

from clave.cli import _output


@click.command("help")
@click.argument("words", metavar="[COMMAND]…", nargs=-1)
@click.pass_context
def command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Show help for a command.

    Without COMMAND it is that of clave itself. A command of a command has its own: clave help otp append.
    """
    shown = ctx.find_root()
    for word in words:
        group = shown.command
        found = group.get_command(shown, word) if isinstance(group, click.Group) else None
        if found is None:
            raise click.UsageError(f"'{' '.join(words)}' is no command", shown)
        shown = click.Context(found, info_name=found.name, parent=shown, **found.context_settings)
    _output.line(shown.get_help())
