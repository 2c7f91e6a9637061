"""The keys of members: added, renewed, replaced, made for a machine; and what a bad one stops."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clave.openpgp import certificates
from clave.openpgp.packets import inspect
from tests.cli.reading import on_terminal
from tests.conftest import Person, forget, make_person
from tests.openpgp.smith import DAY, Smith
from tests.teams import crew, founded, team

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clave.openpgp.components import Certificate
    from tests.conftest import Output
    from tests.teams import Team

__all__ = ["crew", "founded", "team"]


@pytest.fixture
def gina() -> Iterator[Smith]:
    """Somebody whose keys were made ten days ago; her own key is the first of `keys`."""
    person = make_person("gina")
    yield Smith(person)
    forget(person)


class Guest:
    """Gina in a team: `key` is her key there."""

    def __init__(self, team: Team, smith: Smith, key: str, role: str = "member") -> None:
        self.team, self.smith, self.key = team, smith, key
        team.people = {**team.people, "gina": smith.person}
        file = self.file()
        team.clave("alice", "team", "add", "gina", file, "--fingerprint", key)
        team.clave("alice", "grant", "gina", "team", "--write", "--sure")
        if role == "admin":
            team.clave("alice", "team", "role", "gina", "admin", "--sure")
        self.push("alice")
        team.join("gina")

    def file(self, key: str = "") -> str:
        """Return a file with the public key as it is now."""
        path = self.team.folder / "gina.asc"
        path.write_bytes(self.smith.armored(key or self.key))
        return str(path)

    def push(self, who: str) -> None:
        """Let the others have what somebody has made."""
        self.team.git(who, "push", "-q")
        for other in self.team.stores:
            if other != who:
                self.team.git(other, "pull", "-q", "--ff-only")

    def recipients(self, name: str = "team/wifi") -> list[str]:
        return inspect((self.team.stores["alice"] / f"{name}.gpg").read_bytes()).recipients

    def in_store(self) -> Certificate:
        found = certificates.read((self.team.stores["alice"] / ".public-keys" / self.key).read_bytes())
        assert found is not None
        return found

    def plant(self, data: bytes, who: str = "alice") -> None:
        """Have an admin put a copy of the key into the store, by plain git."""
        (self.team.stores[who] / ".public-keys" / self.key).write_bytes(data)
        self.team.git(who, "config", "gpg.format", "openpgp")
        key = self.key if who == "gina" else self.team.people[who].fingerprint
        self.team.git(who, "commit", "-qam", "A copy of a key", f"-S{key}")
        self.push(who)


def said(done: Output) -> str:
    return done.err.decode()


def stop_line(team: Team, who: str, *args: str, code: int, input: bytes = b"x\n") -> str:
    """Run a command that is refused; return the one line that it says. Nothing is changed."""
    team.clave(who, "verify")  # what a pull has brought is known then
    head, pin = team.head(who), team.pin(who)
    done = team.clave(who, *args, input=input, code=code)
    assert (done.out, team.head(who), team.pin(who)) == (b"", head, pin)
    assert team.git(who, "status", "--porcelain").out == b""
    lines = said(done).splitlines()
    assert len(lines) == 1, lines
    return lines[0]


# Another key.


def test_an_admin_adds_a_second_key_of_their_own(team: Team, gina: Smith) -> None:
    """Gina, admin, has a second key: what she reads is encrypted to both, and nothing else changes."""
    guest = Guest(team, gina, gina.person.fingerprint, role="admin")
    other = gina.key("rsa2048", "cert,sign,encr")
    web = (team.stores["gina"] / "web.gpg").read_bytes()
    before = guest.recipients()
    shown = team.clave("gina", "key", "add", other, "--dry-run")
    assert other in said(shown)
    assert "1 entry" in said(shown)
    team.clave("gina", "key", "add", other, "--sure")
    guest.push("gina")
    assert sorted(guest.recipients()) == sorted([*before, other[-16:]])
    assert (team.stores["gina"] / "web.gpg").read_bytes() == web
    assert team.git("gina", "log", "--format=%G?", "-1").out == b"G\n"
    done = team.clave("gina", "key", "add", other, "--sure", code=2)
    assert "one of gina already" in said(done)


def test_one_of_their_other_keys_is_chosen(team: Team, gina: Smith) -> None:
    guest = Guest(team, gina, gina.person.fingerprint, role="admin")
    other = gina.key("rsa2048", "cert,sign,encr")
    with on_terminal(gina.person, team.stores["gina"], "key", "add") as terminal:
        terminal.expect(f"1  {other}")
        terminal.expect("2  make a new key")
        terminal.sendline("1")
        terminal.expect("Do that")
        terminal.sendline("y")
        terminal.expect("Done in roster")
    guest.push("gina")
    assert other[-16:] in guest.recipients()


def test_a_member_is_told_what_an_admin_has_to_do(team: Team, gina: Smith) -> None:
    guest = Guest(team, gina, gina.person.fingerprint)
    other = gina.key("rsa2048", "cert,sign,encr")
    line = stop_line(team, "gina", "key", "add", other, code=6)
    assert "alice" in line
    assert f"gpg --export --armor {other} > gina.asc" in line
    assert "clave team key add gina gina.asc" in line
    # And that works.
    team.clave("alice", "team", "key", "add", "gina", guest.file(other), "--fingerprint", other, "--sure")
    guest.push("alice")
    assert other[-16:] in guest.recipients()
    assert team.clave("gina", "show", "team/wifi").out == b"wifi\n"


def test_a_key_that_is_not_theirs(team: Team, gina: Smith) -> None:
    guest = Guest(team, gina, gina.person.fingerprint, role="admin")
    assert "no secret key" in stop_line(team, "gina", "key", "add", "0" * 40, code=2)
    assert "without a terminal" not in stop_line(team, "gina", "key", "add", code=2)
    bob = team.people["bob"].fingerprint
    file = team.folder / "bob.asc"
    file.write_bytes(team.people["bob"].gpg("--armor", "--export", bob))
    refused = stop_line(team, "alice", "team", "key", "add", "gina", str(file), "--fingerprint", bob, code=2)
    assert f"{bob} is bob's" in refused
    other = gina.key()  # without encryption subkey
    words = ("team", "key", "add", "gina", guest.file(other), "--fingerprint", other, "--sure")
    assert "has no encryption subkey" in stop_line(team, "alice", *words, code=5)
    words = ("team", "key", "add", "gina", str(file), "--fingerprint", "1" * 40, "--sure")
    stop_line(team, "alice", *words, code=2)


def test_the_words_of_a_new_key_are_asked_for(team: Team, gina: Smith) -> None:
    guest = Guest(team, gina, gina.person.fingerprint)
    other = gina.key("rsa2048", "cert,sign,encr")
    done = team.clave("alice", "team", "key", "add", "gina", guest.file(other), "--sure", code=2)
    assert "words:" in said(done)
    assert "--fingerprint" in said(done).splitlines()[-1]
    words = ("team", "key", "add", "gina", guest.file(other), "--fingerprint", "1" * 40, "--sure")
    assert f"the key is {other}" in said(team.clave("alice", *words, code=6))
    head = team.head("alice")
    person, store = team.people["alice"], team.stores["alice"]
    with on_terminal(person, store, "team", "key", "add", "gina", guest.file(other)) as terminal:
        terminal.expect("Are these the words that gina has")
        terminal.sendline("n")
        terminal.expect("nothing was changed")
    assert team.head("alice") == head
    with on_terminal(person, store, "team", "key", "add", "gina", guest.file(other)) as terminal:
        terminal.expect("Are these the words that gina has")
        terminal.sendline("y")
        terminal.expect("Do that")
        terminal.sendline("y")
        terminal.expect("Done in roster")
    assert team.head("alice") != head


# A newer copy.


def test_a_member_publishes_a_later_expiry(team: Team, gina: Smith) -> None:
    key = gina.key("rsa2048", "cert,sign,encr", "20d", ago=10 * DAY)
    guest = Guest(team, gina, key)
    team.clave("gina", "insert", "-m", "team/new", input=b"x\n")  # signed by the old copy
    guest.push("gina")
    assert said(team.clave("gina", "key", "renew")) == ("Nothing to do: there is nothing newer in your keyring.\n")
    gina.extend(key, "3y")
    team.clave("gina", "key", "renew", "--dry-run")
    assert guest.in_store().expires == gina.now + 10 * DAY
    team.clave("gina", "key", "renew")
    guest.push("gina")
    expires = guest.in_store().expires
    assert expires is not None
    assert expires > gina.now + 1000 * DAY
    assert "Nothing to do" in said(team.clave("gina", "key", "renew"))
    # Signatures by the old copy stay good, and the new ones are.
    team.clave("gina", "insert", "-m", "team/newer", input=b"x\n")
    guest.push("gina")
    team.clave("alice", "verify", "--all")


def test_a_member_publishes_a_new_subkey_and_an_admin_takes_it(team: Team, gina: Smith) -> None:
    key = gina.key("rsa2048", ago=10 * DAY)
    old = gina.subkey(key, "rsa2048", "encr", ago=9 * DAY)
    guest = Guest(team, gina, key)
    new = gina.subkey(key, "cv25519", "encr")
    done = team.clave("gina", "key", "renew", code=1)
    assert "The store has it now" in said(done)
    assert "clave key renew gina" in said(done).splitlines()[-1]
    assert "alice" in said(done).splitlines()[-1]
    guest.push("gina")
    assert guest.in_store().encryption == {old[-16:], new[-16:]}
    assert old[-16:] in guest.recipients()
    team.clave("gina", "insert", "-m", "team/between", input=b"x\n")
    guest.push("gina")
    assert old[-16:] in guest.recipients("team/between")
    team.clave("alice", "key", "renew", "gina", "--sure")
    guest.push("alice")
    for name in ("team/wifi", "team/between"):
        assert new[-16:] in guest.recipients(name)
        assert old[-16:] not in guest.recipients(name)
        assert team.clave("gina", "show", name).code == 0
    assert b'enc_old = ["%s"]' % old[-16:].encode() in _roster(team)
    team.clave("alice", "verify", "--all")


def test_an_admin_renews_their_own_subkey_in_one_step(team: Team, gina: Smith) -> None:
    key = gina.key("rsa2048", ago=10 * DAY)
    old = gina.subkey(key, "rsa2048", "encr", ago=9 * DAY)
    guest = Guest(team, gina, key, role="admin")
    new = gina.subkey(key, "nistp256", "encr")
    gina.revoke_subkey(key, 1, 2)
    head = team.head("gina")
    team.clave("gina", "key", "renew", "--sure")
    assert team.git("gina", "rev-parse", "HEAD^").out.decode().strip() == head
    guest.push("gina")
    assert new[-16:] in guest.recipients()
    assert old[-16:] not in guest.recipients()


def test_a_new_signing_subkey_signs_only_when_the_store_has_it(team: Team, gina: Smith) -> None:
    """gpg would sign with the newest, which nobody else knows yet."""
    key = gina.key("rsa2048", "cert,sign,encr", ago=10 * DAY)
    guest = Guest(team, gina, key)
    signing = gina.subkey(key, "ed25519", "sign")
    team.clave("gina", "insert", "-m", "team/one", input=b"x\n")
    assert team.git("gina", "log", "--format=%GF", "-1").out.decode().strip() == key
    team.clave("gina", "key", "renew")
    team.clave("gina", "insert", "-m", "team/two", input=b"x\n")
    assert team.git("gina", "log", "--format=%GF", "-1").out.decode().strip() == signing
    guest.push("gina")
    team.clave("alice", "verify", "--all")


def test_another_key_is_no_newer_copy(team: Team, gina: Smith) -> None:
    guest = Guest(team, gina, gina.person.fingerprint)
    other = gina.key("rsa2048", "cert,sign,encr")
    line = stop_line(team, "alice", "key", "renew", "gina", guest.file(other), code=2)
    assert "clave team key replace gina" in line
    assert "no admin" in stop_line(team, "gina", "key", "renew", "bob", code=6)
    assert "no member" in stop_line(team, "alice", "key", "renew", "nobody", code=2)


# Another key instead of one.


def test_a_key_is_replaced(team: Team, gina: Smith) -> None:
    old = gina.person.fingerprint
    guest = Guest(team, gina, old)
    new = gina.key("rsa2048", "cert,sign,encr")
    words = ("team", "key", "replace", "gina", guest.file(new), "--fingerprint", new, "--lost", "--sure")
    team.clave("alice", *words)
    guest.push("alice")
    assert new[-16:] in guest.recipients()
    assert b'reason = "lost"' in _roster(team)
    # What the old key signs from now on nobody takes.
    gina.gpg("--yes", "--delete-secret-keys", new)
    assert "none of your keys" in stop_line(team, "gina", "insert", "-m", "team/x", code=6)
    team.clave("alice", "verify", "--all")


def test_one_of_several_keys_is_replaced(team: Team, gina: Smith) -> None:
    old = gina.person.fingerprint
    guest = Guest(team, gina, old)
    second, third = (gina.key("rsa2048", "cert,sign,encr") for _ in range(2))
    team.clave("alice", "team", "key", "add", "gina", guest.file(second), "--fingerprint", second, "--sure")
    words = ("team", "key", "replace", "gina", guest.file(third), "--fingerprint", third, "--sure")
    line = stop_line(team, "alice", *words, code=2)
    assert old in line
    assert second in line
    team.clave("alice", *words, "--old", second.lower())
    found = guest.recipients()
    assert third[-16:] in found
    assert second[-16:] not in found


def test_a_stolen_key_counts_up_to_a_commit(team: Team, gina: Smith) -> None:
    """A thief wrote with gina's key after alice's last commit: that is named, explained, and has to go."""
    guest = Guest(team, gina, gina.person.fingerprint)
    good = team.head("alice")
    team.clave("gina", "insert", "-m", "team/planted", input=b"evil\n")
    guest.push("gina")
    new = gina.key("rsa2048", "cert,sign,encr")
    words = ("team", "key", "replace", "gina", guest.file(new), "--fingerprint", new, "--stolen", "--sure")
    done = team.clave("alice", *words, code=2)
    assert f"--last-good {good}" in said(done).splitlines()[-1]
    assert "team/planted" in said(done)
    assert "believed" in said(done)
    assert "no commit 'nonsense'" in stop_line(team, "alice", *words, "--last-good", "nonsense", code=7)
    planted = team.head("gina")
    assert f"left by {planted[:12]}" in stop_line(team, "alice", *words, "--last-good", good, code=6)
    team.clave("alice", "rm", "-f", "team/planted")
    team.clave("alice", *words, "--last-good", good)
    guest.push("alice")
    assert f'last_good = "{good}"'.encode() in _roster(team)
    team.clave("alice", "verify", "--all")
    assert "only a stolen key" in stop_line(
        team, "alice", "team", "key", "replace", "bob", guest.file(), "--last-good", good, code=2
    )


def test_what_a_thief_left_is_brought_back_or_endorsed(team: Team, gina: Smith) -> None:
    """Gina may write where alice does not read: those files are not encrypted anew, and stay as the thief left them."""
    guest = Guest(team, gina, gina.person.fingerprint)
    team.clave("alice", "grant", "gina", "own", "--write", "--new", "--sure")
    team.clave("alice", "restrict", "own", "--sure")
    team.clave("alice", "revoke", "alice", "own", "--sure", code=None)
    team.clave("alice", "grant", "alice", "own", "--write-only", "--sure", code=None)
    guest.push("alice")
    team.clave("gina", "insert", "-m", "own/before", input=b"x\n")
    good = team.head("gina")
    team.clave("gina", "insert", "-m", "own/planted", input=b"evil\n")
    planted = team.head("gina")
    gina.extend(guest.key, "1y")
    team.clave("gina", "key", "renew")
    guest.push("gina")
    new = gina.key("rsa2048", "cert,sign,encr")
    words = ("team", "key", "replace", "gina", guest.file(new), "--fingerprint", new, "--stolen", "--sure")
    done = team.clave("alice", *words, "--last-good", good, code=6)
    last = said(done).splitlines()[-1]
    assert f"it keeps own/planted.gpg as it was left by {planted[:12]}" in last
    assert "--endorse" in last
    team.clave("alice", *words, "--last-good", good, "--endorse", planted, code=1)
    guest.push("alice")
    assert guest.in_store().expires is None
    team.clave("alice", "verify", "--all")


def test_up_to_where_a_stolen_key_counts_is_asked(team: Team, gina: Smith) -> None:
    guest = Guest(team, gina, gina.person.fingerprint)
    good = team.head("alice")
    team.clave("gina", "insert", "-m", "team/planted", input=b"evil\n")
    guest.push("gina")
    new = gina.key("rsa2048", "cert,sign,encr")
    words = ("team", "key", "replace", "gina", guest.file(new), "--fingerprint", new, "--stolen")
    words += ("--endorse", team.head("gina"))
    with on_terminal(team.people["alice"], team.stores["alice"], *words) as terminal:
        terminal.expect(re.escape(f"count? [{good[:12]}]"))
        terminal.sendline("")
        terminal.expect("Do that")
        terminal.sendline("y")
        terminal.expect("Done in roster")
    assert f'last_good = "{good}"'.encode() in _roster(team)


# A machine.


def test_a_machine_reads_what_it_may(team: Team, tmp_path: Path) -> None:
    runner = make_person("runner")
    try:
        before = _in_ram()
        done = team.clave("alice", "team", "machine", "ci", "--read", "team", "--sure")
        assert done.out.startswith(b"-----BEGIN PGP PRIVATE KEY BLOCK-----")
        assert done.out.endswith(b"-----END PGP PRIVATE KEY BLOCK-----\n")
        assert _in_ram() == before
        assert b"PRIVATE" not in team.people["alice"].gpg("--armor", "--export", "ci")
        assert b'role = "machine"' in _roster(team)
        runner.gpg("--import", input=done.out)
        team.people = {**team.people, "ci": runner}
        team.git("alice", "push", "-q")
        team.join("ci")
        assert team.clave("ci", "show", "team/wifi").out == b"wifi\n"
        assert team.clave("ci", "show", "prod/db", code=4).out == b""
        assert "may not write" in said(team.clave("ci", "insert", "-m", "team/x", input=b"x\n", code=6))
        _nowhere(done.out, team, runner)
    finally:
        forget(runner)


def _nowhere(secret: bytes, team: Team, runner: Person) -> None:
    """The secret key is in no file of the admin's."""
    body = secret.split(b"\n\n", 1)[1].split(b"\n")[1]
    for folder in (team.folder, team.people["alice"].home, Path("/dev/shm")):
        for root, _, names in os.walk(folder):
            for name in names:
                path = Path(root) / name
                if path.is_file() and not path.is_symlink():
                    assert body not in path.read_bytes(), path


