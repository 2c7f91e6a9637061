"""`clave otp uri`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.cli._deliver import deliver
from clave.cli._options import delivery
from clave.cli._target import entry
from clave.store import otp
from clave.store.reading import read

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command("uri")
@delivery()
@click.argument("name")
@pass_app
def command(app: App, name: str, clip: bool, qrcode: bool) -> None:
    """Show the key URI.

    As a QR code (-q) it goes from here into an authenticator.
    """
    exclusive(clip=clip, qrcode=qrcode)
    target = entry(app, name, strict=clip)
    uri = otp.find(read(target.store.root, target.name, options=target.store.options), target.name)
    data = uri.encode("utf-8", "surrogateescape")
    deliver(app, data, f"OTP key URI for {target.name}", clip=clip, qrcode=qrcode)
