"""A clone without the content of files (`git clone --filter=blob:none`): what is needed comes in one go.

Left to itself git fetches such content when it is read: one by one, each with a process and a connection of its own.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from clave.errors import GitFailed
from clave.vcs.git import failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.vcs.git import Repository


def is_partial(repository: Repository) -> bool:
    """Tell whether the remote has promised objects that are not here. Starts no process."""
    try:
        packs = os.listdir(os.path.join(repository.common_dir, "objects", "pack"))
    except OSError:
        return False
    return any(name.endswith(".promisor") for name in packs)


def fetch_missing(repository: Repository, tip: str, start: str, *, remote: str = "origin") -> int:
    """Fetch all that is missing of the commits from `start` to `tip`, both included; return how many objects.

    What came before `start` stays away, but for what is there still. Raises GitFailed.
    """
    missing = _missing(repository, f"{start}^{{tree}}", f"{tip}^{{tree}}") | _missing(repository, tip, f"^{start}^@")
    if missing:
        _fetch(repository, remote, sorted(missing))
    return len(missing)


def _missing(repository: Repository, *revisions: str) -> frozenset[str]:
    result = repository.run(
        "rev-list", "--objects", "--missing=print", "--no-object-names", *revisions, "--", check=False
    )
    if result.code != 0:
        raise GitFailed(
            "this clone lacks more than the content of files", "Clone it anew, with --filter=blob:none or without."
        )
    return frozenset(line[1:] for line in result.out.decode().splitlines() if line.startswith("?"))


def _fetch(repository: Repository, remote: str, objects: Sequence[str]) -> None:
    """Fetch objects by their ids, as git does it for one."""
    result = repository.run(
        "-c", "fetch.negotiationAlgorithm=noop",
        "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none",
        "--stdin", remote,
        input="".join(f"{each}\n" for each in objects).encode(), check=False,
    )  # fmt: skip
    if result.code != 0:
        raise failure("fetch", result)
