"""`clave find`: entries by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output, _tree
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.errors import Finding
from clave.model.text import printable
from clave.store import search
from clave.store.stores import all_stores

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="find")
@click.option("--flat", is_flag=True, help="One full name a line.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("terms", metavar="TERM…", nargs=-1, required=True)
@pass_app
@click.pass_context
def command(ctx: click.Context, app: App, terms: tuple[str, ...], flat: bool, as_json: bool) -> None:
    """List the entries whose names match.

    A TERM is a part of the name of an entry or a folder, in any case; with `*`, `?`, `[a-z]` as wildcards.
    With a slash in it, it is a part of the full name. Other stores' entries follow as STORE:NAME.
    """
    exclusive(flat=flat, json=as_json)
    stores = all_stores(app.settings, app.store_name)
    if flat or as_json:
        found = [prefix + name for prefix, store in stores for name in search.find(store, terms)]
        if as_json:
            _output.json({"terms": list(terms), "entries": found})
        else:
            _tree.names(found)
        anything = bool(found)
    else:
        # The first may not be this run's own store: that one need not exist as long as others do.
        here = [store for prefix, store in stores if not prefix]
        nodes = [node for store in here for node in search.find_tree(store, terms)]
        elsewhere = [prefix + name for prefix, store in stores if prefix for name in search.find(store, terms)]
        _tree.tree(f"Search Terms: {printable(','.join(terms))}", nodes)
        _tree.names(elsewhere)
        anything = bool(nodes or elsewhere)
    if not anything:
        ctx.exit(Finding.exit_code)
