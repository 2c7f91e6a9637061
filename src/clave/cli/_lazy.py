"""A click group that loads a command's module only when the command is run."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clave.cli._commands import Row


class LazyGroup(click.Group):
    """A group whose commands are named in a table of `Row`s.

    `package` is the dotted package that holds the modules; `sections` the table; `aliases` other names. `default` is
    the command that is meant where none is named: with `default_takes_words` where the first word is none of the
    commands, so it is an argument; else where there is nothing, or an option.
    """

    def __init__(
        self,
        *args: object,
        package: str,
        sections: Mapping[str, Mapping[str, Row]],
        default: str = "",
        default_takes_words: bool = False,
        **kwargs: object,
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._package = package
        self._sections = sections
        self._default = default
        self._default_takes_words = default_takes_words
        self.rows = {name: row for section in sections.values() for name, row in section.items()}
        self.aliases = {alias: name for name, row in self.rows.items() for alias in row.aliases}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, having put the default command there that was left out."""
        if self._default and self._stands_for_default(ctx, args):
            args = [self._default, *args]
        return super().parse_args(ctx, args)

    def _stands_for_default(self, ctx: click.Context, args: list[str]) -> bool:
        if self._default_takes_words:
            return bool(args) and args[0] not in {*self.rows, *self.aliases, *ctx.help_option_names}
        return not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table's order."""
        return list(self.rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load and return a command by its name or alias."""
        row = self.rows.get(self.aliases.get(cmd_name, cmd_name))
        if row is None:
            return None
        command = import_module(f"{self._package}.{row.module}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, a section at a time, without loading a command."""
        for title, rows in self._sections.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(", ".join((name, *row.aliases)), row.help) for name, row in rows.items()], col_max=24
                )
