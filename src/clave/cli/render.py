"""`clave render TEMPLATE`: a file with secrets in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.errors import Finding, UsageError

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.delivery.references import Reference
    from clave.delivery.resolving import Found
    from clave.store.store import Store


@click.command(name="render")
@click.argument("template", metavar="TEMPLATE")
@click.option("-o", "--output", metavar="FILE", help="Write this file, for you alone to read (0600).")
@click.option(
    "--check", is_flag=True, help="Write nothing; tell whether it works, and with -o whether FILE is the same."
)
@click.option("--allow", is_flag=True, help="Allow what the template asks for, this once.")
@pass_app
def command(app: App, template: str, *, output: str | None, check: bool, allow: bool) -> None:
    r"""Render a template with secrets in it, to stdout or into a file.

    The template is Jinja2's. Everything that it asks for is looked up before anything is written; what is not there, or
    not defined, is an error. A template that is new, or asks for more than before, has to be allowed once.

    \b
    password: {{ secret("prod/db") | yaml }}
    url: postgres://app:{{ secret("prod/db") | url }}@{{ secret("prod/db#host") }}/app
    {% for name in ["a", "b"] %}{{ name }}={{ secret("prod/" ~ name) | quote }}
    {% endfor %}

    Filters: b64, b64decode, sha256, json, yaml, quote (a word for sh), url, indent, and of Jinja2's default, first,
    int, join, last, length, list, lower, replace, string, trim, upper. A template reads no other file, calls no
    method, and has an end.
    """
    from clave.delivery import target, templates

    if output is not None:
        target.check(output)
        if os.path.exists(output) and os.path.exists(template) and os.path.samefile(output, template):
            raise UsageError(f"{output} is the template itself", "Name another file.")
    text = templates.read(template)
    store = _store(app, template)

    def look_up(asked: frozenset[Reference]) -> Found:
        from clave.cli import _allowed
        from clave.delivery import resolving
        from clave.delivery.asked import Variable
        from clave.delivery.choosing import Asking

        variables = (Variable("secret", secret=each) for each in sorted(asked, key=str))
        if not allow:
            asking = Asking(os.path.abspath(template), tuple(variables))
            _allowed.require(store, asking, "Render it on a terminal once, or say --allow.")
        return resolving.look_up(store, asked)

    rendered = templates.render(template, text, look_up)
    if check:
        if output is not None and target.read(output) != rendered:
            raise Finding(
                f"{output} is not what {template} makes now", f"Write it: clave render {template} -o {output}."
            )
    elif output is not None:
        target.replace(output, rendered)
    else:
        _output.value(rendered)


def _store(app: App, template: str) -> Store:
    """Return the store that a template is for: that of the manifest beside or above it, or the one in use."""
    from clave.delivery import choosing, manifest

    path = manifest.find(os.path.dirname(os.path.abspath(template)))
    return choosing.store_of(app.settings, manifest.read(path), app.store_name) if path else app.store
