"""What is told of a team: who belongs to it, who can read and write what, and what needs somebody's attention."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clave.config import load
from clave.errors import Busy
from clave.model import notices
from clave.store.people import teamwork
from clave.store.store import Store
from clave.team import editing
from tests.cli.reading import on_terminal, plain, terminal_output
from tests.conftest import forget, make_person
from tests.teams import crew, founded, team

if TYPE_CHECKING:
    from pathlib import Path

    from tests.teams import Team

__all__ = ["crew", "founded", "team"]

NEVER = {"expires": None, "problem": None, "ends_soon": False}


def key_of(team: Team, who: str) -> list[dict[str, object]]:
    return [{"fingerprint": team.people[who].fingerprint, **NEVER}]


@pytest.fixture
def as_alice(team: Team, monkeypatch: pytest.MonkeyPatch) -> Store:
    """alice's store, in this process."""
    for name, value in team.people["alice"].env(team.stores["alice"]).items():
        monkeypatch.setenv(name, value)
    return Store(str(team.stores["alice"]), load())


def duties(team: Team, *words: str, who: str = "alice") -> list[dict[str, object]]:
    return list(json.loads(team.clave(who, "due", "--json", *words, code=None).out)["duties"])


# clave team


def test_the_team_at_a_glance(team: Team) -> None:
    team.clave("bob", "insert", "-m", "bobs", input=b"x\n")
    team.clave("bob", "verify")
    done = team.clave("bob", "team")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    lines = done.out.decode().splitlines()
    assert lines[0] == f"alice: admin, last commit {today}"
    assert lines[1] == f"  {team.people['alice'].fingerprint}  does not expire"
    assert lines[2] == f"bob (you): member, last commit {today}"
    assert lines[4] == "carol: member, no commit yet"
    assert "alice is the only admin" in done.err.decode()
    assert "clave team role recovery admin" in done.err.decode()

    found = json.loads(team.clave("bob", "team", "--json").out)
    assert (found["version"], found["roster"], found["me"], found["due"], found["lapsed"]) == (1, 1, "bob", [], [])
    assert [(each["name"], each["role"], each["groups"]) for each in found["members"]] == [
        ("alice", "admin", []),
        ("bob", "member", []),
        ("carol", "member", []),
    ]
    assert [each["keys"] for each in found["members"]] == [key_of(team, who) for who in ("alice", "bob", "carol")]
    assert found["members"][1]["seen"].startswith(today)


def test_with_two_admins_nobody_is_told_to_make_one(team: Team) -> None:
    team.clave("alice", "team", "role", "bob", "admin", "--sure")
    assert team.clave("alice", "team").err == b""


def test_the_commands_that_make_a_recovery_admin_work_as_they_are_told(team: Team, tmp_path: Path) -> None:
    """Word for word, but for the medium and what is asked."""
    alice, usb = team.people["alice"], tmp_path / "usb"
    said = team.clave("alice", "team").err.decode().replace("/media/usb/recovery", str(usb))
    *shell, add, role = [line.strip() for line in said.splitlines() if line.startswith("  ")]
    script = "\n".join(("set -e", *shell)).replace("--quick-gen-key", "--batch --passphrase '' --quick-gen-key")
    try:
        subprocess.run(["bash", "-c", script], env=alice.env(), cwd=tmp_path, capture_output=True, check=True)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(usb), "--kill", "all"], check=False)
    (tmp_path / "recovery.key").rename(team.stores["alice"].parent / "recovery.key")
    shown = alice.gpg("--show-keys", "--with-colons", str(team.stores["alice"].parent / "recovery.key")).decode()
    fingerprint = next(line.split(":")[9] for line in shown.splitlines() if line.startswith("fpr"))
    words = add.replace("recovery.key", str(team.stores["alice"].parent / "recovery.key")).split()
    team.clave("alice", *words[1:], "--fingerprint", fingerprint)
    team.clave("alice", *role.split()[1:], "--sure")
    members = json.loads(team.clave("alice", "team", "--json").out)["members"]
    assert [each["name"] for each in members if each["role"] == "admin"] == ["alice", "recovery"]


