"""`clave otp NAME`: the code of now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from clave.cli import _deliver, _output
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.cli._options import delivery
from clave.cli._target import entry
from clave.errors import UsageError

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command("code")
@delivery()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("name")
@pass_app
def command(app: App, name: str, clip: bool, qrcode: bool, as_json: bool) -> None:
    """Show the code of now.

    For how many seconds it holds is told on stderr. The counter of an HOTP secret is raised and stored first.
    """
    exclusive(clip=clip, qrcode=qrcode, json=as_json)
    from clave.store import otp

    target = entry(app, name, strict=clip)
    if target.field:
        raise UsageError(f"'{name}' names a field", "Codes are made of the whole entry: leave out the field.")
    _deliver.require(app, b"", clip=clip)  # before a counter is raised for nothing
    code = otp.take(target.store, target.name, time.time())
    if as_json:
        _output.json({"name": target.name, "code": code.text, "seconds_left": code.seconds_left})
        return
    _deliver.deliver(app, code.text.encode(), f"OTP code for {target.name}", clip=clip, qrcode=qrcode)
    if code.seconds_left is not None:
        _output.note(f"{code.seconds_left} s left")
