"""Editing a plaintext in the user's editor, in RAM only.

The file lies in a folder of mode 0700 on a tmpfs, never on a disk; the folder's name holds our process id, and
the next command sweeps away those of processes that are dead. Vim and Neovim are told to leave their swap, undo,
backup and history files out; other editors get what every program gets: a temporary folder in RAM.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from clave.errors import CannotWrite, Finding, ProgramMissing, UsageError
from clave.places import EDIT
from clave.process import run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

_VIM = ("vi", "vim", "nvim", "view", "gvim", "vimx", "nvi")
_VIM_SETTINGS = "set noswapfile nobackup nowritebackup noundofile viminfo= secure"
# f_type of statfs(2) is not in Python's os module; the list of mounts says the same.
_RAM = frozenset(("tmpfs", "ramfs"))


@contextmanager
def session(plaintext: bytes, name: str, *, allow_disk: bool = False) -> Iterator[Session]:
    """Put `plaintext` into a file in RAM, named after the entry, for as long as the context lasts.

    Raises UsageError where there is no tmpfs and `allow_disk` is false.
    """
    sweep()
    base = folder_in_ram()
    if base is None and not allow_disk:
        raise UsageError(
            "there is no folder in RAM to edit in", "Use 'clave insert -m', or allow a temporary file on disk."
        )
    try:
        folder = tempfile.mkdtemp(prefix=f"{EDIT}{os.getpid()}-", dir=base)
    except OSError as error:
        raise CannotWrite(f"there is no room to edit in: {error.strerror}", "Free some memory.") from None
    try:
        path = os.path.join(folder, name.replace("/", "-")[-60:] + ".txt")  # 60: at most 240 bytes
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(plaintext)
        yield Session(path, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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


def folder_in_ram() -> str | None:
    """Return a folder that is on a tmpfs and writable, None if there is none (macOS)."""
    for folder in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm"):  # noqa: S108 - it is RAM that we want
        if folder and os.access(folder, os.W_OK | os.X_OK) and _file_system(folder) in _RAM:
            return folder
    return None


def sweep() -> None:
    """Remove what edits of dead processes left (kill -9, a power cut of the shell)."""
    base = folder_in_ram()
    if base is None:
        return
    for item in os.scandir(base):
        if not item.name.startswith(EDIT) or not item.is_dir(follow_symlinks=False):
            continue
        pid = item.name.removeprefix(EDIT).partition("-")[0]
        with suppress(FileNotFoundError):  # that edit has ended, or another command sweeps at the same time
            if item.stat(follow_symlinks=False).st_uid == os.getuid() and pid.isdecimal() and not _alive(int(pid)):
                shutil.rmtree(item.path, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _file_system(folder: str) -> str | None:
    """Return the type of the file system that holds `folder`, from /proc/self/mountinfo (proc(5))."""
    real = os.path.realpath(folder)
    best, kind = "", None
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                fields = line.split(" ")
                point = fields[4].encode().decode("unicode_escape")
                if (real + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best):
                    best, kind = point, fields[fields.index("-") + 1]
    except OSError:
        return None
    return kind