def test_a_key_that_ends_soon_is_warned_of(team: Team, tmp_path: Path) -> None:
    dave = make_person("dave", expire="20d")
    try:
        (tmp_path / "dave.key").write_bytes(dave.gpg("--export", dave.fingerprint))
        team.clave("alice", "team", "add", "dave", str(tmp_path / "dave.key"), "--fingerprint", dave.fingerprint)
    finally:
        forget(dave)
    end = datetime.now(UTC) + timedelta(days=20)
    done = team.clave("alice", "team")
    assert f"the key {dave.fingerprint} of dave expires on {end:%Y-%m-%d}" in done.err.decode()
    assert f"{dave.fingerprint}  expires {end:%Y-%m-%d}" in done.out.decode()
    assert [row["when"] for row in duties(team, "--within", "21d") if row["kind"] == "key"] == [f"{end:%Y-%m-%d}"]
    assert duties(team) == []
    (key,) = json.loads(team.clave("alice", "team", "--json").out)["members"][3]["keys"]
    assert (key["ends_soon"], key["problem"], key["expires"][:10]) == (True, None, f"{end:%Y-%m-%d}")


def test_a_grant_that_has_lapsed_is_warned_of(team: Team, as_alice: Store) -> None:
    past = teamwork.Change(lambda roster: editing.grant(roster, "bob", "prod", until=date(2020, 1, 1)), "Let bob read.")
    teamwork.make(as_alice, past, teamwork.preview(as_alice, past))
    notices.take()  # this process has none to tell
    said = "that bob may read prod was meant to end on 2020-01-01: clave revoke bob prod, or grant it anew"
    assert said in team.clave("alice", "team").err.decode()
    assert said in team.clave("alice", "restrict", "team", "--sure").err.decode()
    assert said in team.clave("alice", "insert", "-m", "new", input=b"x\n").err.decode()
    assert json.loads(team.clave("alice", "team", "--json").out)["lapsed"] == [
        {"path": "prod", "right": "read", "who": "bob", "until": "2020-01-01"}
    ]
    (row,) = duties(team)
    assert (row["name"], row["owners"], row["mend"]) == ("prod", ["alice"], "clave revoke bob prod")
    assert duties(team, "--mine") == [row]
    team.clave("alice", "sync")
    team.clave("bob", "sync")
    assert duties(team, who="bob") == [row]
    assert duties(team, "--mine", who="bob") == []
    team.clave("alice", "grant", "bob", "prod", "--sure")
    assert duties(team) == []
    assert "meant to end" not in team.clave("alice", "team").err.decode()


def test_what_is_due_is_warned_of(team: Team) -> None:
    team.clave("alice", "revoke", "alice", "prod", "--sure")
    team.clave("alice", "grant", "alice", "prod", "--sure", code=1)
    done = team.clave("alice", "team")
    assert "1 entry not encrypted as the roster says: clave rekey" in done.err.decode()
    assert json.loads(team.clave("alice", "team", "--json").out)["due"] == ["prod/db"]


def test_the_log_of_a_team_says_in_words_what_changed(team: Team) -> None:
    team.clave("alice", "group", "add", "ops", "carol", "bob", "--sure")
    team.clave("alice", "grant", "@ops", "prod", "--write", "--sure")
    team.clave("alice", "team", "remove", "carol", "--reason", "lost", "--sure")
    lines = [line.split("  ") for line in team.clave("alice", "team", "log").out.decode().splitlines()]
    assert [(line[0], line[2], line[3]) for line in lines[:3]] == [
        ("4", "alice", "carol is no member any more (lost); carol is in the group @ops no more"),
        ("3", "alice", "@ops may read and write prod"),
        ("2", "alice", "bob, carol are in the group @ops"),
    ]
    assert lines[3][3].startswith("alice is a member (admin); bob is a member; carol is a member; ")


# clave access


