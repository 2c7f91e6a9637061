"""HEAD, read without git. Imported by the fast path: nothing heavy may be imported here."""

from __future__ import annotations

import os

_LIMIT = 1 << 20  # bytes of `packed-refs` that are looked through


def plain_head(git_dir: str) -> str | None:
    """Return the commit of HEAD where git keeps it as it does most often: a branch's file, or a line of `packed-refs`.

    None: ask git.
    """
    head = _first_line(os.path.join(git_dir, "HEAD"))
    if head.startswith("ref: refs/heads/") and ".." not in head:
        branch = head[5:]
        try:
            head = _first_line(os.path.join(git_dir, branch), missing_ok=False)
        except FileNotFoundError:
            head = _packed(git_dir, branch)
    return head if len(head) in (40, 64) and all(c in "0123456789abcdef" for c in head) else None


def _packed(git_dir: str, branch: str) -> str:
    """Return the commit that a branch without a file of its own has (gitrepository-layout(5), packed-refs)."""
    try:
        with open(os.path.join(git_dir, "packed-refs"), encoding="utf-8", errors="surrogateescape") as file:
            before, found, _ = f"\n{file.read(_LIMIT)}".partition(f" {branch}\n")
    except OSError:
        return ""
    return before.rpartition("\n")[2] if found else ""


def _first_line(path: str, *, missing_ok: bool = True) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline().removesuffix("\n")
    except FileNotFoundError:
        if missing_ok:
            return ""
        raise
    except OSError:
        return ""
