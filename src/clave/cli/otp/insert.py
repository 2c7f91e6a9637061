"""`clave otp insert`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _output
from clave.cli._app import pass_app
from clave.cli._checks import replacing
from clave.cli.otp import _secret
from clave.errors import Finding
from clave.store import otp, writing

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command("insert")
@_secret.options
@click.argument("name", required=False)
@pass_app
def command(app: App, name: str | None, force: bool, echo: bool, secret: bool, issuer: str, account: str) -> None:
    """Insert an entry that is an OTP secret.

    Asked for is a key URI (otpauth://…); from a pipe, one line is read. Without NAME it is ISSUER/ACCOUNT of the URI.
    """
    store, name = app.split(name or "")
    if name:
        replacing(store, name, force=force)
    uri = _secret.ask(name or "this token", echo=echo, secret=secret, issuer=issuer, account=account)
    if not name:
        seed = otp.parse(uri)
        name = "/".join(part.replace("/", "-") for part in (seed.issuer, seed.account) if part)
        if _ask.interactive() and not _ask.confirm(f"Insert into {name}?"):
            raise Finding("nothing was inserted")
        replacing(store, name, force=force)
        _output.note(f"Inserting into {name}.")
    text = uri.encode("utf-8", "surrogateescape") + b"\n"
    writing.insert(store, name, text, subject=f"Add OTP secret for {name} to store.")
