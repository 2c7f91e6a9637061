"""`clave exposure`: what a leaver knows, until it is changed; in a team's store, and in one of pass alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.conftest import one_line
from tests.teams import Team, crew, founded, team

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Person, Run

__all__ = ["crew", "founded", "team"]


def listed(team: Team, *args: str, who: str = "alice") -> dict[str, dict[str, object]]:
    """Return what is listed, by entry; the exit code is 1 if something is to be changed."""
    done = team.clave(who, "exposure", *args, "--json", code=None)
    values = json.loads(done.out)["values"]
    assert done.code == (1 if any(not each["accepted"] for each in values) else 0), done
    return {each["name"]: each for each in values}


def test_a_leaver_is_listed_until_all_is_changed(team: Team) -> None:
    team.clave("bob", "insert", "-m", "own", input=b"bob-made-it\nuser: bob\n")
    team.clave("bob", "sync")
    team.clave("alice", "sync")
    done = team.clave("alice", "team", "remove", "bob", "--sure")
    assert [line.partition("  ")[0] for line in done.out.decode().splitlines()] == ["own", "team/wifi", "web"]
    assert set(listed(team, "bob")) == set(listed(team, "--former")) == {"own", "team/wifi", "web"}
    assert "prod/db" not in listed(team, "bob")
    # Encrypted anew, renamed, copied, brought back, and only noted: all of that is still known to bob.
    team.clave("alice", "mv", "team/wifi", "prod/wifi")
    team.clave("alice", "cp", "web", "prod/web")
    team.clave("alice", "rm", "-f", "own")
    team.clave("alice", "undo")
    team.clave("alice", "set", "web", "url", input=b"https://web.example.org\n")
    assert set(listed(team, "bob")) == {"own", "prod/wifi", "web", "prod/web"}
    team.clave("alice", "insert", "-m", "-f", "prod/wifi", input=b"new\n")
    team.clave("alice", "generate", "-i", "own")
    team.clave("alice", "insert", "-m", "-f", "web", input=b"new\nuser: shop\n")
    assert set(listed(team, "bob")) == {"prod/web"}
    team.clave("alice", "insert", "-m", "-f", "prod/web", input=b"new\n")
    assert listed(team, "bob") == listed(team, "--former") == {}
    # What bob knows is the same for everybody who has the store.
    team.clave("alice", "sync")
    team.clave("carol", "sync")
    assert listed(team, "bob", who="carol") == {}


def test_one_field_of_three_and_who_is_asked_for(team: Team) -> None:
    team.clave("alice", "insert", "-m", "three", input=b"one\ntoken: two\npin: three\nuser: me\n")
    team.clave("alice", "team", "remove", "bob", "--sure")
    team.clave("alice", "set", "three", "token", input=b"new\n")
    bob = team.people["bob"].fingerprint
    for who in ("bob", "BOB", bob, f"0x{bob[-16:]}"):
        assert listed(team, who)["three"]["partly"] is True, who
    assert listed(team, "bob")["web"]["partly"] is False
    line = one_line(team.clave("alice", "exposure", "nobody", code=None), 3)
    assert "There are: alice, bob, carol." in line
    assert "Name them, or say --former" in one_line(team.clave("alice", "exposure", "list", code=None), 2)


def test_what_somebody_lost_by_a_revoke_counts_too_and_a_present_reader_is_not_former(team: Team) -> None:
    team.clave("alice", "revoke", "carol", "prod", "--sure")
    assert set(listed(team, "--former")) == {"prod/db"}
    assert listed(team, "--former")["prod/db"]["who"] == "carol"
    assert set(listed(team, "carol")) == {"prod/db", "web", "team/wifi"}


def test_what_cannot_be_changed_is_accepted_for_this_value_and_these_people(team: Team) -> None:
    team.clave("alice", "team", "remove", "bob", "--sure")
    team.clave("alice", "exposure", "accept", "web", "--reason", "the vendor is gone")
    assert listed(team, "bob")["web"]["accepted"] == "the vendor is gone"
    shown = team.clave("alice", "exposure", "bob", code=1)
    assert b"(accepted: the vendor is gone)" in shown.out
    assert b"1 entry has a value to change; 1 is accepted." in shown.err
    log = team.git("alice", "log", "-1", "--format=%s%n%(trailers:key=Clave-Op,valueonly)%G?").out.split()
    assert log[-2:] == [b"policy", b"G"]
    team.clave("alice", "verify", "--all")
    # A new reader who leaves is asked about anew, and so is another value.
    team.clave("alice", "team", "remove", "carol", "--sure")
    assert listed(team, "carol")["web"]["accepted"] == ""
    team.clave("alice", "insert", "-m", "-f", "web", input=b"newer\n")
    assert "web" not in listed(team, "bob")
    line = one_line(team.clave("alice", "exposure", "accept", "web", "--reason", "x", code=None), 1)
    assert "known to nobody who is gone" in line
    for reason in ("", " ", "a\nb", "x" * 501):
        one_line(team.clave("alice", "exposure", "accept", "team/wifi", "--reason", reason, code=None), 2)


def test_only_who_may_write_an_entry_accepts_that_it_stays(team: Team) -> None:
    team.clave("alice", "revoke", "carol", "prod", "--sure")
    team.clave("bob", "sync")
    line = one_line(team.clave("bob", "exposure", "accept", "prod/db", "--reason", "x", code=None), 6)
    assert "prod" in line
    forged = b'{"format": 1, "blob": "%s", "who": ["carol"], "reason": "x"}' % (b"0" * 40)
    path = team.stores["bob"] / ".clave/accepted/prod/db"
    path.parent.mkdir(parents=True)
    path.write_bytes(forged)
    team.git("bob", "add", "-A")
    team.sign_as("bob")
    team.git("bob", "commit", "-qm", "accept")
    team.git("bob", "push", "-q")
    assert "bob" in one_line(team.clave("alice", "sync", code=None), 6)


def sealed(team: Team, plaintext: bytes) -> bytes:
    """Return a message of carol's for alice and carol, as another program makes it."""
    readers = [word for name in ("alice", "carol") for word in ("-r", team.people[name].fingerprint)]
    return team.run("carol", "gpg", "--batch", "-q", "--trust-model", "always", "-e", *readers, input=plaintext).out