def _in_ram() -> set[str]:
    return {name for name in os.listdir("/dev/shm") if name.startswith("clave-")}


def test_a_machine_that_cannot_be_made_prints_nothing(team: Team) -> None:
    before = _in_ram()
    for words, code in (
        (("bob", "--read", "team", "--sure"), 2),
        (("Ci!", "--read", "team", "--sure"), 2),
        (("ci", "--read", "nowhere", "--sure"), 3),
        (("ci", "--read", "web", "--sure"), 2),
        (("ci", "--read", "team"), 2),
        (("ci", "--sure"), 2),
    ):
        head = team.head("alice")
        done = team.clave("alice", "team", "machine", *words, code=code)
        assert (done.out, team.head("alice")) == (b"", head)
    assert team.clave("bob", "team", "machine", "ci", "--read", "team", "--sure", code=6).out == b""
    assert team.clave("alice", "team", "machine", "ci", "--read", "team", "--dry-run").out == b""
    assert _in_ram() == before


def test_a_secret_key_is_not_shown_on_a_terminal(team: Team) -> None:
    head = team.head("alice")
    with on_terminal(team.people["alice"], team.stores["alice"], "team", "machine", "ci", "--read", "team") as terminal:
        terminal.expect("not shown on a terminal")
    assert team.head("alice") == head


