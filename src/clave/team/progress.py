"""How far a verification has come: what is accepted, and what of it still waits for an endorsement."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clave.team.ancestry import Ancestry


class Progress:
    """The accepted commits of a run. Before it all that `start` reaches is good ("": nothing is).

    `good` is, of the accepted commits that come after `start` and have nothing unsigned before them but what is
    endorsed, the last of those with the highest roster: where histories fork, not the side that missed the news.
    """

    def __init__(self, ancestry: Ancestry, start: str) -> None:
        self._ancestry = ancestry
        self._old = ancestry.before(start) if start else frozenset[str]()
        self._start = start
        self._unsigned: dict[str, frozenset[str]] = {}
        self._endorsed: dict[str, frozenset[str]] = {}
        self._after_start = {start}
        self._highest = 0
        self.good = start

    def may_follow(self, commit: str) -> bool:
        """Tell whether all parents of a commit are accepted."""
        return all(parent in self._old or parent in self._unsigned for parent in self._ancestry.parents(commit))

    def accept(self, commit: str, *, roster: int, unsigned: bool, endorses: Iterable[str]) -> None:
        """Take a commit that keeps the rules; its parents have been taken. `roster` is the number of its roster."""
        parents = self._ancestry.parents(commit)
        self._unsigned[commit] = _union(self._unsigned, parents) | ({commit} if unsigned else set())
        self._endorsed[commit] = _union(self._endorsed, parents).union(endorses)
        if not self._start or not self._after_start.isdisjoint(parents):
            self._after_start.add(commit)
            if self._unsigned[commit] <= self._endorsed[commit] and roster >= self._highest:
                self.good, self._highest = commit, roster

    def waiting(self) -> frozenset[str]:
        """Return the unsigned commits that no accepted commit endorses."""
        everything = self._unsigned
        return _union(self._unsigned, everything) - _union(self._endorsed, everything)


def _union(sets: Mapping[str, frozenset[str]], keys: Iterable[str]) -> frozenset[str]:
    return frozenset[str]().union(*(sets.get(key, ()) for key in keys))
