"""`clave policy set PATTERN KEY=VALUE…`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.errors import UsageError

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command("set")
@click.option("--unset", multiple=True, metavar="KEY", help="Take a key out: what a wider pattern says holds again.")
@click.option("--max-age", metavar="AGE", help="Warn in `verify` where a team's newest commit is older, such as 30d.")
@click.argument("pattern", required=False)
@click.argument("values", metavar="[KEY=VALUE]…", nargs=-1)
@pass_app
def command(
    app: App, pattern: str | None, values: tuple[str, ...], unset: tuple[str, ...], max_age: str | None
) -> None:
    """Set what is wanted of the entries that a pattern matches.

    Values are written as in the file; text needs no quotes there. A key in a table is named with a dot. Comments in
    the file stay. In a team it takes an admin, and is a signed commit.

    \b
    clave policy set prod rotate=90d owner=@ops
    clave policy set prod/db driver=postgresql driver_options.host=db.example.org generate.length=40
    clave policy set people rotate=never on=leaver,exposure
    clave policy set prod/db --unset expires
    """
    from clave.store.lifecycle import policies

    pattern = (pattern or "").removesuffix("/")
    if not (pattern or max_age) or (pattern and not (values or unset)):
        raise click.UsageError("give a PATTERN and KEY=VALUE or --unset KEY, or --max-age")
    wanted = dict(_pair(each) for each in values)
    if not policies.change(app.store, pattern, wanted, unset=unset, max_age=max_age):
        _output.note("Nothing to do: it is so already.")


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"'{text}' is not KEY=VALUE", "Such as rotate=90d.")
    return key, _value(key, value)


def _value(key: str, text: str) -> Any:
    """Return a value as TOML has it; what is no TOML is text, and events are a list."""
    import tomllib

    if key == "on" and not text.startswith("["):
        return [each.strip() for each in text.split(",") if each.strip()]
    try:
        found = tomllib.loads(f"value = {text}") if "\n" not in text else {}
    except (ValueError, RecursionError):
        return text
    return found["value"] if found.keys() == {"value"} else text
