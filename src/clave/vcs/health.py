"""Checks of git: the program, a repository's branch and identity, and locks that a dead git left."""

from __future__ import annotations

import os
import platform
import re
import shutil
from typing import TYPE_CHECKING

from clave.model.report import attention, good, note
from clave.process import run
from clave.vcs.git import running_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clave.model.report import Report
    from clave.vcs.git import Repository

_OLDEST = (2, 30)
_LOCKS = ("index.lock", "HEAD.lock", "config.lock", "packed-refs.lock")


def check_git() -> Report:
    """Report on the program."""
    path = shutil.which("git")
    if path is None:
        way = "brew install git" if platform.system() == "Darwin" else "apt install git"
        return attention("git", "git is not installed: there is no history", f"Install it: {way}, or your system's way")
    found = re.search(r"(\d+)\.(\d+)[.\w]*", run([path, "--version"]).out.decode(errors="replace"))
    if found is None or (int(found[1]), int(found[2])) < _OLDEST:
        return attention("git", f"git {found[0] if found else ''} is too old", "Install git 2.30 or newer.")
    return good("git", f"git {found[0]} at {path}")


def check_repository(repository: Repository, settings: Mapping[str, str]) -> Iterator[Report]:
    """Report on the branch and the identity; `settings` is git's configuration there. Raises GitFailed."""
    if repository.run("symbolic-ref", "-q", "HEAD", check=False).code != 0:
        yield attention(
            "branch",
            "the store's repository is on no branch: what is written now is easily lost",
            "Go back to one: clave git checkout BRANCH",
        )
    if not (settings.get("user.name") and settings.get("user.email")):
        yield note(
            "identity",
            "git does not know who you are: clave takes the name in your key, git itself refuses to commit",
            "Say it: git config --global user.name NAME && git config --global user.email ADDRESS",
        )


def check_locks(repository: Repository) -> Iterator[Report]:
    """Report git's lock files; those that no running git can own come with a fix that removes them."""
    found = [os.path.join(repository.git_dir, name) for name in _LOCKS]
    for folder, _, files in os.walk(os.path.join(repository.git_dir, "refs")):
        found += [os.path.join(folder, file) for file in files if file.endswith(".lock")]
    locks = tuple(path for path in found if os.path.lexists(path))
    if not locks:
        return
    running = running_in(repository)
    if running:
        text = f"git is locked, and git is running here (process {', '.join(running)})"
        yield attention("locks", text, "Wait for it to end.", locks)
    else:
        yield attention(
            "locks",
            "git is locked, and no git is running here: it died",
            f"Remove the lock: clave doctor --fix, or rm {' '.join(locks)}",
            locks,
            lambda: _remove(locks),
        )


def _remove(paths: Sequence[str]) -> None:
    for path in paths:
        os.unlink(path)
