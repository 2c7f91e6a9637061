"""A team for whom clave runs in a fork of this process: for files that start it often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.teams import Team, crew, founded
from tests.teams import team as started

if TYPE_CHECKING:
    from tests.conftest import Output, Run

__all__ = ["base", "crew", "founded", "started", "team"]


class Forked(Team):
    """The same team."""

    def __init__(self, team: Team, clave: Run) -> None:
        super().__init__(team.folder, team.people, team.stores)
        self._clave = clave

    def clave(self, who: str, *args: str, input: bytes = b"", code: int | None = 0, **more: str) -> Output:
        done = self._clave(self.people[who], self.stores.get(who), *args, input=input, **more)
        assert code is None or done.code == code, (who, args, done.code, done.out.decode(), done.err.decode())
        return done


@pytest.fixture
def team(started: Team, clave: Run) -> Team:
    """A team in which anything may be done."""
    return Forked(started, clave)


@pytest.fixture
def base(founded: Team, clave: Run) -> Team:
    """The team of all tests of a file, in which nothing is changed."""
    return Forked(founded, clave)
