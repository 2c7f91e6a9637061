"""`clave pick`: choose an entry by typing parts of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _output
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.cli._deliver import deliver
from clave.cli._options import delivery
from clave.cli._target import entry
from clave.errors import Finding, UsageError
from clave.model.secret import Secret
from clave.model.text import printable
from clave.store import layout
from clave.store.reading import read
from clave.store.stores import all_stores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.cli._app import App


@click.command(name="pick")
@delivery()
@click.option("-n", "--name", "only_name", is_flag=True, help="Print the name instead of the entry.")
@click.argument("query", nargs=-1)
@pass_app
def command(app: App, query: Sequence[str], clip: bool, qrcode: bool, only_name: bool) -> None:
    """Choose an entry by typing parts of its name.

    The names of all stores are offered, those that hold the letters of QUERY first. fzf asks, if it is installed. The
    chosen entry is shown, or its first line copied. Without a terminal QUERY has to fit one entry alone.
    """
    exclusive(clip=clip, qrcode=qrcode, name=only_name)
    name = _choose(app, " ".join(query))
    if only_name:
        _output.line(printable(name))
        return
    target = entry(app, name, strict=clip)
    plaintext = read(target.store.root, target.name, options=target.store.options)
    if clip or qrcode:
        deliver(app, Secret(plaintext).password, name, clip=clip, qrcode=qrcode)
    else:
        _output.value(plaintext)


def _choose(app: App, query: str) -> str:
    from clave.desk import chooser

    names = [
        prefix + name
        for prefix, store in all_stores(app.settings, app.store_name)
        for name in layout.entries(store.root)
    ]
    if _ask.interactive():
        chosen = chooser.choose(names, query)
    else:
        found = chooser.rank(names, query)
        if len(found) > 1:
            raise UsageError(
                f"{len(found)} entries fit '{query}', and there is no terminal to ask on", "Give more letters."
            )
        chosen = found[0] if found else None
    if chosen is None:
        raise Finding(f"no entry fits '{query}'")
    return chosen