def test_a_secret_key_that_cannot_be_written_is_told(team: Team) -> None:
    person, store = team.people["alice"], team.stores["alice"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            ["clave", "team", "machine", "ci", "--read", "team", "--sure"] if shutil.which("clave") else _clave_argv(),
            stdout=full, stderr=subprocess.PIPE, env=person.env(store), check=False,
        )  # fmt: skip
    assert done.returncode == 73
    assert b"clave team remove ci" in done.stderr.splitlines()[-1]


def _clave_argv() -> list[str]:
    import sys

    return [sys.executable, "-m", "clave", "team", "machine", "ci", "--read", "team", "--sure"]


# What a bad key stops, whose it is, and what mends it.


def expired(guest: Guest) -> bytes:
    """Return a copy of gina's key that has expired, and make her keyring's copy good again."""
    guest.smith.extend(guest.key, "2d", ago=9 * DAY)
    data = guest.smith.armored(guest.key)
    guest.smith.extend(guest.key, "never", ago=8 * DAY)
    return data


def test_an_expired_key_stops_what_its_owner_reads(team: Team, gina: Smith) -> None:
    key = gina.key("rsa2048", "cert,sign,encr", ago=10 * DAY)
    guest = Guest(team, gina, key)
    guest.plant(expired(guest))
    line = stop_line(team, "alice", "insert", "-m", "team/x", code=5)
    assert f"the key {key} of gina expired on" in line
    assert "clave key renew gina KEYFILE" in line
    team.clave("alice", "insert", "-m", "prod/x", input=b"x\n")  # which gina does not read
    # She herself cannot sign any more, and is told how it goes on.
    line = stop_line(team, "gina", "key", "renew", code=6)
    assert "alice" in line
    assert "clave key renew gina KEYFILE" in line
    line = stop_line(team, "gina", "insert", "-m", "team/x", code=5)
    assert "clave key renew gina KEYFILE" in line
    overview = said(team.clave("alice", "team"))
    assert f"the key {key} of gina expired on" in overview
    assert "clave key renew gina KEYFILE" in overview
    # What is said helps.
    team.clave("alice", "key", "renew", "gina", guest.file())
    guest.push("alice")
    team.clave("alice", "insert", "-m", "team/x", input=b"x\n")
    assert key[-16:] in guest.recipients("team/x")
    guest.push("alice")
    team.clave("gina", "insert", "-m", "team/y", input=b"x\n")


