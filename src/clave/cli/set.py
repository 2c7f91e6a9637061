"""`clave set`: fields of an entry."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from clave.cli import _ask
from clave.cli._app import pass_app
from clave.cli._checks import require_strength
from clave.errors import NotFound, UsageError

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="set")
@click.option("--unset", is_flag=True, help="Remove the fields instead.")
@click.option("-e", "--echo", is_flag=True, help="Show what is typed.")
@click.option("--allow-weak", is_flag=True, help="Also a password that is weaker than the policy of the store wants.")
@click.argument("name")
@click.argument("fields", metavar="FIELD…", nargs=-1, required=True)
@pass_app
def command(app: App, name: str, fields: tuple[str, ...], unset: bool, echo: bool, allow_weak: bool) -> None:
    """Set fields of an entry, leaving its other lines alone.

    The values are asked for one after another, or read from a pipe, one line each; they are never arguments. The
    field `password` is the first line. An entry that is not there is made.

    \b
    clave set work/db user                          asks for it
    printf 'alice\\n5432\\n' | clave set work/db user port
    """
    from clave.model.secret import Secret
    from clave.store import writing

    store, name = app.split(name)
    ask = _ask.line if echo else _ask.hidden
    values = [b"" if unset else os.fsencode(ask(f"{field} of {name}: ")) for field in fields]

    def change(old: bytes | None) -> bytes:
        if old is None and unset:
            raise NotFound(f"{name} is not in the password store")
        secret = Secret(old if old is not None else b"\n")
        for field, value in zip(fields, values, strict=True):
            try:
                secret = secret.without_field(field) if unset else secret.with_field(field, value)
            except ValueError as reason:
                raise UsageError(str(reason)) from None
        is_new = old is None or secret.password != Secret(old).password
        if not allow_weak and is_new and secret.password:
            require_strength(store, name, secret.plaintext)
        return secret.plaintext

    writing.update(store, name, change, subject=f"Set {', '.join(fields)} of {name}.", operation="edit")
