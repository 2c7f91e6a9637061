"""A team store's HEAD may be verified and its work tree may still hold what somebody else wrote: git left it there."""

from __future__ import annotations

import pytest

from tests.security.forge import SYMLINK, Forge
from tests.teams import ENTRIES, Team, crew, founded, team

__all__ = ["crew", "founded", "team"]


@pytest.fixture
def stopped(team: Team) -> Team:
    """Bob has pulled mallory's commit with plain git, and the merge has stopped: what does not conflict is there."""
    forge = Forge.of(team)
    planted = forge.encrypt(b"planted\n", "alice", "bob", "carol")
    files = {"web.gpg": planted, "new.gpg": planted, "team/wifi.gpg": planted, "team/other.gpg": planted}
    forge.push(forge.commit("mallory", files))
    team.clave("bob", "insert", "-mf", "team/wifi", input=b"mine\n")
    team.git("bob", "pull", "-q", "--no-rebase", check=False)
    assert (team.stores["bob"] / "web.gpg").read_bytes() == planted
    assert team.pin("bob")["local"] == team.head("bob")
    return team


READS = (
    ["show", "web"],
    ["web"],
    ["show", "new"],
    ["show", "web#password"],
    ["show", "team//other/"],
    ["grep", "planted"],
)
USES = (
    ["show", "-c", "web"],
    ["clip", "web"],
    ["edit", "web"],
    ["pick", "--clip", "web"],
    ["exec", "-e", "X=web", "--", "env"],
)


@pytest.mark.parametrize("undone", [False, True])
def test_what_a_merge_has_left_is_doubted(stopped: Team, undone: bool) -> None:
    if undone:
        stopped.git("bob", "reset", "-q")  # HEAD and index are the team's again, the files are not
    pin, head = stopped.pin("bob"), stopped.head("bob")
    for words in READS:
        done = stopped.clave("bob", *words, code=None)
        assert b"what is here may not be what the team wrote" in done.err, words
        assert b".gpg is not what was committed last" in done.err, words
    for words in USES:
        done = stopped.clave("bob", *words, code=6)
        assert b".gpg is not what was committed last" in done.err, words
        assert b"planted" not in done.out + done.err
    assert (stopped.pin("bob"), stopped.head("bob")) == (pin, head)


def test_what_is_read_for_a_copy_is_what_was_committed(stopped: Team) -> None:
    stopped.git("bob", "reset", "-q")
    head = stopped.head("bob")
    for words in (["cp", "web", "copy"], ["mv", "new", "moved"], ["cp", "new", "copy"]):
        done = stopped.clave("bob", *words, code=7)
        assert b"not committed" in done.err, words
    assert stopped.head("bob") == head


def test_other_entries_are_not_doubted(stopped: Team) -> None:
    stopped.git("bob", "merge", "--abort")
    (stopped.stores["bob"] / "web.gpg").write_bytes(b"x")
    done = stopped.clave("bob", "show", "team/wifi")
    assert (done.out, done.err) == (b"mine\n", b"")
    assert b"not what was committed" in stopped.clave("bob", "show", "web", code=None).err
    stopped.git("bob", "checkout", "web.gpg")
    done = stopped.clave("bob", "show", "web")
    assert (done.out, done.err) == (ENTRIES["web"], b"")


def test_a_rule_to_ignore_hides_nothing(team: Team) -> None:
    store = team.stores["bob"]
    (store / ".gitignore").write_text("*\n")
    (store / "new.gpg").write_bytes((store / "web.gpg").read_bytes())
    assert b"new.gpg is not what was committed last" in team.clave("bob", "show", "new").err


def test_it_is_looked_at_once_and_writes_hand_that_on(team: Team) -> None:
    mark = team.stores["bob"] / ".git/clave-settled"
    team.clave("bob", "show", "web")
    for words in (["insert", "-m", "new"], ["rm", "-f", "new"]):
        known = mark.read_text()
        assert known.startswith(team.head("bob"))
        team.clave("bob", *words, input=b"x\n")
        assert mark.read_text() != known
    assert mark.read_text().startswith(team.head("bob"))
    known = mark.read_text()
    team.clave("bob", "show", "web")
    assert mark.read_text() == known


def test_a_write_hands_on_nothing_that_was_not_known(stopped: Team) -> None:
    stopped.git("bob", "reset", "-q")
    stopped.clave("bob", "insert", "-m", "mine", input=b"x\n")
    assert b"web.gpg is not what was committed last" in stopped.clave("bob", "show", "web").err
    assert stopped.clave("bob", "show", "mine").err == b""


def test_a_symlink_that_was_left_is_doubted(team: Team) -> None:
    forge = Forge.of(team)
    forge.push(forge.commit("mallory", {"other": (SYMLINK, forge.blob(b"team"))}))
    team.git("bob", "fetch", "-q")
    team.git("bob", "checkout", "-q", "origin/main", "--", "other")
    team.git("bob", "reset", "-q")
    assert b"other is not what was committed last" in team.clave("bob", "show", "other/wifi").err
    assert b"not what was committed" in team.clave("bob", "clip", "other/wifi", code=6).err
    assert team.clave("bob", "show", "team/wifi").err == b""