OTP = b"otpauth://totp/x?secret=JBSWY3DPEHPK3PXP\n"


def test_every_write_that_needs_a_bad_key_is_stopped(team: Team, gina: Smith) -> None:
    """And everything else goes on: reading, removing, writing where she does not read."""
    guest = Guest(team, gina, gina.key("rsa2048", "cert,sign,encr", ago=10 * DAY))
    team.clave("alice", "set", "team/wifi", "user", input=b"before\n")
    team.clave("alice", "set", "team/wifi", "user", input=b"after\n")
    guest.push("alice")
    guest.plant(expired(guest))
    for words, data in (
        (("insert", "-m", "team/x"), b"x\n"),
        (("insert", "-m", "-f", "team/wifi"), b"x\n"),
        (("generate", "team/x"), b""),
        (("generate", "-i", "team/wifi"), b""),
        (("set", "team/wifi", "user"), b"x\n"),
        (("mv", "web", "team/web"), b""),
        (("cp", "web", "team/web"), b""),
        (("otp", "insert", "team/otp"), OTP),
        (("restore", "team/wifi", "-1"), b""),
        (("grant", "gina", "prod", "--sure"), b""),
        (("team", "remove", "carol", "--sure"), b""),
    ):
        head = team.head("alice")
        done = team.clave("alice", *words, input=data, code=5)
        last = said(done).splitlines()[-1]
        assert f"the key {guest.key} of gina expired on" in last, words
        assert "clave key renew gina KEYFILE" in last, words
        assert team.head("alice") == head, words
        assert team.git("alice", "status", "--porcelain").out == b"", words
    assert team.clave("alice", "show", "team/wifi#user").out == b"after\n"
    assert team.clave("gina", "show", "team/wifi#user").out == b"after\n"
    team.clave("alice", "insert", "-m", "prod/x", input=b"x\n")
    team.clave("alice", "rm", "-f", "team/wifi")


