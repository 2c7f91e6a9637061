"""A bare repository, as a hook of it sees it: what is pushed lies in a quarantine until the hook has said yes.

git tells the hook by variables where that is, and those alone are kept: everything else of the environment that would
redirect git is dropped as always (`vcs.git`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from clave.errors import GitFailed
from clave.vcs.git import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clave.process import Running

_KEPT = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")


class Bare(Repository):
    """A bare repository; its folder is what else would be the work tree, and the git directory."""

    @classmethod
    def here(cls) -> Bare:
        """Return the bare repository that is the current folder. Raises GitFailed."""
        folder = os.path.realpath(os.environ.get("GIT_DIR") or ".")
        there = all(os.path.exists(os.path.join(folder, name)) for name in ("HEAD", "objects", "refs"))
        if not there:
            raise GitFailed("this is no bare repository", "Run it there, as its hook does.")
        return cls(folder, folder)

    def start(
        self,
        *args: str,
        input: bytes,  # noqa: A002 - as in process.start
        env: Mapping[str, str] | None = None,
        limit: int | None = None,
        watch: Callable[[bytes], object] | None = None,
    ) -> Running:
        """Start git here, with the objects of the quarantine."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        env = {**kept, "GIT_DIR": self.git_dir, **(env or {})}
        return super().start(*args, input=input, env=env, limit=limit, watch=watch)

    def setting(self, key: str) -> str:
        """Return a setting of the repository's own configuration, "" for none."""
        result = self.run("config", "--local", "--get", key, check=False)
        return os.fsdecode(result.out).strip()

    def commit(self, ref: str) -> str | None:
        """Return the commit of a ref, None for one that is not there."""
        result = self.run("rev-parse", "-q", "--verify", f"{ref}^{{commit}}", check=False)
        return result.out.decode().strip() if result.code == 0 else None

    def reaches(self, commit: str, ancestor: str) -> bool:
        """Tell whether a commit is another one, or comes after it."""
        return self.run("merge-base", "--is-ancestor", ancestor, commit, check=False).code == 0
