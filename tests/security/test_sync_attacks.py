"""The same attacks through `clave sync`: nothing moves beyond the last good commit, 6, and a line says who and what."""

from __future__ import annotations

import pytest

from tests.security.attacks import ATTACKS, WAITS, Attack
from tests.security.forge import Forge
from tests.security.test_team_attacks import assert_told, judged, state
from tests.teams import Team, crew, founded, team

__all__ = ["crew", "founded", "team"]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_sync_refuses(team: Team, attack: Attack) -> None:
    forge = Forge.of(team)
    attack.make(forge)
    tip = team.tip()
    before = state(team, "carol")
    done = team.clave("carol", "sync", code=None)
    line = done.err.decode().strip().split("\n")[-1]
    assert done.code == (0 if attack.rule == WAITS else 6), line
    if attack.rule != WAITS:
        assert_told(attack, line.removeprefix("Error: "))
    team.git("carol", "fetch", "-q", "origin", "main")
    good = judged(team, "carol", tip).good
    if good == before[1]["local"]:
        assert state(team, "carol") == before
    else:
        head, pin, status, _ = state(team, "carol")
        assert head == pin["local"] == good != tip
        assert status == b""
    team.clave("carol", "insert", "-m", "after", input=b"x\n")  # what is good can be worked on
    assert team.clave("carol", "sync", code=None).code == 6
    assert team.tip() == tip  # and nothing goes over what is there
