"""`clave rekey`, `clave rekey --check` and `clave ls --recipients`."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import User
from tests.conftest import forget, make_person

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Person, Run


def by_hand(me: User, path: str, *ids: str) -> None:
    """Give a folder other recipients, as somebody with an editor would."""
    (me.store / path).write_text("".join(f"{each}\n" for each in ids))
    me.git("add", "-A")
    me.git("commit", "-qm", "by hand")


def put(me: User, name: str, *options: str) -> None:
    """Store a message of gpg's own making."""
    message = me.person.gpg("-e", "--trust-model", "always", *options, input=b"canary\n")
    (me.store / f"{name}.gpg").write_bytes(message)
    me.git("add", "-A")
    me.git("commit", "-qm", "by hand")


def test_all_is_as_it_should_be(me: User) -> None:
    done = me.ok("rekey", "--check")
    assert (done.out, done.err) == (b"", b"")
    assert me.ok("rekey").err == b"Every entry is encrypted as it should be.\n"
    assert json.loads(me.ok("rekey", "--check", "--json").out) == {
        "version": 1,
        "entries": 4,
        "differences": [],
        "problem": None,
    }


def test_a_reader_who_was_added_by_hand(me: User, team: tuple[Person, Person], subkey: Callable[[str], str]) -> None:
    alice, bob = team
    by_hand(me, ".gpg-id", alice.fingerprint, bob.fingerprint)
    commits = len(me.subjects())
    done = me.run("rekey", "--check")
    bobs = f"Bob <{bob.email}>"
    assert (done.code, done.out.decode().splitlines()) == (
        1,
        [f"{n}: not for {bobs}" for n in ("plain", "web/bin", "web/site")],
    )
    assert done.err == (
        b"Error: 3 of 4 entries have other recipients than the .gpg-id says. Encrypt them anew: clave rekey.\n"
    )
    found = json.loads(me.run("rekey", "--check", "--json", "plain").out)
    (difference,) = found["differences"]
    reader = {"key_id": subkey("bob"), "fingerprint": bob.fingerprint, "user_id": bobs}
    assert difference == {"name": "plain", "lacking": [reader], "extra": [], "hidden": 0, "flaw": None}
    assert me.ok("rekey", "web").err == b"2 entries encrypted anew\n"
    assert me.ok("rekey", "plain").err == b"1 entry encrypted anew\n"
    both = f"{alice.fingerprint}, {bob.fingerprint}"
    assert me.subjects()[:2] == [
        f"Reencrypt password store using new GPG id {both} (plain).",
        f"Reencrypt password store using new GPG id {both} (web).",
    ]
    assert len(me.subjects()) == commits + 2
    assert me.git("show", "--stat", "--format=%(trailers)").count("Clave-Change: rekey plain.gpg") == 1
    assert me.readers("web/bin") == me.readers("plain") == {subkey("alice"), subkey("bob")}
    assert me.read("web/bin") == bytes(range(256)) * 3
    assert me.git("status", "--porcelain") == ""
    me.ok("rekey", "--check")


def test_one_who_can_still_read(me: User, team: tuple[Person, Person]) -> None:
    alice, bob = team
    by_hand(me, "team/.gpg-id", alice.fingerprint)
    done = me.run("rekey", "--check", "team")
    assert (done.code, done.out.decode()) == (1, f"team/db: also for Bob <{bob.email}>\n")
    me.ok("rekey")
    me.ok("rekey", "--check")


def test_strange_recipients(me: User, team: tuple[Person, Person]) -> None:
    alice, bob = team
    put(me, "hidden", "-r", alice.fingerprint, "--hidden-recipient", bob.fingerprint)
    put(me, "unknown", "-r", alice.fingerprint, "-r", bob.fingerprint)
    strange = (
        (me.store / "unknown.gpg")
        .read_bytes()
        .replace(bytes.fromhex(encryption_key(bob)), bytes.fromhex("0123456789ABCDEF"))
    )
    (me.store / "unknown.gpg").write_bytes(strange)
    (me.store / "text.gpg").write_text("no message")
    lines = me.run("rekey", "--check").out.decode().splitlines()
    assert lines == [
        "hidden: also for 1 hidden recipient",
        "text: it is not an OpenPGP message",
        "unknown: also for the unknown key 0123456789ABCDEF",
    ]
    rows = {row["name"]: row for row in json.loads(me.ok("ls", "--recipients", "--json").out)["entries"]}
    assert (rows["hidden"]["hidden"], len(rows["hidden"]["recipients"])) == (1, 1)
    assert rows["unknown"]["recipients"][1] == {"key_id": "0123456789ABCDEF", "fingerprint": None, "user_id": None}
    assert rows["text"]["flaw"]


