"""The state machine against a model: people who rotate, resume, abort and edit, and crash between any two steps.

The world is a store with one entry and a target with one password (or two, with overlapping users). Whatever happened,
whoever comes next can end it, and then what the entry says works outside.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from clave.rotation.steps import Found, Refusal, Step, Wish, after_try, steps


class World(RuleBasedStateMachine):
    """One entry, one target; values are numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = 0
        self.pending: tuple[int, int] | None = None  # the value that it was begun with, the new one
        self.finished: tuple[int, int] | None = None  # the last promotion, while the entry is as it left it
        self.works = {0}
        self.made = 0
        self.past: set[int] = {0}  # values that the entry has, or had: `show --at` shows them

    def found(self) -> Found:
        unchanged = self.pending is None or self.pending[0] == self.entry
        return Found(self.pending is not None, unchanged, self.finished is not None)

    def do(self, wish: Wish, crash: int, *, away: bool) -> None:
        """Do what a wish means, up to a crash before the step of that number."""
        todo = steps(wish, self.found())
        if isinstance(todo, Refusal):
            return
        promoted = self.pending is None and wish is not Wish.ROTATE
        old, new = self.pending or self.finished or (self.entry, self.entry)
        waiting, count = list(todo), 0
        while waiting:
            step = waiting.pop(0)
            if count == crash or (away and step not in (Step.CREATE, Step.PROMOTE, Step.DROP)):
                return
            count += 1
            match step:
                case Step.CREATE:
                    self.made += 1
                    old, new = self.pending = (self.entry, self.made)
                case Step.TRY:
                    waiting = list(after_try(works=new in self.works, promoted=promoted))
                case Step.SET:
                    self.works = {new}
                case Step.PROMOTE:
                    assert new in self.works, "a value is promoted that does not work"
                    assert self.entry == old, "an edit of somebody else is lost"
                    self.entry, self.pending, self.finished = new, None, (old, new)
                    self.past.add(new)
                case Step.TEST | Step.FINISH:
                    assert new in self.works
                    assert (step is Step.TEST) or self.pending is None, "the old value goes before the new is in force"
                case Step.ABORT:
                    self.works = {self.entry}
                case Step.DROP:
                    assert self.works == {self.entry}
                    self.pending = None

    @rule(crash=st.integers(0, 6), away=st.booleans())
    def rotate(self, crash: int, away: bool) -> None:
        self.do(Wish.ROTATE, crash, away=away)

    @rule(crash=st.integers(0, 6), away=st.booleans())
    def resume(self, crash: int, away: bool) -> None:
        self.do(Wish.RESUME, crash, away=away)

    @rule(crash=st.integers(0, 6), away=st.booleans())
    def abort(self, crash: int, away: bool) -> None:
        self.do(Wish.ABORT, crash, away=away)

    @precondition(lambda self: self.pending is not None)
    @rule()
    def edit(self) -> None:
        """Somebody writes the entry while it is rotated; what is outside they leave."""
        self.made += 1
        self.entry = self.made
        self.finished = None
        self.past.add(self.made)

    @rule(wish=st.sampled_from((Wish.RESUME, Wish.ABORT)))
    def somebody_ends_it(self, wish: Wish) -> None:
        """Nothing crashes any more: it ends, and the entry says what works."""
        if self.pending is None:
            return
        changed = self.pending[0] != self.entry
        self.do(wish, -1, away=False)
        if changed and wish is Wish.RESUME:
            assert self.pending is not None  # refused: both are kept
            self.do(Wish.ABORT, -1, away=False)
        assert self.pending is None
        assert self.works == {self.entry}

    @invariant()
    def nothing_is_lost(self) -> None:
        """What works outside is a value of the entry, or the one of the rotation under way."""
        assert self.works <= self.past | ({self.pending[1]} if self.pending else set())

    @invariant()
    def nobody_else_may_begin(self) -> None:
        if self.pending:
            assert steps(Wish.ROTATE, self.found()) is Refusal.UNDER_WAY


World.TestCase.settings = settings(max_examples=80, stateful_step_count=20, deadline=None)
TestWorld = World.TestCase


def test_what_there_is_not_is_refused() -> None:
    assert steps(Wish.RESUME, Found(pending=False)) is Refusal.NOTHING
    assert steps(Wish.ABORT, Found(pending=False, finished=True)) is Refusal.NOTHING
    assert steps(Wish.RESUME, Found(pending=True, unchanged=False)) is Refusal.CHANGED
    assert steps(Wish.ABORT, Found(pending=True, unchanged=False)) == (Step.ABORT, Step.DROP)
