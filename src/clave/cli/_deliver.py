"""Where a value goes: to stdout, to the clipboard, or into a QR code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from clave.cli import _output
from clave.places import cache_file

if TYPE_CHECKING:
    from clave.cli._app import App


def deliver(app: App, value: bytes, name: str, *, clip: bool = False, qrcode: bool = False) -> None:
    """Copy a value, draw it, or print it with a newline; `name` is what the user is told of it."""
    if clip:
        copy(app, value, name)
    elif qrcode:
        from clave.desk import qr

        sys.stdout.write(qr.draw(value))
    else:
        _output.value(value + b"\n")


def require(app: App, value: bytes, *, clip: bool = False, qrcode: bool = False) -> None:
    """Raise UsageError where `deliver` could not copy or draw: before a value is stored that nobody would see."""
    if clip:
        from clave.desk import clipboard

        clipboard.require(app.settings.clip_selection)
    elif qrcode:
        from clave.desk import qr

        qr.draw(value)


def copy(app: App, value: bytes, name: str) -> None:
    """Copy a value and say so in pass's words."""
    from clave.desk import clipboard

    seconds = app.settings.clip_seconds
    clipboard.copy(
        value, seconds=seconds, selection=app.settings.clip_selection, state=cache_file(os.environ, "clipboard")
    )
    _output.note(f"Copied {name} to clipboard. Will clear in {seconds} seconds.")
