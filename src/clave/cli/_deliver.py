"""Where a value goes that is not simply shown: the clipboard, or a QR code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from clave.cli import _output
from clave.places import cache_file

if TYPE_CHECKING:
    from clave.cli._app import App


def clip(app: App, value: bytes, name: str) -> None:
    """Copy a value and say so in pass's words."""
    from clave.desk import clipboard

    seconds = app.settings.clip_seconds
    clipboard.copy(
        value, seconds=seconds, selection=app.settings.clip_selection, state=cache_file(os.environ, "clipboard")
    )
    _output.note(f"Copied {name} to clipboard. Will clear in {seconds} seconds.")


def qrcode(app: App, value: bytes, name: str) -> None:  # noqa: ARG001 - the same form as `clip`
    """Draw a value as a QR code on stdout."""
    from clave.desk import qr

    sys.stdout.write(qr.draw(value))
