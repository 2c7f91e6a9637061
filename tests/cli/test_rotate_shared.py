"""Rotations of a team with a remote: who sees what when, who may end what, and a network that is away."""

from __future__ import annotations

import shutil
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.forked import base, crew, founded, started, team
from tests.rotation.target import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Output
    from tests.teams import Team

__all__ = ["base", "crew", "founded", "started", "team"]

NAME = "prod/db"
OLD, NEW = b"db-secret", b"canary-brand-new"
REST = b"user: app\nhost: db1\n"
AGREED = ("-d", "command:shop")


@pytest.fixture
def service(team: Team, tmp_path: Path) -> Iterator[Service]:
    """Where the password of prod/db is in force; alice, bob and carol have the same program for it."""
    found = Service(tmp_path / "service", OLD.decode())
    for who in ("alice", "bob", "carol"):
        team.clave(who, "config", "set", "drivers.shop", str(found.program))
    yield found
    for who in ("alice", "bob", "carol"):
        for folder in (".config/clave", ".local/state/clave/rotations"):
            shutil.rmtree(team.people[who].home / folder, ignore_errors=True)


def rotate(team: Team, who: str, *, code: int = 0) -> Output:
    args = ("rotate", *AGREED, "--value-from", "stdin", NAME)
    return team.clave(who, *args, input=NEW + b"\n", code=code)


def password(team: Team, who: str) -> bytes:
    return team.clave(who, "show", f"{NAME}#password").out.strip()


def away(team: Team) -> None:
    team.remote.rename(team.folder / "away.git")


def back(team: Team) -> None:
    (team.folder / "away.git").rename(team.remote)


def whole(team: Team, service: Service, value: bytes) -> None:
    """Everybody has the value after a sync, it works, and nothing is under way; the pins are where the remote is."""
    for who in ("alice", "carol"):
        team.clave(who, "sync")
        assert password(team, who) == value
        assert team.pin(who)["local"] == team.head(who) == team.tip()
    assert team.clave("carol", "rotate", "--list").out == b""
    assert team.git("alice", "status", "--porcelain").out == b""
    assert team.git("alice", "fsck", "--strict").code == 0
    assert service.lets_in(value)


def test_the_new_value_is_at_the_remote_before_it_is_set(team: Team, service: Service) -> None:
    before = team.tip()
    service.faults(set="kill:before")
    rotate(team, "alice", code=-signal.SIGKILL)
    assert team.tip() != before
    service.mend()
    team.clave("carol", "sync")
    assert team.clave("carol", "show", "--pending", NAME).out == NEW + b"\n" + REST
    assert password(team, "carol") == OLD
    team.clave("bob", "sync")  # who does not read the folder
    assert b"Error" in team.clave("bob", "show", "--pending", NAME, code=4).err
    listed = team.clave("bob", "rotate", "--list", code=1)
    assert listed.out.startswith(b"prod/db: begun by alice since")


@pytest.mark.parametrize("ending", ["--resume", "--abort"])
def test_a_colleague_ends_it_when_the_home_is_gone(team: Team, service: Service, ending: str) -> None:
    service.faults(test="kill:before")
    rotate(team, "alice", code=-signal.SIGKILL)
    service.mend()
    shutil.rmtree(team.stores.pop("alice"))
    team.clave("carol", "sync")
    line = team.clave("carol", "rotate", ending, NAME, code=2).err.decode()
    assert "was begun by alice since" in line
    assert "with the driver command:shop, and no policy says that" in line
    team.clave("carol", "rotate", ending, "--as-begun", NAME)
    team.join("alice")
    whole(team, service, NEW if ending == "--resume" else OLD)