def test_an_expired_subkey_its_owner_renews(team: Team, gina: Smith) -> None:
    key = gina.key("rsa2048", ago=10 * DAY)
    subkey = gina.subkey(key, "rsa2048", "encr", ago=9 * DAY)
    guest = Guest(team, gina, key)
    gina.extend(key, "2d", subkey, ago=8 * DAY)
    guest.plant(gina.armored(key))
    line = stop_line(team, "alice", "insert", "-m", "team/x", code=5)
    assert f"the key {key} of gina has an encryption subkey that expired on" in line
    assert line.endswith("and then: clave key renew.")
    assert "expired" in stop_line(team, "gina", "key", "renew", code=5)
    gina.extend(key, "1y", subkey, ago=7 * DAY)
    team.clave("gina", "key", "renew")
    guest.push("gina")
    team.clave("alice", "insert", "-m", "team/x", input=b"x\n")
    assert subkey[-16:] in guest.recipients("team/x")


def test_the_only_admin_with_an_expired_key(team: Team, gina: Smith, tmp_path: Path) -> None:
    """Nobody can publish the extended key for her: she does, with a clock from when the old copy was valid."""
    guest = Guest(team, gina, gina.key("rsa2048", "cert,sign,encr", ago=10 * DAY), role="admin")
    team.clave("gina", "team", "role", "alice", "member", "--sure")
    guest.push("gina")
    old = expired(guest)
    guest.plant(old, who="gina")
    line = stop_line(team, "gina", "key", "renew", code=6)
    assert "clock" in line
    assert "alice" not in line
    clock = gina.now - 8 * DAY
    wrapper = tmp_path / "gpg"
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("gpg")} --faked-system-time {clock}! "$@"\n')
    wrapper.chmod(0o755)
    script = f"import sys, time; time.time = lambda: {clock}; from clave.fast import main; sys.exit(main(sys.argv[1:]))"
    team.run("gina", sys.executable, "-c", script, "key", "renew", PATH=f"{tmp_path}:{os.environ['PATH']}")
    guest.push("gina")
    team.clave("gina", "insert", "-m", "team/x", input=b"x\n")
    guest.push("gina")
    team.clave("alice", "verify", "--all")