def test_a_value_that_was_called_new_and_is_not_is_found_by_comparing(team: Team) -> None:
    """carol is careless, or worse: her commit says that the value is new."""
    team.clave("alice", "team", "remove", "bob", "--sure")
    team.clave("carol", "sync")
    team.sign_as("carol")
    (team.stores["carol"] / "web.gpg").write_bytes(sealed(team, b"web-secret\nuser: shop\n"))
    team.git("carol", "commit", "-qam", "Edit\n\nClave-Op: edit\nClave-Change: value web.gpg")
    team.clave("carol", "sync")
    team.clave("alice", "sync")
    assert "web" not in listed(team, "bob")
    assert listed(team, "bob", "--deep")["web"]["how"] == "read"
    # And what another program wrote is settled: nobody said that it is new, and it is.
    (team.stores["carol"] / "team/wifi.gpg").write_bytes(sealed(team, b"other\n"))
    team.git("carol", "commit", "-qam", "Edit password for team/wifi using vim.")
    team.clave("carol", "sync")
    team.clave("alice", "sync")
    assert "team/wifi" in listed(team, "bob")
    assert "team/wifi" not in listed(team, "bob", "--deep")


def test_a_page_to_hand_on(team: Team, tmp_path: Path) -> None:
    team.clave("alice", "policy", "set", "web", "owner=ops", "driver=manual")
    team.clave("alice", "team", "remove", "bob", "--sure")
    page = tmp_path / "page.html"
    done = team.clave("alice", "exposure", "bob", "--html", str(page), code=1)
    assert b"web  could read it since " in done.out
    assert b" [ops, driver manual]" in done.out
    text = page.read_text()
    assert "<td>ops</td><td>manual</td>" in text
    assert "<td>web</td>" in text
    assert "web-secret" not in text
    one_line(team.clave("alice", "exposure", "bob", "--html", str(page), code=None), 2)


def test_a_store_that_pass_alone_has_written(
    people: Callable[..., list[Person]], clave: Run, run_pass: Run, tmp_path: Path
) -> None:
    """Whoever once stood in `.gpg-id` is found by the keys that old versions are encrypted to."""
    alice, bob = people("alice", "bob")
    store = tmp_path / "store"
    assert run_pass(alice, store, "init", alice.fingerprint, bob.fingerprint).code == 0
    assert run_pass(alice, store, "git", "init").code == 0
    for name in ("old", "kept"):
        assert run_pass(alice, store, "insert", "-m", name, input=b"secret\n").code == 0
    assert run_pass(alice, store, "init", alice.fingerprint).code == 0
    assert run_pass(alice, store, "insert", "-m", "later", input=b"secret\n").code == 0
    assert run_pass(alice, store, "mv", "old", "moved").code == 0

    def known(*who: str) -> set[str]:
        done = clave(alice, store, "exposure", *who, "--json")
        return {each["name"] for each in json.loads(done.out)["values"]}

    assert known("bob") == known("--former") == {"moved", "kept"}
    assert run_pass(alice, store, "insert", "-m", "-f", "moved", input=b"new\n").code == 0
    assert run_pass(alice, store, "generate", "-f", "kept").code == 0
    assert known("bob") == known("--former") == set()


def test_a_store_without_a_past(alice: Person, clave: Run, run_pass: Run, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert run_pass(alice, store, "init", alice.fingerprint).code == 0
    assert "no history" in one_line(clave(alice, store, "exposure", "--former"), 7)


def test_a_rotation_that_a_leaver_could_read_is_known_to_them_when_it_is_ended(team: Team, tmp_path: Path) -> None:
    driver, closed = tmp_path / "driver", tmp_path / "closed"
    driver.write_text(f"#!/bin/sh\ncat >/dev/null\n[ $1 != set ] || [ ! -e {closed} ] || exit 75\n")
    driver.chmod(0o755)
    closed.touch()
    team.clave("alice", "config", "set", "drivers.it", str(driver))
    team.clave("alice", "rotate", "-d", "command:it", "web", code=75)
    team.clave("alice", "team", "remove", "bob", "--sure")
    closed.unlink()
    team.clave("alice", "rotate", "--resume", "--as-begun", "web")
    assert "web" in listed(team, "bob")
    assert listed(team, "bob", "--deep")["web"]["partly"] is False
    team.clave("alice", "rotate", "-d", "command:it", "web")
    assert "web" not in listed(team, "bob")


def test_who_leaves_has_not_accepted_what_they_know(team: Team) -> None:
    """bob may write the entry, and has prepared his leaving."""
    blob = team.git("bob", "rev-parse", "HEAD:web.gpg").out.decode().strip()
    path = team.stores["bob"] / ".clave/accepted/web"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"format": 1, "blob": blob, "who": ["bob", "carol"], "reason": "it is fine"}))
    team.sign_as("bob")
    team.git("bob", "add", "-A")
    team.git("bob", "commit", "-qm", "Accept that web stays as it is.")
    team.clave("bob", "sync")
    team.clave("alice", "sync")
    team.clave("alice", "team", "remove", "bob", "--sure")
    assert listed(team, "bob")["web"]["accepted"] == ""
    assert listed(team, "carol")["web"]["accepted"] == "it is fine"
