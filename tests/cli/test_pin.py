"""What is known of a team store from before: shown, set, moved, and held by a machine that was told."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.reading import on_terminal
from tests.teams import crew, founded, team  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from tests.teams import Team


def words(team: Team, who: str = "alice") -> str:  # noqa: F811
    return team.clave(who, "pin", "--words").out.decode().strip()


def write(team: Team, who: str, name: str = "new") -> str:  # noqa: F811
    """Let somebody insert an entry, or write it anew, and push it by plain git; return its commit."""
    team.clave(who, "insert", "-f", "-m", name, input=b"new\n")
    team.git(who, "push", "-q", "origin", "HEAD:main")
    return team.head(who)


def fetch(team: Team, who: str) -> None:  # noqa: F811
    team.git(who, "fetch", "-q")
    team.git(who, "reset", "-q", "--hard", "origin/main")


def test_everybody_sees_the_same_words(team: Team) -> None:  # noqa: F811
    assert words(team, "alice") == words(team, "bob")
    assert words(team).count("-") >= 7
    shown = team.clave("alice", "pin").out.decode()
    assert words(team) in shown
    assert team.head("alice") in shown
    found = json.loads(team.clave("alice", "pin", "--json").out)
    assert found["words"] == words(team)
    assert (found["genesis"], found["verified"], found["roster"]) == (team.tip(), team.tip(), 1)


def test_in_a_plain_store_there_is_none(team: Team) -> None:  # noqa: F811
    team.stores["dora"] = team.folder / "plain"
    team.people = {**team.people, "dora": team.people["alice"]}
    team.clave("dora", "init", team.people["alice"].fingerprint)
    assert b"no team" in team.clave("dora", "pin", code=2).err
    assert b"no team" in team.clave("dora", "verify", code=2).err


# A clone by plain git


def test_a_clone_gets_its_pin_by_the_words(team: Team) -> None:  # noqa: F811
    team.clone("bob", "other")
    assert b"clave pin --root WORDS" in team.clave("bob", "pin", code=6).err
    team.clave("bob", "insert", "-m", "x", input=b"x\n", code=6)
    team.clave("bob", "clip", "web", code=6)
    assert b"words of this store are others" in team.clave("bob", "pin", "--root", "some-words", code=6).err
    assert team.pin("bob") == {}
    team.clave("bob", "pin", "--root", words(team).upper().replace("-", " "))
    assert team.pin("bob")["local"] == team.pin("bob")["upstream"] == team.tip()
    assert b"already" in team.clave("bob", "pin", "--root", words(team), code=2).err


def test_own_work_in_a_clone_is_not_what_the_remote_had(team: Team) -> None:  # noqa: F811
    team.clave("bob", "insert", "-m", "own", input=b"own\n")
    team.pin_file("bob").unlink()
    team.clave("bob", "pin", "--root", words(team))
    assert team.pin("bob")["upstream"] == team.tip()
    assert team.pin("bob")["local"] == team.head("bob") != team.tip()


def test_a_clone_of_what_is_refused_gets_none(team: Team) -> None:  # noqa: F811
    team.sign_as("bob")
    (team.stores["bob"] / ".gpg-id").write_text(team.people["mallory"].fingerprint + "\n")
    team.git("bob", "commit", "-q", "-a", "-m", "more readers")
    team.git("bob", "push", "-q")
    team.clone("carol", "other")
    said = team.clave("carol", "pin", "--root", words(team), code=6).err.decode()
    assert team.head("bob")[:12] in said
    assert "bob" in said
    assert team.pin("carol") == {}


def test_unsigned_commits_wait_above_the_pin(team: Team) -> None:  # noqa: F811
    good = team.tip()
    team.run("bob", "pass", "insert", "-m", "by-pass", input=b"x\n")
    team.git("bob", "push", "-q")
    team.clone("carol", "other")
    assert b"not signed" in team.clave("carol", "pin", "--root", words(team)).err
    assert team.pin("carol")["local"] == good
    team.clave("carol", "clip", "web", code=6)


# Moving it


def _set_back(team: Team) -> tuple[str, str]:  # noqa: F811
    """The remote loses its last commit, which bob has; return the one that it has and the one that it had."""
    before = team.tip()
    lost = write(team, "alice")
    fetch(team, "bob")
    team.clave("bob", "verify")
    team.git("alice", "push", "-q", "-f", "origin", f"{before}:main")
    return before, lost


def test_a_remote_that_was_set_back_is_followed_when_somebody_says_so(team: Team) -> None:  # noqa: F811
    before, lost = _set_back(team)
    said = team.clave("bob", "pin", "--to-remote", code=6).err.decode()
    assert said.count(words(team)) == 2
    assert "--sure" in said
    assert team.pin("bob")["local"] == lost
    asked = on_terminal(team.people["bob"], team.stores["bob"], "pin", "--to-remote")
    asked.expect_exact("[y/N]")
    asked.sendline("y")
    asked.expect_exact("is kept as")
    asked.wait()
    assert asked.exitstatus == 0
    assert team.head("bob") == team.pin("bob")["local"] == team.pin("bob")["upstream"] == before
    assert team.git("bob", "rev-parse", "refs/clave/before-pin").out.decode().strip() == lost
    assert not (team.stores["bob"] / "new.gpg").exists()
    assert team.git("bob", "status", "--porcelain").out == b""
    team.clave("bob", "verify", "--all", "--strict")


def test_it_moves_to_a_commit_and_back(team: Team) -> None:  # noqa: F811
    before, lost = _set_back(team)
    team.clave("bob", "pin", "--move", before, "--sure")
    assert team.head("bob") == team.pin("bob")["local"] == before
    team.clave("bob", "pin", "--move", lost[:12], "--sure")
    assert team.head("bob") == team.pin("bob")["local"] == lost
    assert b"already" in team.clave("bob", "pin", "--move", lost).err


def test_uncommitted_changes_in_the_way_keep_it(team: Team) -> None:  # noqa: F811
    _, lost = _set_back(team)
    (team.stores["bob"] / "new.gpg").write_bytes(b"mine")
    team.clave("bob", "pin", "--to-remote", "--sure", code=7)
    assert team.pin("bob")["local"] == team.head("bob") == lost
    assert (team.stores["bob"] / "new.gpg").read_bytes() == b"mine"


def test_it_does_not_move_to_what_is_refused(team: Team) -> None:  # noqa: F811
    good = team.tip()
    team.sign_as("bob")
    (team.stores["bob"] / ".gpg-id").write_text(team.people["mallory"].fingerprint + "\n")
    team.git("bob", "commit", "-q", "-a", "-m", "more readers")
    team.clave("bob", "pin", "--move", "HEAD", "--sure", code=6)
    team.git("bob", "push", "-q")
    team.clave("carol", "pin", "--to-remote", "--sure", code=6)
    assert team.pin("bob")["local"] == team.pin("carol")["local"] == good == team.head("carol")
    plain = team.git("carol", "rev-parse", "HEAD~1").out.decode().strip()
    assert b"no team" in team.clave("carol", "pin", "--move", plain, "--sure", code=6).err
    team.clave("carol", "pin", "--move", "nothing", code=7)


def test_another_beginning_is_said_to_be_one(team: Team) -> None:  # noqa: F811
    """Somebody founds the team anew on the old history, and pushes that."""
    old = words(team)
    team.git("carol", "reset", "-q", "--hard", "HEAD~1")
    team.pin_file("carol").unlink()
    team.clave("carol", "team", "init", "--sure")
    team.git("carol", "push", "-q", "-f", "origin", "HEAD:main")
    said = team.clave("bob", "pin", "--to-remote", code=6).err.decode()
    assert "another team" in said
    assert old in said
    assert words(team, "carol") in said
    assert words(team, "bob") == old
    team.clave("bob", "pin", "--to-remote", "--sure")
    assert words(team, "bob") == words(team, "carol") != old


# A machine that was told


@pytest.mark.parametrize("partial", [False, True])
def test_a_fresh_clone_is_verified_by_what_a_machine_was_told(team: Team, partial: bool) -> None:  # noqa: F811
    for _ in range(4):
        write(team, "alice")
    team.git("alice", "--git-dir", str(team.remote), "config", "uploadpack.allowFilter", "true")
    store = team.folder / "ci"
    more = ["--filter=blob:none"] if partial else []
    team.run("bob", "git", "clone", "-q", *more, f"file://{team.remote}", str(store))
    team.stores["bob"] = store
    root = words(team)
    done = team.clave("bob", "show", "web", CLAVE_ROOT="abacus-abdomen", code=6)
    assert done.out == b""
    assert team.pin("bob") == {}
    done = team.clave("bob", "show", "web", CLAVE_ROOT=root)
    assert (done.out, done.err) == (b"web-secret\nuser: shop\n", b"")
    assert team.pin("bob")["local"] == team.tip()
    # From now on nothing has to be fetched, and the words still hold.
    shutil.move(team.remote, team.folder / "away.git")
    assert team.clave("bob", "show", "new", CLAVE_ROOT=root).out == b"new\n"
    assert team.clave("bob", "show", "new").out == b"new\n"
    team.clave("bob", "verify", "--all", CLAVE_ROOT=root)
    for command in (["show", "new"], ["ls"], ["verify"], ["insert", "-m", "x"]):
        done = team.clave("bob", *command, CLAVE_ROOT="abacus-abdomen", code=6)
        assert done.out == b""


def test_a_machine_that_cannot_keep_the_pin_verifies_each_time(team: Team) -> None:  # noqa: F811
    root = words(team)
    team.clone("bob", "ci")
    for _ in range(2):
        done = team.clave("bob", "show", "web", CLAVE_ROOT=root, XDG_STATE_HOME="/dev/null/x")
        assert (done.out, done.err) == (b"web-secret\nuser: shop\n", b"")
    team.sign_as("bob")
    (team.stores["bob"] / ".gpg-id").write_text(team.people["mallory"].fingerprint + "\n")
    team.git("bob", "commit", "-q", "-a", "-m", "more readers")
    done = team.clave("bob", "show", "web", CLAVE_ROOT=root, XDG_STATE_HOME="/dev/null/x", code=6)
    assert done.out == b""


def test_a_shallow_clone_is_said_to_be_one(team: Team) -> None:  # noqa: F811
    root = words(team)
    team.run("bob", "git", "clone", "-q", "--depth=1", f"file://{team.remote}", str(team.folder / "ci"))
    team.stores["bob"] = team.folder / "ci"
    assert b"--unshallow" in team.clave("bob", "show", "web", CLAVE_ROOT=root, code=6).err
    assert b"--unshallow" in team.clave("bob", "pin", "--root", root, code=6).err
    team.git("bob", "fetch", "-q", "--unshallow")
    team.clave("bob", "show", "web", CLAVE_ROOT=root)


def test_what_a_partial_clone_lacks_comes_in_one_fetch(team: Team) -> None:  # noqa: F811
    for _ in range(6):
        write(team, "alice")
    team.git("alice", "--git-dir", str(team.remote), "config", "uploadpack.allowFilter", "true")
    team.run("bob", "git", "clone", "-q", "--filter=blob:none", f"file://{team.remote}", str(team.folder / "ci"))
    team.stores["bob"] = team.folder / "ci"
    log = team.folder / "fetches"
    wrapper = team.folder / "bin"
    wrapper.mkdir()
    real = shutil.which("git-upload-pack")
    (wrapper / "git-upload-pack").write_text(f'#!/bin/sh\necho x >>"{log}"\nexec "{real}" "$@"\n')
    (wrapper / "git-upload-pack").chmod(0o755)
    team.git("bob", "config", "remote.origin.uploadpack", str(wrapper / "git-upload-pack"))
    team.clave("bob", "show", "web", CLAVE_ROOT=words(team))
    assert log.read_text().count("x") == 1


def test_a_remote_that_took_the_team_away_gives_a_machine_nothing(team: Team) -> None:  # noqa: F811
    """What a hostile remote serves instead of the store is plain, and encrypted to the machine."""
    root = words(team)
    team.git("bob", "checkout", "-q", "--orphan", "evil")
    team.git("bob", "rm", "-q", "-r", "--cached", ".clave", ".public-keys")
    team.git("bob", "commit", "-q", "-m", "plain")
    team.git("bob", "push", "-q", "-f", "origin", "HEAD:main")
    team.clone("carol", "ci")
    for command in (["show", "web"], ["ls"], ["clip", "web"], ["web"], ["insert", "-m", "x"], []):
        done = team.clave("carol", *command, CLAVE_ROOT=root, code=6, input=b"x\n")
        assert done.out == b"", command