def test_a_revoked_key_is_replaced(team: Team, gina: Smith) -> None:
    key = gina.key("rsa2048", "cert,sign,encr", ago=10 * DAY)
    guest = Guest(team, gina, key)
    gina.revoke(key, 1)
    guest.plant(gina.armored(key))
    line = stop_line(team, "alice", "set", "team/wifi", "user", code=5)
    assert f"the key {key} of gina is revoked" in line
    assert "clave team key replace gina KEYFILE" in line
    new = gina.key("rsa2048", "cert,sign,encr")
    team.clave("alice", "team", "key", "replace", "gina", guest.file(new), "--fingerprint", new, "--sure")
    team.clave("alice", "set", "team/wifi", "user", input=b"x\n")
    assert new[-16:] in guest.recipients()


def test_two_revoked_keys_do_not_lock_each_other_in(team: Team, gina: Smith) -> None:
    """Neither can be replaced while the other one reads; both go at once, and come back with new keys."""
    key = gina.key("rsa2048", "cert,sign,encr", ago=10 * DAY)
    guest = Guest(team, gina, key)
    other = gina.key("rsa2048", "cert,sign,encr", ago=10 * DAY)
    file = team.folder / "dora.asc"
    file.write_bytes(gina.armored(other))
    team.clave("alice", "team", "add", "dora", str(file), "--fingerprint", other)
    team.clave("alice", "grant", "dora", "team", "--sure")
    for each in (key, other):
        gina.revoke(each, 1)
        (team.stores["alice"] / ".public-keys" / each).write_bytes(gina.armored(each))
    guest.plant(gina.armored(key))
    new = gina.key("rsa2048", "cert,sign,encr")
    words = ("team", "key", "replace", "gina", guest.file(new), "--fingerprint", new, "--sure")
    assert f"the key {other} of dora is revoked" in stop_line(team, "alice", *words, code=5)
    assert f"the key {key} of gina is revoked" in said(team.clave("alice", "team", "remove", "dora", "--sure", code=5))
    done = team.clave("alice", "team", "remove", "gina", "dora", "--sure")
    assert "gina can open it for ever" in said(done)
    assert "dora can open it for ever" in said(done)
    team.clave("alice", "team", "add", "gina", guest.file(new), "--fingerprint", new)
    team.clave("alice", "grant", "gina", "team", "--sure")
    assert new[-16:] in guest.recipients()
    assert "'nobody' is no member" in stop_line(team, "alice", "team", "remove", "bob", "nobody", "--sure", code=2)
    team.clave("alice", "verify", "--all")


