"""Every attack on a team of SECURITY.md (A1-A4), with real gpg homes and a real bare remote, through all doors.

Carol is the victim. What is refused moves nothing of hers: neither HEAD nor work tree nor pin, and the line that she
reads names commit, signer and rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clave.model.text import printable
from clave.store.trust import judging, pins
from clave.vcs.git import Repository
from tests.security.attacks import ATTACKS, WAITS, Attack
from tests.security.forge import Forge
from tests.teams import Team, crew, founded, team

if TYPE_CHECKING:
    from clave.team.verdict import Verdict

__all__ = ["crew", "founded", "team"]


def judged(team: Team, who: str, tip: str) -> Verdict:
    """Judge a commit as somebody's clave would."""
    repository = Repository.find(str(team.stores[who]))
    pinned = pins.read_file(str(team.pin_file(who)))
    assert repository
    assert pinned
    return judging.judge(repository, pinned, tip)


def state(team: Team, who: str) -> tuple[str, dict[str, str], bytes, dict[str, bytes]]:
    """HEAD, pin, status and files of somebody's store."""
    store = team.stores[who]
    files = {
        str(path.relative_to(store)): path.read_bytes()
        for path in store.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(store).parts
    }
    return team.head(who), team.pin(who), team.git(who, "status", "--porcelain").out, files


def assert_safe(output: bytes) -> None:
    """No control byte reaches the terminal."""
    text = output.decode()
    assert printable(text, keep="\n") == text
    assert "Traceback" not in text


def assert_told(attack: Attack, line: str) -> None:
    assert printable(line) == line
    assert attack.words in line
    if attack.rule != WAITS:
        assert f"by {attack.signer}" in line
        assert f"({attack.rule})" in line
        assert line.startswith("commit ")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_refused(team: Team, attack: Attack) -> None:
    forge = Forge.of(team)
    attack.make(forge)
    tip = team.tip()
    before = state(team, "carol")
    team.git("carol", "fetch", "-q", "origin", "main")
    verdict = judged(team, "carol", tip)
    assert verdict.good != tip
    if attack.rule == WAITS:
        assert (verdict.refusals, [each.commit for each in verdict.waiting]) == ((), [tip])
    else:
        assert verdict.refusals, "it was accepted"
        assert_told(attack, verdict.refusals[0].error().line())
    assert state(team, "carol") == before

    # Synced: up to the last good commit, and no further.
    done = team.clave("carol", "sync", code=6)
    assert_safe(done.out + done.err)
    line = done.err.decode().strip().split("\n")[-1].removeprefix("Error: ")
    if "sent what git refuses" not in line:  # git itself has found a tree that is none
        assert_told(attack, line)
    assert team.tip() == tip
    if verdict.good == before[1]["local"]:
        assert state(team, "carol") == before
    assert team.head("carol") == team.pin("carol")["local"] == verdict.good
    before = state(team, "carol")
    assert before[2] == b""

    # Pulled with plain git, as far as git does it at all.
    team.git("carol", "update-ref", "HEAD", tip)
    team.git("carol", "reset", "-q", "--hard", check=False)
    done = team.clave("carol", "verify", code=0 if attack.rule == WAITS else 6)
    assert_safe(done.out + done.err)
    line = done.err.decode().strip().split("\n")[-1]
    assert_told(attack, line.removeprefix("Error: "))
    assert team.pin("carol") == before[1]
    team.clave("carol", "insert", "-m", "after", input=b"x\n", code=6)
    if attack.words.endswith("no OpenPGP message that may be opened"):
        assert team.clave("carol", "show", "a", code=4).out == b""
    assert (team.head("carol"), team.pin("carol")) == (tip, before[1])
