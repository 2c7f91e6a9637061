"""A history as the rules see it: of each commit its files, its roster, which parent judges it, and what it decides.

Nothing is judged here but what makes a commit impossible to see: a roster that cannot be read, parents that contradict
each other. Facts of older commits are found again when they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.errors import VerificationFailed
from clave.model.text import printable
from clave.team import paths
from clave.team import roster as rosters
from clave.team.ancestry import Ancestry
from clave.team.tree import File
from clave.team.verdict import Refused, Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from clave.team.evidence import Commit, Evidence, Signature
    from clave.team.roster import Roster
    from clave.team.tree import Tree


def current_roster(tree: Tree, content: Callable[[str], bytes]) -> Roster | None:
    """Return the roster in force in a tree, None where there is none. Raises VerificationFailed for a broken one."""
    numbers = numbers_of(tree)
    if not numbers:
        return None
    path = paths.roster_path(numbers[-1])
    file = tree.get(path)
    assert file is not None
    roster = rosters.parse(content(file.blob))
    if roster.seq != numbers[-1]:
        raise VerificationFailed(f"the roster in {path} has the number {roster.seq}")
    return roster


class Seen(NamedTuple):
    """A commit as it was seen: its files, the roster in force in it, what it decides, who signed it.

    `judge` is the parent whose roster judges it, "" for genesis. `touched` are the paths that it changes; of a merge,
    those in which it is not a clean three-way merge, and of these `undone` those that are what they were before both
    sides. `made` are the paths whose file is new in it: no parent has it there.
    """

    commit: Commit
    tree: Tree
    roster: Roster
    judge: str
    signature: Signature
    touched: tuple[str, ...]
    made: tuple[str, ...]
    undone: tuple[str, ...] = ()


_UNCLEAR = File("", "")  # what a path was before both sides, where the merge bases do not agree
_MAX_CROSSINGS = 20  # merges across each other, one above the other; bounds the work that a history can make


class History:
    """The commits from genesis on."""

    def __init__(self, evidence: Evidence, genesis: str) -> None:
        self.evidence = evidence
        self.genesis = genesis
        self.ancestry = Ancestry(evidence.parents, genesis)
        self._trees: dict[str, Tree] = {}
        self._rosters: dict[str, Roster] = {}
        self._seen: dict[str, Seen] = {}

    def tree(self, commit: str) -> Tree:
        """Return the files of a commit, from those of its parent if they are known."""
        if commit not in self._trees:
            parent = self._trees.get(next(iter(self.ancestry.parents(commit)), ""))
            if parent is None:
                self._trees[commit] = self._first(commit)
            else:
                self._grown(self.evidence.commit(commit), parent)
        return self._trees[commit]

    def _first(self, commit: str) -> Tree:
        try:
            return self.evidence.tree(commit)
        except ValueError as problem:
            raise _no_tree(problem) from None

    def roster(self, tree: Tree) -> Roster:
        """Return the roster in force in a tree. Raises Refused for none, or a broken one."""
        numbers = numbers_of(tree)
        file = tree.get(paths.roster_path(numbers[-1])) if numbers else None
        if file is None:
            raise Refused(Rule.ROSTER, "it has no roster")
        if file.blob not in self._rosters:
            try:
                roster = current_roster(tree, self.evidence.content)
            except VerificationFailed as problem:
                raise Refused(Rule.ROSTER, problem.message) from None
            assert roster is not None
            self._rosters[file.blob] = roster
        return self._rosters[file.blob]

    def roster_at(self, commit: str) -> Roster:
        """Return the roster in force in a commit. Raises Refused for none, or a broken one."""
        seen = self._seen.get(commit)
        return seen.roster if seen else self.roster(self.tree(commit))

    def certificates(self, tree: Tree, roster: Roster) -> dict[str, str]:
        """Return the certificates of a tree that belong to keys of the roster, blobs by fingerprint."""
        found: dict[str, str] = {}
        for fpr in roster.owners:
            file = tree.get(paths.certificate_path(fpr))
            if file:
                found[fpr] = file.blob
        return found

    def judging(self, seen: Seen) -> Tree:
        """Return the tree that a commit is judged by: that of a parent, of genesis its own."""
        return self.tree(seen.judge) if seen.judge else seen.tree

    def look(self, commit_id: str) -> Seen:
        """Return a commit as it is seen. Raises Refused for one that cannot be."""
        if commit_id not in self._seen:
            commit = self.evidence.commit(commit_id)
            if commit_id == self.genesis:
                self._seen[commit_id] = self._look_at_genesis(commit)
            elif len(commit.parents) == 1:
                self._seen[commit_id] = self._look_at_ordinary(commit)
            elif len(commit.parents) == 2:
                self._seen[commit_id] = self._look_at_merge(commit)
            else:
                raise Refused(Rule.MERGE, f"it has {len(commit.parents)} parents")
        return self._seen[commit_id]

    def _look_at_genesis(self, commit: Commit) -> Seen:
        tree = self.tree(commit.id)
        roster = self.roster(tree)
        signature = self.evidence.signature(commit.id, self.certificates(tree, roster))
        return Seen(commit, tree, roster, "", signature, (), ())

    def _look_at_ordinary(self, commit: Commit) -> Seen:
        parent = commit.parents[0]
        before = self.tree(parent)
        tree = self._grown(commit, before)
        roster = self.roster_at(parent)
        signature = self.evidence.signature(commit.id, self.certificates(before, roster))
        touched = tuple(change.path for change in commit.changes if before.get(change.path) != change.file)
        if tree.folder(paths.ROSTERS) is not before.folder(paths.ROSTERS):
            roster = self.roster(tree)
        return Seen(commit, tree, roster, parent, signature, touched, touched)

    def _look_at_merge(self, commit: Commit) -> Seen:
        ours, theirs = commit.parents
        tree = self._grown(commit, self.tree(ours))
        judge = self._highest(ours, theirs)
        before = self.tree(judge)
        signature = self.evidence.signature(commit.id, self.certificates(before, self.roster_at(judge)))
        made, decided, undone = self._decisions(tree, ours, theirs)
        return Seen(commit, tree, self.roster(tree), judge, signature, decided, made, undone)

    def _grown(self, commit: Commit, before: Tree) -> Tree:
        if commit.broken:
            raise Refused(Rule.TREE, commit.broken)
        try:
            tree = before.changed(commit.changes)
        except ValueError as problem:
            raise _no_tree(problem) from None
        return self._trees.setdefault(commit.id, tree)

    def _highest(self, ours: str, theirs: str) -> str:
        """Return the parent with the highest roster; every number that both have is the same file in both."""
        trees = self.tree(ours), self.tree(theirs)
        numbers = [numbers_of(tree) for tree in trees]
        for number in set(numbers[0]) & set(numbers[1]):
            path = paths.roster_path(number)
            if trees[0].get(path) != trees[1].get(path):
                raise Refused(Rule.ROSTER, f"its parents have different rosters {number}")
        return ours if numbers[0][-1:] >= numbers[1][-1:] else theirs

    def _decisions(self, tree: Tree, ours: str, theirs: str) -> tuple[tuple[str, ...], ...]:
        """Return `made`, `touched` and `undone` of a merge."""
        left, right = self.tree(ours), self.tree(theirs)
        bases = self.ancestry.split(ours, theirs).bases
        made: list[str] = []
        touched: list[str] = []
        undone: list[str] = []
        for path in sorted({*tree.difference(left), *tree.difference(right)}):
            now, here, there = tree.get(path), left.get(path), right.get(path)
            old = self._before(path, bases)
            if now not in (here, there):
                made.append(path)
            if (now == there and old == here) or (now == here and old == there):
                continue  # one side alone changed it, and the merge has what that side has
            touched.append(path)
            if now == old:
                undone.append(path)
        return tuple(made), tuple(touched), tuple(undone)

    def _before(self, path: str, bases: frozenset[str], depth: int = 0) -> File | None:
        """Return what a path was in the merge bases: if they differ, in a clean merge of the two."""
        files = {self.tree(base).get(path) for base in bases}
        if len(files) == 1:
            return files.pop()
        if len(bases) != 2 or depth == _MAX_CROSSINGS:
            return _UNCLEAR
        here, there = (self.tree(base).get(path) for base in bases)
        old = self._before(path, self.ancestry.split(*bases).bases, depth + 1)
        return there if old == here else here if old == there else _UNCLEAR


def _no_tree(problem: ValueError) -> Refused:
    return Refused(Rule.TREE, printable(str(problem)))


def numbers_of(tree: Tree) -> list[int]:
    """Return the numbers of the rosters of a tree, the highest last."""
    folder = tree.folder(paths.ROSTERS)
    found = (paths.roster_number(f"{paths.ROSTERS}/{name}") for name in (folder.names() if folder else ()))
    return sorted(number for number in found if number is not None)