def test_a_subkey_that_was_exchanged_waits_for_an_admin(team: Team, gina: Smith) -> None:
    key = gina.key("rsa2048", ago=10 * DAY)
    gina.subkey(key, "rsa2048", "encr", ago=9 * DAY)
    guest = Guest(team, gina, key)
    new = gina.subkey(key, "nistp256", "encr")
    gina.revoke_subkey(key, 1, 1)
    team.clave("gina", "key", "renew", code=1)
    guest.push("gina")
    line = stop_line(team, "alice", "insert", "-m", "team/x", code=5)
    assert f"the key {key} of gina has no valid encryption subkey that the roster knows" in line
    assert "clave key renew gina." in line
    team.clave("alice", "key", "renew", "gina", "--sure")
    team.clave("alice", "insert", "-m", "team/x", input=b"x\n")
    assert new[-16:] in guest.recipients("team/x")


def test_a_key_that_ends_soon_is_warned_of(team: Team, gina: Smith) -> None:
    key = gina.key("rsa2048", "cert,sign,encr", "20d")
    guest = Guest(team, gina, key)
    for words in (("insert", "-m", "team/x"), ("generate", "team/y"), ("set", "team/x", "user")):
        done = team.clave("alice", *words, input=b"x\n")
        warnings = [line for line in said(done).splitlines() if "expires on" in line]
        assert len(warnings) == 1, said(done)
        assert "the key of gina expires on" in warnings[0]
        assert "clave key renew" in warnings[0]
    assert "expires on" not in said(team.clave("alice", "insert", "-m", "web2", input=b"x\n"))
    assert "of gina expires on" in said(team.clave("alice", "team"))
    gina.extend(key, "40d")
    team.clave("alice", "key", "renew", "gina", guest.file())
    assert "expires on" not in said(team.clave("alice", "insert", "-m", "-f", "team/x", input=b"x\n"))


def _roster(team: Team, who: str = "alice") -> bytes:
    folder = team.stores[who] / ".clave" / "roster"
    return max(folder.glob("*.toml")).read_bytes()