def test_who_can_do_what(team: Team) -> None:
    assert team.clave("bob", "access").out.decode().splitlines() == [
        ".: alice (read, write), bob (read, write), carol (read, write)",
        "prod: alice (read, write), carol (read, write)",
    ]
    for name in ("prod", "prod/db", "prod/"):
        place = name.strip("/")
        assert team.clave("bob", "access", name).out.decode() == f"{place}: alice (read, write), carol (read, write)\n"
    assert team.clave("bob", "access", "team").out.decode() == (
        "team: alice (read, write), bob (read, write), carol (read, write)\n"
    )
    found = json.loads(team.clave("bob", "access", "--json").out)
    assert [(each["path"], each["folder"], each["entries"], each["differences"]) for each in found["places"]] == [
        ("", "", 2, []),
        ("prod", "prod", 1, []),
    ]
    assert found["places"][1]["people"][0] == {
        "who": "alice", "read": True, "write": True, "listed": True, "opens": 1
    }  # fmt: skip


def test_what_one_of_them_may(team: Team) -> None:
    team.clave("alice", "group", "add", "ops", "bob", "--sure")
    team.clave("alice", "grant", "@ops", "prod", "--sure")
    assert team.clave("alice", "access", "--who", "bob").out.decode().splitlines() == [
        ". (2 entries): read (granted here), write (granted here)",
        "prod (1 entry): read (granted here, through @ops)",
    ]
    assert team.clave("alice", "access", "--who", "bob", "web").out == b"web (1 entry): read (from .), write (from .)\n"
    assert team.clave("alice", "access", "--who", "@ops").out == b"prod (1 entry): read (granted here)\n"
    found = json.loads(team.clave("alice", "access", "--who", "bob", "prod", "--json").out)
    assert found["places"] == [
        {"path": "prod", "entries": 1, "rights": {"read": [{"folder": "prod", "who": "@ops"}], "write": []}}
    ]


def test_the_three_are_held_against_each_other(team: Team) -> None:
    """carol is in the roster and not in a file; mallory is in a file and a `.gpg-id`, and nowhere else."""
    alice, mallory = (team.people[name] for name in ("alice", "mallory"))
    alice.gpg("--import", input=mallory.gpg("--export", mallory.fingerprint))
    try:
        store = team.stores["alice"]
        to = [word for name in ("alice", "mallory") for word in ("-r", team.people[name].fingerprint)]
        data = alice.gpg("-e", "--trust-model", "always", *to, input=b"x\n")
        (store / "prod/db.gpg").write_bytes(data)
        (store / ".gpg-id").write_text((store / ".gpg-id").read_text() + mallory.fingerprint + "\n")
        lines = team.clave("alice", "access").out.decode().splitlines()
        assert f".: {mallory.fingerprint}: roster no, .gpg-id yes" in lines
        assert "prod: carol: roster yes, ciphertext no in 1 of 1: rekey due" in lines
        (extra,) = [line for line in lines if "ciphertext yes" in line]
        assert extra.startswith("prod: key ")
        assert extra.endswith(": roster no, ciphertext yes in 1 of 1: rekey due")
    finally:
        alice.gpg("--yes", "--delete-keys", mallory.fingerprint)


def test_on_a_terminal_it_is_a_table_with_marks(team: Team) -> None:
    team.clave("alice", "revoke", "alice", "prod", "--sure")
    team.clave("alice", "grant", "bob", "prod", "--sure", code=1)
    shown = plain(terminal_output(on_terminal(team.people["alice"], team.stores["alice"], "access"))).decode()
    rows = [line.split() for line in shown.splitlines()]
    assert rows[:3] == [
        ["folder", "entries", "alice", "bob", "carol"],
        [".", "2", "rw", "rw", "rw"],
        ["prod", "1", "-", "r!", "rw"],
    ]


def test_in_a_plain_store_it_is_what_recipients_and_files_say(team: Team, tmp_path: Path) -> None:
    store = tmp_path / "plain"
    team.stores["alice"] = store
    alice, bob = team.people["alice"], team.people["bob"]
    team.clave("alice", "init", alice.fingerprint)
    team.clave("alice", "insert", "-m", "a/x", input=b"x\n")
    team.clave("alice", "init", "-p", "b", alice.fingerprint, bob.fingerprint)
    me, he = "Alice <alice@example.org>", "Bob <bob@example.org>"
    assert team.clave("alice", "access").out.decode().splitlines() == [
        f".: {me} (read, write)",
        f"b: {me} (read, write), {he} (read, write)",
    ]
    (store / "a/.gpg-id").write_text(bob.fingerprint + "\n")
    assert team.clave("alice", "access", "a").out.decode().splitlines() == [
        f"a: {me} (no right), {he} (read, write)",
        f"a: {me}: .gpg-id no, ciphertext yes in 1 of 1: rekey due",
        f"a: {he}: .gpg-id yes, ciphertext no in 1 of 1: rekey due",
    ]
    (store / "a/.gpg-id").write_text("nobody@nowhere\n")
    assert "nobody@nowhere (read, write)" in team.clave("alice", "access", "a").out.decode()