def test_what_the_policy_says_a_colleague_goes_on_with(team: Team, service: Service) -> None:
    file = team.stores["alice"] / ".clave/policy.toml"
    file.write_text('[paths.prod]\ndriver = "command:shop"\n')
    team.sign_as("alice")
    team.git("alice", "add", "-A")
    team.git("alice", "commit", "-qm", "policy")
    service.faults(set="fail")
    team.clave("alice", "rotate", NAME, code=1)
    service.mend()
    team.clave("carol", "sync")
    team.clave("carol", "rotate", "--resume", NAME)
    whole(team, service, password(team, "carol"))
    assert password(team, "alice") != OLD


def test_two_people_cannot_rotate_one_entry(team: Team, service: Service) -> None:
    service.faults(set="fail")
    rotate(team, "alice", code=1)
    before = team.head("carol")
    line = rotate(team, "carol", code=1).err.decode()
    assert "prod/db is being rotated by alice since" in line
    assert team.git("carol", "log", f"{before}..", "--author=carol", "--format=%s").out == b""
    assert service.steps() == ["create", "set"]
    service.mend()
    team.clave("carol", "rotate", "--abort", "--as-begun", NAME)
    whole(team, service, OLD)


def test_the_second_of_two_who_begin_at_once_takes_theirs_back(team: Team, service: Service) -> None:
    """Carol's push comes between alice's sync and alice's push: the program makes that happen."""
    service.faults(set="fail")
    mine = team.tip()
    rotate(team, "carol", code=1)
    carols = team.tip()
    move = f"git -C {team.remote} update-ref refs/heads/main "
    assert team.run("alice", *f"{move}{mine}".split()).code == 0
    text = service.program.read_text()
    service.program.write_text(text + f'if step == "create": os.system("{move}{carols}")\n')
    line = rotate(team, "alice", code=1).err.decode()
    assert "prod/db is being rotated by carol since" in line
    assert team.tip() == carols == team.head("alice")
    assert service.steps() == ["create", "set", "create"]
    service.program.write_text(text)
    service.mend()
    team.clave("carol", "rotate", "--resume", NAME)
    whole(team, service, NEW)


def test_a_network_that_is_away_when_it_begins(team: Team, service: Service) -> None:
    before, pin = team.head("alice"), team.pin("alice")
    away(team)
    line = rotate(team, "alice", code=75).err.decode()
    assert "cannot be reached" in line
    assert "Nothing was touched, here or outside" in line
    assert service.steps() == []
    assert team.head("alice") == before
    assert team.pin("alice") == pin
    back(team)
    rotate(team, "alice")
    whole(team, service, NEW)


def test_a_network_that_goes_away_before_the_end(team: Team, service: Service) -> None:
    service.program.write_text(
        service.program.read_text() + f'if step == "test":\n    os.rename("{team.remote}", "{team.folder}/away.git")\n'
    )
    line = rotate(team, "alice", code=75).err.decode()
    assert "done here, not shared yet" in line
    assert "The new value works and is in force here. Finish: clave rotate --resume prod/db" in line
    assert password(team, "alice") == NEW
    assert service.lets_in(NEW)
    assert "finish" not in service.steps()
    service.program.write_text(service.program.read_text().rpartition('if step == "test":')[0])
    assert "cannot be reached" in team.clave("alice", "rotate", "--resume", NAME, code=75).err.decode()
    assert "finish" not in service.steps()  # the old value is what the others know
    back(team)
    team.clave("carol", "sync")
    assert team.clave("carol", "show", "--pending", NAME).out.startswith(NEW)
    team.clave("alice", "rotate", "--resume", NAME)
    assert service.steps() == ["test", "finish"]
    whole(team, service, NEW)


def test_somebody_aborts_while_the_other_is_at_work(team: Team, service: Service) -> None:
    """Carol gives it up while alice's test is running."""
    service.program.write_text(service.program.read_text() + f'if step == "test": os.system("{team.folder}/carol")\n')
    script = team.folder / "carol"
    carol = team.people["carol"]
    variables = " ".join(f"{key}='{value}'" for key, value in carol.env(team.stores["carol"]).items())
    run = f"{sys.executable} -m clave"
    script.write_text(f"#!/bin/sh\nexport {variables}\n{run} sync && {run} rotate --abort --as-begun {NAME}\n")
    script.chmod(0o700)
    line = rotate(team, "alice", code=1).err.decode()
    assert "the rotation of prod/db was given up by somebody else meanwhile" in line
    whole(team, service, OLD)


