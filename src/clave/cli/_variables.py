"""The options that choose variables, of the commands that hand them to programs."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from clave.cli._app import App
    from clave.delivery.choosing import Chosen


def chosen(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose variables; it gets `choose`, to be called with the App."""

    @wraps(function)
    def with_choice(*args: Any, **given: Any) -> Any:
        words = {name: given.pop(name) for name in WORDS}

        def choose(app: App) -> Chosen:
            from clave.cli import _allowed

            return _allowed.choose(app, **words)

        return function(*args, choose=choose, **given)

    for option in reversed(_OPTIONS):
        with_choice = option(with_choice)
    return with_choice


WORDS = ("profile", "manifest", "entries", "env_files", "folders", "only", "without", "allow", "allow_names")
_OPTIONS = (
    click.option("-p", "--profile", metavar="PROFILE", help="Use this profile of the manifest."),
    click.option("--manifest", metavar="FILE", help="The manifest, or a secrets.yml; else the nearest clave.toml."),
    click.option("-e", "--env", "entries", metavar="NAME=REF", multiple=True, help="One more; REF is NAME[#FIELD]."),
    click.option("--env-file", "env_files", metavar="FILE", multiple=True, help="A .env file, with clave:// in it."),
    click.option("--all", "folders", metavar="FOLDER", multiple=True, help="Every entry of a folder, by its name."),
    click.option("--only", metavar="NAMES", multiple=True, help="Only these, with commas between; * is allowed."),
    click.option("--except", "without", metavar="NAMES", multiple=True, help="All but these."),
    click.option("--allow", is_flag=True, help="Allow what the files ask for, this once."),
    click.option("--allow-env", "allow_names", metavar="NAME", multiple=True,
                 help="Allow this name, although it makes programs run code."),
)  # fmt: skip