def encryption_key(person: Person) -> str:
    listing = person.gpg("--list-keys", "--with-colons", person.fingerprint).decode()
    return next(line.split(":")[4] for line in listing.splitlines() if line.startswith("sub:"))


def test_who_can_read_what(me: User, team: tuple[Person, Person]) -> None:
    alice, bob = (f"{person.name.capitalize()} <{person.email}>" for person in team)
    assert me.ok("ls", "--recipients").out.decode().splitlines() == [
        f"plain: {alice}",
        f"team/db: {alice}, {bob}",
        f"web/bin: {alice}",
        f"web/site: {alice}",
    ]
    assert me.ok("ls", "--recipients", "team/").out.decode() == f"team/db: {alice}, {bob}\n"
    assert "exclude each other" in me.refused(2, "ls", "--recipients", "--flat")


def test_a_new_subkey_of_a_reader(clave: Run, tmp_path: Path) -> None:
    """The old one still opens the entries; what is missing is told of the same person."""
    dora = make_person("dora")
    try:
        me = User(dora, tmp_path / "store", clave)
        me.ok("init", dora.fingerprint)
        me.ok("insert", "x", input=b"canary\n")
        time.sleep(1.1)  # of two subkeys of one second there is no newest
        dora.gpg("--passphrase", "", "--quick-add-key", dora.fingerprint, "cv25519", "encr", "never")
        done = me.run("rekey", "--check")
        assert (done.code, done.out.decode()) == (1, f"x: for another key of Dora <{dora.email}>\n")
        old = me.readers("x")
        me.ok("rekey")
        assert len(me.readers("x") | old) == 2
        me.ok("rekey", "--check")
    finally:
        forget(dora)


def test_an_alias_of_a_folder_is_left_alone(me: User, team: tuple[Person, Person]) -> None:
    """Its entries are those of another folder, whose recipients hold: else the two would take turns."""
    alice, bob = team
    (me.store / "team/alias").symlink_to("../web")
    me.git("add", "-A")
    me.git("commit", "-qm", "alias")
    me.ok("rekey", "--check")
    assert me.ok("rekey").err == b"Every entry is encrypted as it should be.\n"
    assert b"entr" not in me.ok("init", "-p", "team", alice.fingerprint, bob.fingerprint).err


def test_an_alias_of_an_entry_is_left_alone(me: User) -> None:
    (me.store / "alias.gpg").symlink_to("team/db.gpg")
    for words in (["--check"], ["--check", "alias"], ["alias"]):
        me.ok("rekey", *words)


def test_a_pipe_in_the_place_of_an_entry(me: User, team: tuple[Person, Person]) -> None:
    """It must not make anybody wait for whoever writes to it."""
    os.mkfifo(me.store / "web/pipe.gpg")
    assert b"web/pipe: the file of web/pipe is not an ordinary file" in me.run("rekey", "--check", "web").out
    done = me.run("init", "-p", "web", team[1].fingerprint)
    assert (done.code, done.err.decode()[:30]) == (4, "Error: web/pipe is not a secret"[:30])


def test_nothing_is_decrypted_to_check(me: User, team: tuple[Person, Person]) -> None:
    bob = team[1]
    by_hand(me, ".gpg-id", bob.fingerprint)
    blocked = {"PASSWORD_STORE_GPG_OPTS": "--no-autostart --agent-program /nonexistent"}
    assert b"plain: not for Bob" in me.run("rekey", "--check", **blocked).out
    assert b"plain: Alice" in me.ok("ls", "--recipients", **blocked).out


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["wbe"], 3, "Did you mean 'web'?"),
        (["--check", "wbe"], 3, "Did you mean 'web'?"),
        (["../x"], 2, "leads out"),
        (["--json"], 2, "Add --check."),
    ],
)
def test_what_is_refused(me: User, words: list[str], code: int, why: str) -> None:
    assert why in me.refused(code, "rekey", *words)


def test_names_cannot_control_the_terminal(me: User) -> None:
    (me.store / "\x1b[2Jx.gpg").write_bytes(b"no message")
    for words in (["rekey", "--check"], ["rekey", "--check", "--json"], ["ls", "--recipients"]):
        done = me.run(*words)
        assert b"\x1b" not in done.out + done.err