def test_who_may_not_write_cannot_begin(team: Team, service: Service) -> None:
    team.clave("alice", "grant", "bob", "prod", "--sure")
    team.clave("bob", "sync")
    before = team.head("bob")
    assert "bob may not write in the folder prod" in rotate(team, "bob", code=6).err.decode()
    assert service.steps() in (["create"], [])
    assert team.head("bob") == before
    assert service.lets_in(OLD)


def test_a_new_reader_a_leaver_and_a_new_name_reach_what_is_pending(team: Team, service: Service) -> None:
    service.faults(set="fail")
    rotate(team, "alice", code=1)
    service.mend()
    team.clave("alice", "grant", "bob", "prod", "--write", "--sure")
    team.clave("bob", "sync")
    assert team.clave("bob", "show", "--pending", NAME).out.startswith(NEW)
    team.clave("alice", "team", "remove", "carol", "--sure", code=None)
    team.clave("bob", "sync")
    team.clave("bob", "mv", NAME, "prod/main")
    team.clave("bob", "sync")
    team.clave("alice", "sync")
    assert team.clave("alice", "show", "--pending", "prod/main").out.startswith(NEW)
    team.clave("alice", "rotate", "--resume", "prod/main")
    team.clave("bob", "sync")
    assert team.clave("bob", "show", "prod/main#password").out.strip() == NEW
    team.clave("bob", "verify", "--strict")


def test_a_move_and_a_rotation_come_together(team: Team, service: Service) -> None:
    """Alice renames what carol has begun to rotate: both without a look at each other."""
    service.faults(set="fail")
    team.clave("alice", "mv", NAME, "prod/main")
    rotate(team, "carol", code=1)
    service.mend()
    team.clave("alice", "sync")
    assert team.clave("alice", "rotate", "--list", code=1).out.startswith(b"prod/main: begun by ")
    team.clave("carol", "sync")
    team.clave("carol", "rotate", "--resume", "prod/main")
    assert service.lets_in(NEW)
    team.clave("alice", "sync")
    assert team.clave("alice", "show", "prod/main#password").out.strip() == NEW
    team.clave("alice", "verify", "--strict")


def test_an_end_and_a_rekey_come_together(team: Team, service: Service) -> None:
    """Alice lets bob read the folder while carol, who does not know of that yet, ends the rotation."""
    service.faults(set="fail")
    rotate(team, "carol", code=1)
    service.mend()
    team.clave("alice", "sync")
    away(team)
    team.clave("carol", "rotate", "--resume", NAME, code=75)
    back(team)
    team.clave("alice", "grant", "bob", "prod", "--sure")
    team.clave("carol", "rotate", "--resume", NAME)
    whole(team, service, NEW)
    team.clave("bob", "sync")
    assert password(team, "bob") == NEW


def test_what_is_not_what_was_committed_is_refused(team: Team, service: Service) -> None:
    service.faults(set="fail")
    rotate(team, "alice", code=1)
    service.mend()
    file = team.stores["alice"] / ".clave/pending/prod/db.new"
    reader = team.people["alice"]
    file.write_bytes(reader.gpg("-e", "-r", reader.fingerprint, input=b"x"))
    for args in (("show", "--pending", NAME), ("rotate", "--resume", NAME), ("rotate", "--abort", NAME)):
        line = team.clave("alice", *args, code=6).err.decode()
        assert ".clave/pending/prod/db.new is not what was committed last" in line
    team.git("alice", "checkout", "-q", "HEAD", "--", ".clave/pending/prod/db.new")
    team.clave("alice", "rotate", "--abort", NAME)
    whole(team, service, OLD)
