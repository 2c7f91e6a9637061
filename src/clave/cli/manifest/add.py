"""`clave manifest add`: add a variable to the manifest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.errors import NotFound

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="add")
@click.option("-p", "--profile", metavar="PROFILE", help="Add it to this profile, which is made if it is not there.")
@click.option("-t", "--template", is_flag=True, help="REFERENCE is a template: text with {REFERENCE} in it.")
@click.option("--file", "as_file", is_flag=True, help="Hand it over as a file; the variable holds its path.")
@click.option("--optional", is_flag=True, help="The entry need not be there when it is used.")
@click.option("--new", is_flag=True, help="The entry need not be there yet.")
@click.argument("name", metavar="VARIABLE")
@click.argument("text", metavar="REFERENCE")
@pass_app
def command(
    app: App,
    *,
    name: str,
    text: str,
    profile: str | None,
    template: bool,
    as_file: bool,
    optional: bool,
    new: bool,
) -> None:
    """Add a variable to the manifest.

    That is the nearest clave.toml. What it said of that variable is replaced.

    \b
    clave manifest add API_TOKEN prod/api
    clave manifest add DB_USER prod/db#user -p prod
    clave manifest add DB_URL -t 'postgres://{db#user}:{db|url}@{db#host}/app'
    """
    from clave.delivery import allowing, choosing, manifest, names, writing
    from clave.store import layout
    from clave.store.search import missing

    path = manifest.find(os.getcwd())
    if path is None:
        raise NotFound(f"there is no {manifest.FILE} here or in a folder above", "Make one: clave manifest init.")
    names.check(name)
    entry = writing.Entry(name, text, template=template, as_file=as_file, optional=optional)
    store = choosing.store_of(app.settings, manifest.read(path), app.store_name)
    references = entry.variable.references
    for each in sorted(references, key=str):
        if not (new or optional or layout.is_entry(store.root, each.name)):
            raise missing(store, each.name)
    writing.add(path, entry, profile)
    # The user has just typed it: nobody need be asked whether it is allowed.
    allowing.allow(path, store, references, keep=True)
    _output.note(f"{name} is {text} in {path}.")