# Completion


def test_members_and_groups_are_completed(team: Team) -> None:
    team.clave("alice", "group", "add", "ops", "bob", "carol", "--sure")
    done = team.clave("alice", "--complete", "bash", "member", "", "")
    assert done.out.decode().splitlines() == [
        "alice\tadmin",
        "bob\tmember",
        "carol\tmember",
        "@ops\tbob, carol",
    ]


# What was shown is what is done


def change(who: str, path: str) -> teamwork.Change:
    return teamwork.Change(lambda roster: editing.grant(roster, who, path), f"Let {who} read {path}.")


def test_what_would_be_another_thing_than_was_shown_is_not_done(team: Team, as_alice: Store) -> None:
    team.clave("alice", "group", "add", "ops", "carol", "--sure")
    seen = teamwork.preview(as_alice, change("@ops", "prod"))
    team.clave("alice", "group", "add", "ops", "bob", "--sure")
    before = team.head("alice")
    with pytest.raises(Busy, match="the roster has changed meanwhile"):
        teamwork.make(as_alice, change("@ops", "prod"), seen)
    assert team.head("alice") == before
    assert team.git("alice", "status", "--porcelain").out == b""


def test_what_somebody_else_has_done_meanwhile_or_beside_it_is_no_obstacle(team: Team, as_alice: Store) -> None:
    seen = teamwork.preview(as_alice, change("bob", "prod"))
    team.clave("alice", "restrict", "team", "--sure")
    done = teamwork.make(as_alice, change("bob", "prod"), seen)
    assert done.renewed == ("prod/db",)
    before = team.head("alice")
    assert teamwork.make(as_alice, change("bob", "prod"), seen).renewed == ()
    assert team.head("alice") == before


# The policy of a team


def test_a_policy_is_an_admins_and_that_of_the_verified_commit(team: Team) -> None:
    policy = team.stores["bob"] / ".clave/policy.toml"
    assert b"admin" in team.clave("bob", "policy", "set", "prod", "rotate=0d", code=6).err
    assert not policy.exists()
    team.clave("alice", "policy", "set", "prod", "rotate=0d", "owner=@nobody", "min_entropy=100")
    team.clave("alice", "sync")
    team.clave("bob", "sync")
    team.clave("bob", "verify")
    assert [row["name"] for row in duties(team, who="bob")] == ["prod/db"]
    assert b"neither a member nor a group" in team.clave("bob", "policy", "check", code=1).out
    # What somebody does to the file here is not the team's policy.
    policy.write_text("")
    assert [row["name"] for row in duties(team, who="bob")] == ["prod/db"]
    assert b"Clave-Op: policy" in team.git("bob", "log", "-1", "--format=%B").out
    (team.stores["alice"] / ".clave/policy.toml").unlink()
    assert b"wants 100" in team.clave("alice", "generate", "prod/new", "5", code=1).err


def test_a_leaver_is_due_until_all_is_new(team: Team) -> None:
    team.clave("alice", "generate", "prod/own")
    team.clave("alice", "team", "remove", "carol", "--sure", code=None)
    assert {str(row["name"]) for row in duties(team) if row["state"] == "exposed"} >= {"prod/db", "prod/own", "web"}
    team.clave("alice", "policy", "set", "**", "on=exposure")
    assert duties(team) == []
    team.clave("alice", "policy", "set", "**", "on=leaver")
    team.clave("alice", "generate", "-f", "prod/own")
    assert "prod/own" not in {row["name"] for row in duties(team)}
