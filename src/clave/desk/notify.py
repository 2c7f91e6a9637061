"""A notification on the desktop (notify-send, of libnotify)."""

from __future__ import annotations

import html

from clave.errors import Finding, ProgramMissing
from clave.process import run

_LINES = 5  # of a body: notifications are small


def send(title: str, lines: list[str]) -> None:
    """Show a notification. Raises Finding where there is no desktop, or no program that shows one."""
    shown = lines[:_LINES] + ([f"… and {len(lines) - _LINES} more"] if len(lines) > _LINES else [])
    body = html.escape("\n".join(shown), quote=False)  # desktops take it for markup
    try:
        done = run(["notify-send", "--app-name=clave", "--icon=dialog-password", "--", title, body])
    except ProgramMissing:
        raise Finding("no notification can be shown: there is no notify-send", "Install libnotify-bin.") from None
    if done.code:
        raise Finding("no notification can be shown: notify-send found no desktop")
