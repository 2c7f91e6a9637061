"""A team for whom clave runs in a fork of the tests' process: these tests start it often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.teams import Team, crew, founded
from tests.teams import team as started

if TYPE_CHECKING:
    from tests.conftest import Output, Run

__all__ = ["Quick", "crew", "founded", "started", "team"]


class Quick(Team):
    """The same team, started faster."""

    run_clave: Run

    def clave(self, who: str, *args: str, input: bytes = b"", code: int | None = 0, **more: str) -> Output:
        done = self.run_clave(self.people[who], self.stores.get(who), *args, input=input, **more)
        assert code is None or done.code == code, (who, args, done.code, done.out.decode(), done.err.decode())
        return done


@pytest.fixture
def team(started: Team, clave: Run) -> Team:
    """A team in which anything may be done."""
    quick = Quick(started.folder, started.people, started.stores)
    quick.run_clave = clave
    return quick
