"""A team store as every command meets it: reads want a verified HEAD, writes are signed, judged and pinned."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.teams import ENTRIES, Team, crew, founded, team

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Person

__all__ = ["crew", "founded", "team"]


def test_reading_loads_the_same_bytes_for_everybody(team: Team) -> None:
    for who in ("alice", "carol"):
        for name, content in ENTRIES.items():
            assert team.clave(who, "show", name).out == content
    assert team.clave("bob", "show", "web").out == ENTRIES["web"]
    assert team.clave("bob", "show", "prod/db", code=4).out == b""


def test_pass_reads_a_team_store(team: Team) -> None:
    assert team.run("bob", "pass", "show", "web").out == ENTRIES["web"]


def test_a_write_is_signed_by_its_member_and_moves_the_pin(team: Team) -> None:
    before = team.pin("bob")
    team.clave("bob", "insert", "-m", "new", input=b"value\n")
    assert team.git("bob", "log", "-1", "--format=%GF").out.decode().strip() == team.people["bob"].fingerprint
    after = team.pin("bob")
    assert after["local"] == team.head("bob") != before["local"]
    assert after["upstream"] == before["upstream"]
    assert team.git("bob", "fsck", "--strict").code == 0


def test_what_is_written_is_for_the_readers_of_the_roster(team: Team) -> None:
    team.clave("carol", "insert", "-m", "prod/new", input=b"value\n")
    ids = subprocess.run(
        ["gpg", "--list-packets", "--list-only", str(team.stores["carol"] / "prod/new.gpg")],
        env=team.people["carol"].env(), capture_output=True, check=False, text=True,
    ).stdout  # fmt: skip
    assert ids.count(":pubkey enc packet:") == 2
    assert team.run("carol", "pass", "show", "prod/new").out == b"value\n"


def test_who_may_not_write_is_told_so_and_nothing_happens(team: Team) -> None:
    head, pin = team.head("bob"), team.pin("bob")
    done = team.clave("bob", "insert", "-m", "prod/new", input=b"value\n", code=6)
    assert b"bob may not write in the folder prod" in done.err
    assert b"clave grant bob prod --write" in done.err
    assert (team.head("bob"), team.pin("bob")) == (head, pin)
    assert team.git("bob", "status", "--porcelain").out == b""


def test_somebody_without_a_key_of_the_team_cannot_write(team: Team) -> None:
    team.clone("mallory")
    team.set_pin("mallory", team.pin("bob"))
    done = team.clave("mallory", "insert", "-m", "new", input=b"value\n", code=6)
    assert b"none of your keys is one of the team's" in done.err


@pytest.mark.parametrize("change", ["edited", "removed", "added"])
def test_a_changed_recipients_file_stops_the_write(team: Team, change: str) -> None:
    store = team.stores["alice"]
    path = store / ("prod/.gpg-id" if change != "added" else "team/.gpg-id")
    if change == "removed":
        path.unlink()
    else:
        path.write_text(team.people["mallory"].fingerprint + "\n")
    head = team.head("alice")
    name = "team/new" if change == "added" else "prod/new"
    done = team.clave("alice", "insert", "-m", name, input=b"value\n", code=6)
    assert b".gpg-id was changed outside of clave" in done.err
    assert team.head("alice") == head
    assert not (store / f"{name}.gpg").exists()


def test_an_unsigned_head_is_read_with_a_warning_and_not_written_on(team: Team) -> None:
    team.run("bob", "pass", "insert", "-m", "by-pass", input=b"value\n")
    done = team.clave("bob", "show", "by-pass")
    assert done.out == b"value\n"
    assert b"Warning: what is here may not be what the team wrote" in done.err
    assert b"is not signed" in done.err
    for command in (["insert", "-m", "new"], ["show", "-c", "by-pass"], ["clip", "by-pass", "password"]):
        assert b"is not signed" in team.clave("bob", *command, input=b"value\n", code=6).err


def test_a_signed_commit_of_pass_is_verified_and_becomes_known(team: Team) -> None:
    team.sign_as("bob")
    team.run("bob", "pass", "insert", "-m", "by-pass", input=b"value\n")
    assert team.pin("bob")["local"] != team.head("bob")
    done = team.clave("bob", "show", "by-pass")
    assert (done.out, done.err) == (b"value\n", b"")
    assert team.pin("bob")["local"] == team.head("bob")


def test_what_mallory_commits_is_refused(team: Team) -> None:
    store = team.clone("mallory")
    team.sign_as("mallory")
    (store / "evil.gpg").write_bytes((store / "web.gpg").read_bytes())
    team.git("mallory", "add", "-A")
    team.git("mallory", "commit", "-qm", "evil")
    team.git("bob", "fetch", "-q", str(store))
    team.git("bob", "reset", "-q", "--hard", "FETCH_HEAD")
    pin = team.pin("bob")
    done = team.clave("bob", "show", "web")
    assert b"is no member" in done.err
    assert team.pin("bob") == pin


def test_a_store_that_lost_its_team_is_no_plain_store(team: Team) -> None:
    team.git("bob", "rm", "-rq", ".clave")
    team.git("bob", "commit", "-qm", "gone")
    assert b"it has no roster" in team.clave("bob", "show", "web").err
    assert team.clave("bob", "insert", "-m", "new", input=b"value\n", code=6).out == b""


def test_a_clone_without_a_pin_asks_for_the_words(team: Team) -> None:
    team.clone("bob", "second")
    done = team.clave("bob", "show", "web")
    assert done.out == ENTRIES["web"]
    assert b"nothing is known yet of the team" in done.err
    assert b"clave pin --root WORDS" in team.clave("bob", "insert", "-m", "new", input=b"x\n", code=6).err


def test_a_broken_pin_is_no_missing_one(team: Team) -> None:
    team.pin_file("bob").write_text("store x\n")
    for args in (["show", "web"], ["insert", "-m", "new"]):
        assert b"is broken" in team.clave("bob", *args, input=b"x\n", code=None).err


def test_the_pin_is_the_users_alone(team: Team) -> None:
    team.clave("bob", "insert", "-m", "new", input=b"value\n")
    assert team.pin_file("bob").stat().st_mode & 0o777 == 0o600


def test_password_store_key_has_no_say(team: Team) -> None:
    key = team.people["mallory"].fingerprint
    done = team.clave("bob", "insert", "-m", "new", input=b"value\n", code=2, PASSWORD_STORE_KEY=key)
    assert b"the roster says who reads" in done.err


def test_names_that_a_team_refuses_are_not_committed(team: Team) -> None:
    head = team.head("bob")
    assert b"differ only in case" in team.clave("bob", "insert", "-m", "WEB", input=b"x\n", code=6).err
    assert team.head("bob") == head
    assert team.git("bob", "status", "--porcelain").out == b""


def test_a_folder_with_readers_of_its_own_is_emptied_not_moved(team: Team) -> None:
    for command in ("mv", "cp"):
        done = team.clave("alice", command, "prod/", "elsewhere", code=2)
        assert b"in a team the roster says who reads" in done.err
    team.clave("alice", "rm", "-rf", "prod")
    assert not (team.stores["alice"] / "prod/db.gpg").exists()
    assert (team.stores["alice"] / "prod/.gpg-id").exists()
    assert team.clave("alice", "insert", "-m", "prod/again", input=b"x\n").code == 0


def test_what_is_moved_is_encrypted_for_its_new_readers(team: Team) -> None:
    team.clave("carol", "cp", "web", "prod/web")
    assert team.clave("carol", "show", "prod/web").out == ENTRIES["web"]
    team.git("bob", "pull", "-q", str(team.stores["carol"]), "main")
    assert b"not encrypted to any key of yours" in team.clave("bob", "show", "prod/web", code=4).err
    assert b"may not write in the folder prod" in team.clave("bob", "mv", "web", "prod/w2", code=6).err


def test_undo_and_restore_work_in_a_team(team: Team) -> None:
    team.clave("bob", "insert", "-mf", "web", input=b"second\n")
    team.clave("bob", "undo")
    assert team.clave("bob", "show", "web").out == ENTRIES["web"]
    team.clave("bob", "restore", "web", "HEAD~1")
    assert team.clave("bob", "show", "web").out == b"second\n"
    assert b"it changed the team" in team.clave("alice", "undo", code=None).err


def test_the_log_names_signers_as_the_roster_does(team: Team) -> None:
    team.clave("bob", "insert", "-m", "new", input=b"value\n")
    team.git("alice", "pull", "-q", str(team.stores["bob"]), "main")
    # alice's keyring has bob's key; what counts is the roster, which calls him bob.
    assert b"good: bob" in team.clave("alice", "log", "new").out
    assert b"good: alice" in team.clave("bob", "log").out


def test_doctor_looks_at_the_team_not_at_the_keyring(team: Team) -> None:
    out = team.clave("bob", "doctor", code=None).out.decode()
    assert "ok    team: all is verified up to commit" in out
    assert "you are bob, member of the team" in out
    team.clone("mallory")
    team.set_pin("mallory", team.pin("bob"))
    out = team.clave("mallory", "doctor", code=None).out.decode()
    assert "note  team: none of your keys is a member's" in out
    assert "no public key for" not in out
    team.clone("carol", "bare")
    out = team.clave("carol", "doctor", code=1).out.decode()
    assert "mend  team: nothing is known yet of the team" in out


def test_a_folder_of_a_team_store_is_no_store(team: Team) -> None:
    folder = str(team.stores["alice"] / "prod")
    for words in (["show", "db"], ["db"], ["ls"], ["insert", "-m", "x"], ["clip", "db"]):
        done = team.clave("alice", *words, input=b"x\n", code=2, PASSWORD_STORE_DIR=folder)
        assert b"is a folder of a team's store, not the whole of it" in done.err, words
        assert done.out == b""


def test_a_repository_with_sha256_is_a_team_store_too(crew: dict[str, Person], tmp_path: Path) -> None:
    alone = Team(tmp_path, crew, {"alice": tmp_path / "store"})
    subprocess.run(["git", "init", "-q", "--object-format=sha256", str(alone.stores["alice"])], check=True)
    alone.clave("alice", "init", crew["alice"].fingerprint)
    alone.clave("alice", "team", "init", "--sure")
    alone.clave("alice", "insert", "-m", "web", input=b"value\n")
    assert b"signed by alice" in alone.clave("alice", "verify", "--all").out
    commit = alone.git("alice", "cat-file", "commit", "HEAD").out
    forged = commit.replace(b"gpgsig-sha256", b"gpgsig")
    evil = alone.git("alice", "hash-object", "-t", "commit", "-w", "--stdin", input=forged).out.decode().strip()
    alone.git("alice", "update-ref", "HEAD", evil)
    assert b"(signature)" in alone.clave("alice", "verify", "--all", code=6).err
