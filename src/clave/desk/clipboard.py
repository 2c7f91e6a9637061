"""The clipboard: a value is put there (pyperclip), and after a while what was there before comes back.

A process of our own waits in the background. It puts the earlier content back only if the clipboard still holds
our value: what the user has copied since is theirs. A second copy ends the first one's wait at once, as in pass,
so that "earlier" never is our own secret.

Clipboard histories: wl-copy can mark a value as sensitive, which KDE and others heed, and is asked to where it
is new enough. xclip, xsel and pbcopy have no such mark: a history program on X11 or macOS keeps what it sees.
"""

from __future__ import annotations

import fcntl
import os
import platform
import select
import shutil
import signal
import time
from functools import partial
from typing import TYPE_CHECKING

from clave.errors import UsageError
from clave.process import run

if TYPE_CHECKING:
    from collections.abc import Callable

_HANDOVER = 2.0  # seconds that an earlier wait has to put things back, and a copy to arrive


def copy(value: bytes, *, seconds: int, selection: str, state: str) -> None:
    """Put `value` on the clipboard for so many seconds.

    `selection` is X11's (clipboard, primary or secondary); `state` the path of a file by which two waits know
    of each other. Raises UsageError where there is no display, no program that copies, or the value is no text.
    """
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise UsageError("it is not text and cannot go to the clipboard", "Send it to a file instead.") from None
    put, get = _functions(selection)
    _end_earlier_wait(state)
    os.makedirs(os.path.dirname(state), exist_ok=True)
    ready, done = os.pipe()
    if os.fork():
        os.close(done)
        with os.fdopen(ready, "rb") as answer:
            failure = answer.read()
        if failure != b"ok":
            raise UsageError(f"the clipboard cannot be used: {failure.decode(errors='replace')}", "See: clave doctor.")
        return
    _become_background(ready)
    try:
        earlier = _quietly(get) or ""
        put(text)
        if not _arrived(get, text):  # pyperclip does not look at what its programs end with
            raise OSError("what was copied is not there")
    except Exception as failure:  # noqa: BLE001 - whatever pyperclip raises, the parent tells it
        os.write(done, str(failure).splitlines()[0].encode()[:200] if str(failure) else b"unknown reason")
        os._exit(1)
    lock = os.open(state, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    os.write(done, b"ok")
    os.close(done)
    _wait(seconds)
    if _quietly(get) == text:
        put(earlier)
    os._exit(0)


def require(selection: str) -> None:
    """Raise UsageError where nothing can be copied: no display, no program for it, no such selection."""
    _functions(selection)


def _become_background(unused: int) -> None:
    """Leave the terminal and our caller's pipes: nobody shall wait for us, or for the program that serves X11."""
    os.close(unused)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)


def _wait(seconds: int) -> None:
    """Sleep, or until another copy asks us to make room (SIGTERM). macOS has no sigtimedwait(2)."""
    asked, ask = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(ask, b"."))
    select.select([asked], [], [], seconds)


def _end_earlier_wait(state: str) -> None:
    """Ask an earlier wait to put things back now. Its lock tells whether it lives, so no other process is hit."""
    try:
        lock = os.open(state, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        deadline = time.monotonic() + _HANDOVER
        asked = False
        while time.monotonic() < deadline:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = os.pread(lock, 20, 0)
                if pid.isdigit() and not asked:
                    asked = True
                    os.kill(int(pid), signal.SIGTERM)
                time.sleep(0.02)
            else:
                return
    finally:
        os.close(lock)


def _functions(selection: str) -> tuple[Callable[[str], None], Callable[[], str]]:
    """Return how to copy and how to paste here."""
    import pyperclip

    if platform.system() == "Darwin":
        return _library(pyperclip, "pbcopy")
    if os.environ.get("WAYLAND_DISPLAY") and shutil.which("wl-copy"):
        put, get = _library(pyperclip, "wl-clipboard")
        return (_copy_sensitive if _knows_sensitive() else put), get
    if not os.environ.get("DISPLAY"):
        raise UsageError("No X11 or Wayland display detected", "Show it instead, without -c.")
    program = next((each for each in ("xclip", "xsel") if shutil.which(each)), None)
    if program is None:
        raise UsageError("no program copies to the clipboard", "Install xclip, xsel or wl-clipboard.")
    if selection == "secondary":
        raise UsageError("the secondary selection cannot be copied to", "Set clip.selection to clipboard or primary.")
    put, get = _library(pyperclip, program)
    if selection == "primary":
        return partial(put, primary=True), partial(get, primary=True)
    return put, get


def _library(pyperclip: object, mechanism: str) -> tuple[Callable[..., None], Callable[..., str]]:
    pyperclip.set_clipboard(mechanism)  # type: ignore[attr-defined]
    return pyperclip.copy, pyperclip.paste  # type: ignore[attr-defined]


def _knows_sensitive() -> bool:
    return b"--sensitive" in run(["wl-copy", "--help"]).out


def _copy_sensitive(text: str) -> None:
    run(["wl-copy", "--sensitive"], input=text.encode())


def _arrived(get: Callable[[], str], text: str) -> bool:
    """Tell whether the clipboard holds the text; xclip returns a moment before it does."""
    deadline = time.monotonic() + _HANDOVER
    while _quietly(get) != text:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _quietly(get: Callable[[], str]) -> str | None:
    """Return what the clipboard holds, None for what is no text or cannot be had."""
    try:
        return get()
    except Exception:  # noqa: BLE001 - an empty clipboard is an error for some of the programs
        return None
