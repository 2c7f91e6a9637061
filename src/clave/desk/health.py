"""Checks of the desktop: what copies to the clipboard, and where `edit` keeps its text."""

from __future__ import annotations

import os
import platform
import shutil
from typing import TYPE_CHECKING

from clave.model.report import attention, good, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clave.model.report import Report

_MEMORY = "/dev/shm"  # noqa: S108 - a memory file system on Linux, where /tmp may be on disk


def check_desktop() -> Iterator[Report]:
    """Report on the clipboard and on memory for `edit`."""
    yield _clipboard()
    yield _memory()


def _clipboard() -> Report:
    if platform.system() == "Darwin":
        return good("clipboard", "copied with pbcopy; macOS may sync it to your other devices")
    if os.environ.get("WAYLAND_DISPLAY"):
        programs, package = ["wl-copy"], "wl-clipboard"
    elif os.environ.get("DISPLAY"):
        programs, package = ["xclip", "xsel"], "xclip"
    else:
        return note("clipboard", "there is no display here: --clip and clip do not work")
    found = next((program for program in programs if shutil.which(program)), None)
    if found is None:
        return attention("clipboard", "no program copies to the clipboard", f"Install it: apt install {package}")
    return good("clipboard", f"copied with {found}")


def _memory() -> Report:
    if os.path.ismount(_MEMORY) and os.access(_MEMORY, os.W_OK | os.X_OK):
        return good("memory", f"'clave edit' keeps its text in memory ({_MEMORY})")
    if platform.system() == "Darwin":
        return note("memory", "macOS has no memory file system: 'clave edit' asks before it uses a disk")
    mend = f"Mount one: mount -t tmpfs tmpfs {_MEMORY}"
    return attention("memory", "there is no memory file system: 'clave edit' would have to use a disk", mend)
