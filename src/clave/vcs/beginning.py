"""Where something in a history began."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clave.vcs.git import Repository


def added(repository: Repository, tip: str, path: str) -> list[str]:
    """Return the commits of a history that have a path and whose parent, if they have one, has not: the newest first.

    Merges are left out: what they have, one of their sides had.
    """
    revisions = repository.text("rev-list", "--full-history", "--no-merges", tip, "--", path).splitlines()
    names = "".join(f"{commit}:{path}\n{commit}^:{path}\n" for commit in revisions)
    lines = repository.run("cat-file", "--batch-check", input=names.encode()).out.decode().splitlines()
    has = [not line.endswith(" missing") for line in lines]
    return [commit for at, commit in enumerate(revisions) if has[2 * at] and not has[2 * at + 1]]
