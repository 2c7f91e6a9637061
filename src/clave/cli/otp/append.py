"""`clave otp append`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _ask
from clave.cli._app import pass_app
from clave.cli._target import entry
from clave.cli.otp import _secret
from clave.errors import Finding, NotFound
from clave.model.secret import Secret
from clave.store import otp, writing
from clave.store.reading import read

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command("append")
@_secret.options
@click.argument("name")
@pass_app
def command(app: App, name: str, force: bool, echo: bool, secret: bool, issuer: str, account: str) -> None:
    """Give an entry an OTP secret, or another one.

    Asked for is a key URI (otpauth://…); from a pipe, one line is read. The other lines stay as they are.
    """
    target = entry(app, name)
    name = target.name
    there = bool(Secret(read(target.store.root, name, options=target.store.options)).otp_uris)
    if there and not force:
        question = f"An OTP secret already exists for {name}. Overwrite it?"
        if not _ask.confirm_loss(question, force_hint="Overwrite it with -f."):
            raise Finding(f"{name} was left as it is")
    uri = _secret.ask(name, echo=echo, secret=secret, issuer=issuer, account=account)

    def change(old: bytes | None) -> bytes:
        if old is None:
            raise NotFound(f"{name} is not in the password store")
        return otp.with_uri(old, uri)

    subject = f"{'Replace' if there else 'Append'} OTP secret for {name}."
    writing.update(target.store, name, change, subject=subject)
