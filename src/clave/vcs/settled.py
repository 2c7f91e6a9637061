"""That the work tree is what HEAD has, known without looking at every file again.

Whoever has looked keeps the commit and which index file there was. Each git command that writes files of others to the
work tree (a merge that stops half-way, too) writes the index, so it is another file then. A write of clave's own hands
the knowledge on.

Imported by the fast path: nothing heavy may be imported here.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clave.vcs.git import Repository

_FILE = "clave-settled"


def is_settled(git_dir: str, commit: str) -> bool:
    """Tell whether the work tree is known to be that of a commit."""
    try:
        with open(os.path.join(git_dir, _FILE), encoding="utf-8", errors="replace") as file:
            return file.read() == _mark(commit, os.path.join(git_dir, "index"))
    except OSError:
        return False


def hand_on(git_dir: str, before: str, after: str, index: str) -> None:
    """Say so of another commit, if it was so of the one before; `index` is the file that will be the index."""
    if is_settled(git_dir, before):
        _keep(git_dir, _mark(after, index))


def look(repository: Repository, commit: str, ending: str) -> list[str]:
    """Return the files with an ending, and symlinks, that are not what HEAD, a commit, has; with none it is settled.

    Also those that HEAD does not have at all, and that git was told not to look at.
    """
    if is_settled(repository.git_dir, commit):
        return []
    try:
        mark = _mark(commit, os.path.join(repository.git_dir, "index"))
    except OSError:
        mark = ""
    shown = ("--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored", "--ignore-submodules=all")
    out = repository.run("--no-optional-locks", "status", *shown).out
    paths = (os.fsdecode(row[3:]) for row in out.split(b"\0")[:-1])
    found = [path for path in paths if path.endswith(ending) or os.path.islink(f"{repository.work_tree}/{path}")]
    if mark and not found:
        _keep(repository.git_dir, mark)
    return found


def _mark(commit: str, index: str) -> str:
    status = os.stat(index)
    return f"{commit} {status.st_mtime_ns} {status.st_size} {status.st_ino}\n"


def _keep(git_dir: str, mark: str) -> None:
    try:
        with open(os.path.join(git_dir, _FILE), "w", encoding="utf-8") as file:
            file.write(mark)
    except OSError:
        return  # a disk that takes nothing: the next one looks again
