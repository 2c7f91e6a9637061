"""Editing a plaintext in the user's editor, in RAM only.

The file lies in a folder of RAM (`ram.py`), never on a disk. Vim and Neovim are told to leave their swap, undo,
backup and history files out; other editors get what every program gets: a temporary folder in RAM.
"""

from __future__ import annotations

import os
import shlex
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clave import ram
from clave.errors import Finding, ProgramMissing, UsageError
from clave.places import EDIT
from clave.process import run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

_VIM = ("vi", "vim", "nvim", "view", "gvim", "vimx", "nvi")
_VIM_SETTINGS = "set noswapfile nobackup nowritebackup noundofile viminfo= secure"


@contextmanager
def session(plaintext: bytes, name: str, *, allow_disk: bool = False) -> Iterator[Session]:
    """Put `plaintext` into a file in RAM, named after the entry, for as long as the context lasts.

    Raises UsageError where there is no tmpfs and `allow_disk` is false.
    """
    ram.sweep()
    hint = "Use 'clave insert -m', or allow a temporary file on disk."
    folder = ram.make(EDIT, hint=hint, allow_disk=allow_disk)
    try:
        path = os.path.join(folder.path, name.replace("/", "-")[-60:] + ".txt")  # 60: at most 240 bytes
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(plaintext)
        yield Session(path, folder.path)
    finally:
        folder.remove()


class Session:
    """One plaintext being edited."""

    def __init__(self, path: str, folder: str) -> None:
        self._path = path
        self._folder = folder

    def run(self) -> bytes:
        """Open the editor and return what the file holds when it ends.

        Raises UsageError for an editor that is not there, Finding if it fails or the file is gone.
        """
        editor = command()
        env = {**os.environ, "TMPDIR": self._folder}
        try:
            code = run_on_terminal([*editor, self._path], env=env)
        except ProgramMissing:
            raise UsageError(f"the editor '{editor[0]}' was not found", "Set EDITOR to one that is there.") from None
        if code != 0:
            raise Finding(f"the editor '{editor[0]}' ended with code {code}", "Nothing was changed.")
        try:
            with open(self._path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            raise Finding("the edited file is gone", "Nothing was changed.") from None


def command() -> list[str]:
    """Return the editor as an argument list: $EDITOR (it may have arguments), $VISUAL, editor, vi (as pass)."""
    text = os.environ.get("EDITOR") or os.environ.get("VISUAL") or ""
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError(f"EDITOR is not a command: {text}", "Correct its quotes.") from None
    words = words or ["editor" if shutil.which("editor") else "vi"]
    if os.path.basename(os.path.realpath(shutil.which(words[0]) or words[0])).split(".")[0] in _VIM:
        words += ["-n", "-i", "NONE", "--cmd", _VIM_SETTINGS.removesuffix(" secure"), "-c", _VIM_SETTINGS]
    return words
