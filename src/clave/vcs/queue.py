"""Commits that are to be made again on top of others, kept until they are: a process that dies loses none.

Each is a ref `refs/clave/again/<number>`; all of them are set at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.vcs.git import Repository

_REFS = "refs/clave/again/"


def waiting(repository: Repository) -> list[tuple[str, str]]:
    """Return name and commit of each that is waiting, in their order."""
    out = repository.text("for-each-ref", "--sort=refname", "--format=%(refname) %(objectname)", _REFS)
    rows = (line.partition(" ") for line in out.splitlines())
    return [(ref.removeprefix(_REFS), commit) for ref, _, commit in rows]


def put_first(repository: Repository, commits: Sequence[str]) -> None:
    """Let commits wait, before those that do already; one that does already waits in its new place."""
    old = waiting(repository)
    all_of_them = [*commits, *(commit for _, commit in old if commit not in commits)]
    lines = [f"update {_REFS}{number:06} {commit}" for number, commit in enumerate(all_of_them)]
    lines += [f"delete {_REFS}{name}" for name, _ in old if int(name) >= len(all_of_them)]
    repository.run("update-ref", "--stdin", input="".join(f"{line}\n" for line in lines).encode())


def drop(repository: Repository, name: str) -> None:
    """Let one wait no longer: it was made again."""
    repository.run("update-ref", "-d", f"{_REFS}{name}")
