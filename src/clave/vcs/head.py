"""HEAD, read without git. Imported by the fast path: nothing heavy may be imported here."""

from __future__ import annotations

import os


def plain_head(git_dir: str) -> str | None:
    """Return the commit of HEAD where git keeps it as it does most often, a file that names a branch's file.

    None: ask git.
    """
    head = _first_line(os.path.join(git_dir, "HEAD"))
    if head.startswith("ref: refs/heads/") and ".." not in head:
        head = _first_line(os.path.join(git_dir, head[5:]))
    return head if len(head) in (40, 64) and all(c in "0123456789abcdef" for c in head) else None


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline().removesuffix("\n")
    except OSError:
        return ""
