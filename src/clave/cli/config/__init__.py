"""`clave config …`: the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

if TYPE_CHECKING:
    import click

    from clave.config import Key


class _Config(LazyGroup):
    """Adds the table of settings to the help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every key with its meaning, default and variable."""
        from clave.config import KEYS

        super().format_epilog(ctx, formatter)
        with formatter.section("Settings"):
            formatter.write_dl([(key.name, _about(key)) for key in KEYS])


def _about(key: Key) -> str:
    facts = [f"default {key.default}"] if key.default else []
    facts += [key.variable] if key.variable and key.in_file else []
    return f"{key.description} ({', '.join(facts)})" if facts else key.description


command = _Config(
    "config",
    package="clave.cli.config",
    sections={
        "Commands": {
            "get": Row("get", "Print the value of a setting."),
            "set": Row("set", "Change a setting in the config file."),
            "list": Row("list", "List the settings in force and where they come from.", ("ls",)),
        }
    },
    help="""Read and change settings.

    The config file is clave/config.toml below $XDG_CONFIG_HOME (~/.config). An environment variable comes
    before it, an option of a command before both.

    \b
    clave config set clip.seconds 20
    """,
)
