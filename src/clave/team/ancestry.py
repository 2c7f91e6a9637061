"""Which commit comes before which, from the parents of each."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_OURS, _THEIRS, _OLDER = 1, 2, 4


class Split(NamedTuple):
    """Two commits compared: what only the one reaches (itself included), what only the other does, the merge bases."""

    ours: frozenset[str]
    theirs: frozenset[str]
    bases: frozenset[str]


class Ancestry:
    """The history from `genesis` on: what came before that commit is no part of it.

    `parents` gives the parents of a commit, and raises LookupError for one that is not there.
    """

    def __init__(self, parents: Callable[[str], tuple[str, ...]], genesis: str) -> None:
        self._parents = parents
        self._genesis = genesis
        self._generations: dict[str, int] = {}

    def parents(self, commit: str) -> tuple[str, ...]:
        """Return the parents of a commit, none of genesis."""
        return () if commit == self._genesis else self._parents(commit)

    def generation(self, commit: str) -> int:
        """Return how many commits the longest way back has: larger than that of every ancestor."""
        known = self._generations
        stack = [commit]
        while stack:
            parents = self.parents(stack[-1])
            unknown = [parent for parent in parents if parent not in known]
            if unknown:
                stack += unknown
            else:
                known[stack.pop()] = 1 + max((known[parent] for parent in parents), default=0)
        return known[commit]

    def reaches(self, commit: str, ancestor: str) -> bool:
        """Tell whether a commit is another one, or has it before itself."""
        least = self.generation(ancestor)
        stack, seen = [commit], {commit}
        while stack:
            at = stack.pop()
            if at == ancestor:
                return True
            for parent in self.parents(at):
                if parent not in seen and self.generation(parent) >= least:
                    seen.add(parent)
                    stack.append(parent)
        return False

    def before(self, commit: str) -> frozenset[str]:
        """Return a commit and all that it has before itself."""
        stack, seen = [commit], {commit}
        while stack:
            new = [parent for parent in self.parents(stack.pop()) if parent not in seen]
            seen.update(new)
            stack += new
        return frozenset(seen)

    def split(self, ours: str, theirs: str) -> Split:
        """Compare two commits, walking back from the newest no further than their merge bases need."""
        marks = {ours: _OURS}
        marks[theirs] = marks.get(theirs, 0) | _THEIRS
        queue = [(-self.generation(commit), commit) for commit in marks]
        heapq.heapify(queue)
        found: dict[int, set[str]] = {_OURS: set(), _THEIRS: set(), _OURS | _THEIRS: set()}
        open_ones = len(queue)  # those in the queue that are not older than a merge base
        while queue and open_ones:
            _, commit = heapq.heappop(queue)
            # All that comes after it has been seen: its marks are complete.
            mark = marks[commit]
            if not mark & _OLDER:
                open_ones -= 1
                found[mark].add(commit)
            passed = mark if mark in (_OURS, _THEIRS) else mark | _OLDER
            for parent in self.parents(commit):
                old = marks.get(parent)
                marks[parent] = (old or 0) | passed
                if old is None:
                    heapq.heappush(queue, (-self.generation(parent), parent))
                    open_ones += not passed & _OLDER
                elif not old & _OLDER and passed & _OLDER:
                    open_ones -= 1
        return Split(*(frozenset(found[mark]) for mark in (_OURS, _THEIRS, _OURS | _THEIRS)))
