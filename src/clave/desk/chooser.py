"""Choosing one of many names by typing parts of it: fzf if it is there, else a question of our own."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from clave.errors import Interrupted
from clave.model.text import printable
from clave.process import run

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 15  # names in the list of our own question


def choose(names: Sequence[str], query: str = "") -> str | None:
    """Return the chosen name, None if nothing fits. Raises Interrupted when the user gives up."""
    if shutil.which("fzf"):
        return _fzf(names, query)
    return _ask(names, query)


def rank(names: Sequence[str], query: str) -> list[str]:
    """Return the names that hold the letters of `query` in their order, the tightest fit first.

    Upper and lower case are alike; a blank separates parts that must all be there. Equal ones keep their order.
    """
    parts = query.casefold().split()
    ranked = []
    for number, name in enumerate(names):
        scores = [_score(name.casefold(), part) for part in parts]
        if None not in scores:
            ranked.append((sum(score for score in scores if score is not None), number, name))
    return [name for _, _, name in sorted(ranked)]


def _score(name: str, part: str) -> int | None:
    """Return how many other letters lie in the tightest place of `part` in `name`; None: it is not there."""
    best: int | None = None
    start = name.find(part[0])
    while start >= 0:
        at = start
        for letter in part[1:]:
            at = name.find(letter, at + 1)
            if at < 0:
                return best
        span = at - start + 1 - len(part)
        best = span if best is None else min(best, span)
        start = name.find(part[0], start + 1)
    return best


def _fzf(names: Sequence[str], query: str) -> str | None:
    # fzf draws on /dev/tty; the names come by stdin and the choice goes to stdout. FZF_DEFAULT_OPTS could hold
    # a preview, which runs a command on a name that somebody else chose.
    env = {key: value for key, value in os.environ.items() if not key.startswith("FZF_DEFAULT")}
    argv = ["fzf", "--read0", "--print0", "--no-multi", f"--query={query}", "--select-1", "--no-preview"]
    data = b"".join(os.fsencode(name) + b"\0" for name in names)
    result = run(argv, input=data, env=env, err_to_terminal=True)
    if result.code == 130:
        raise Interrupted("nothing was chosen")
    chosen = os.fsdecode(result.out).removesuffix("\0")
    return chosen or None


def _ask(names: Sequence[str], query: str) -> str | None:
    found = rank(names, query)
    while len(found) > 1:
        for number, name in enumerate(found[:_SHOWN], 1):
            sys.stderr.write(f"{number:3}  {printable(name)}\n")
        if len(found) > _SHOWN:
            sys.stderr.write(f"     … and {len(found) - _SHOWN} more\n")
        sys.stderr.write("Number, or more letters: ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
        if not answer:
            raise Interrupted("nothing was chosen")
        answer = answer.strip()
        if answer.isdecimal() and 1 <= int(answer) <= min(len(found), _SHOWN):
            return found[int(answer) - 1]
        found = rank(names, f"{query} {answer}") or found
    return found[0] if found else None
