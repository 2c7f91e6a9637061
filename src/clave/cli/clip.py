"""`clave clip`: one field after another to the clipboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _field
from clave.cli._app import pass_app
from clave.cli._deliver import copy
from clave.cli._target import entry
from clave.errors import UsageError
from clave.model.secret import OTP, Secret, field_names
from clave.store.reading import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.cli._app import App

# What a login page asks for, in its order.
_LOGIN = frozenset(("user", "username", "login", "password", OTP))


@click.command(name="clip")
@click.argument("name")
@click.argument("fields", metavar="[FIELD]…", nargs=-1)
@pass_app
def command(app: App, name: str, fields: Sequence[str]) -> None:
    """Copy one field after another to the clipboard.

    Without FIELD what a login asks for and the entry has: user, password, otp. Press Enter for the next one. A code
    is made at its turn. The clipboard is cleared a while after the last one.
    """
    target = entry(app, name, strict=True)
    plaintext = read(target.store.root, target.name, options=target.store.options)
    if target.field:
        fields = (target.field, *fields)
    fields = fields or [each for each in field_names(Secret(plaintext)) if each.casefold() in _LOGIN]
    if not fields:
        raise UsageError(f"{target.name} has neither user, password nor otp", "Name the field to copy.")
    if len(fields) > 1 and not _ask.interactive():
        raise UsageError(
            f"there is no terminal to ask on between {' and '.join(fields)}", "Name one field: clave clip NAME FIELD"
        )
    for field in fields:
        _field.require(target, plaintext, field)
    for number, field in enumerate(fields):
        if number:
            _ask.line(f"Press Enter to copy {field}. ")
        copy(app, _field.value(target, plaintext, field), f"{target.name}#{field}")
