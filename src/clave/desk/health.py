"""Checks of the desktop: what copies to the clipboard, and where `edit` keeps its text."""

from __future__ import annotations

import os
import platform
import shutil
from typing import TYPE_CHECKING

from clave import ram
from clave.model.report import attention, good, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clave.model.report import Report


def check_desktop() -> Iterator[Report]:
    """Report on the clipboard and on memory for `edit`."""
    yield _clipboard()
    yield _memory()


def _clipboard() -> Report:
    if platform.system() == "Darwin":
        return good("clipboard", "copied with pbcopy; macOS may sync it to your other devices")
    wayland, x11 = os.environ.get("WAYLAND_DISPLAY"), os.environ.get("DISPLAY")
    if not (wayland or x11):
        return note("clipboard", "there is no display here: nothing can be copied to a clipboard")
    programs = (["wl-copy"] if wayland else []) + (["xclip", "xsel"] if x11 else [])
    found = next((program for program in programs if shutil.which(program)), None)
    if found is None:
        package = "wl-clipboard" if wayland else "xclip"
        return attention("clipboard", "no program copies to the clipboard", f"Install it: apt install {package}")
    return good("clipboard", f"copied with {found}")


def _memory() -> Report:
    folder = ram.folder()
    if folder is not None:
        return good("memory", f"'clave edit' keeps its text in memory, in {folder}")
    text = "there is no memory file system: 'clave edit' would have to use a disk"
    if platform.system() == "Darwin":
        return note("memory", f"{text}, as always on macOS")
    return attention("memory", text, "Mount one: mount -t tmpfs tmpfs /dev/shm")
