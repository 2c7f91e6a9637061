"""Whether a file of the work tree is what a commit has: asked of git while something else goes on.

Imported by the fast path: nothing heavy may be imported here.
"""

from __future__ import annotations

import os

from clave.process import start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.process import Running
    from clave.vcs.git import Repository


def start_reading(work_tree: str, commit: str, path: str) -> Running:
    """Start a git that gives what a commit has at a path. Raises ProgramMissing."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env["GIT_NO_REPLACE_OBJECTS"] = "1"
    return start(["git", "-C", work_tree, "cat-file", "blob", f"{commit}:{path}"], env=env, input=b"")


def is_same(git: Running, content: bytes) -> bool:
    """Tell whether a content is what that git gives."""
    result = git.finish()
    return result.code == 0 and result.out == content


def first_uncommitted(repository: Repository, paths: Sequence[str], ending: str) -> str | None:
    """Return the first file with such an ending, of some files and folders (none: all), that is not what HEAD has.

    Also one that HEAD does not have at all, and one that git was told not to look at. Nothing is written.
    """
    shown = ("--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored", "--ignore-submodules=none")
    result = repository.run("--no-optional-locks", "status", *shown, "--", *paths)
    found = (os.fsdecode(row[3:]) for row in result.out.split(b"\0"))
    return next((path for path in found if path.endswith(ending)), None)
