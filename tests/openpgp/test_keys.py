"""Which key an id means: what gpg itself would choose, or a refusal that says whose key, which, and why.

gpg is the judge: it encrypts to the id, and the message tells to which subkey.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from clave.errors import CannotEncrypt
from clave.openpgp import keys
from clave.openpgp.message import encrypt
from clave.openpgp.packets import inspect
from tests.conftest import Person, Run, forget, introduce, make_person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FAR = "20y"  # an expiry far enough that it plays no part


class World:
    """Keys of every kind, made by one person and known to alice, who has certified all but one."""

    def __init__(self) -> None:
        self.alice = make_person("alice")
        self.maker = make_person("maker")
        self.fingerprints: dict[str, str] = {}
        self.subkeys: dict[str, list[str]] = {}
        self._make()
        exported = self.maker.gpg("--export")
        self.alice.gpg("--import", input=exported)
        for name, fingerprint in self.fingerprints.items():
            if name not in ("untrusted", "expired", "revoked"):
                self.alice.gpg("--yes", "--quick-lsign-key", fingerprint)
        self.edit(self.fingerprints["disabled"], "disable")
        self.alice.gpg("--check-trustdb")

    def _make(self) -> None:
        self.make("bob", "Bob Baker <bob@example.org>", [])
        self.make("many", "Many Keys <many@example.org>", ["20200101T000000!", "20210101T000000!", "20200601T000000!"])
        self.make("half", "Half Expired <half@example.org>", ["20200101T000000!", "20210101T000000!"], [FAR, "1y"])
        self.make("once", "Once Valid <once@example.org>", ["20200101T000000!", "20210101T000000!"], ["1y", "2y"])
        self.make("gone", "Gone Subkey <gone@example.org>", ["20200101T000000!", "20210101T000000!"])
        self.edit(self.fingerprints["gone"], "key 2", "revkey", "y", "0", "", "y", person=self.maker)
        self.make("expired", "Expired Eve <expired@example.org>", ["20200101T000000!"], primary="1y")
        self.make("revoked", "Revoked Rob <revoked@example.org>", [])
        self.revoke(self.fingerprints["revoked"])
        self.make("disabled", "Disabled Dan <disabled@example.org>", [])
        self.make("untrusted", "Untrusted Ute <untrusted@example.org>", [])
        self.make("signer", "Signer Sam <signer@example.org>", None)
        self.make("rsa", "Old RSA <rsa@example.org>", None, algorithm="rsa2048", usage="sign,cert,encr")
        self.make("odd", "Col:on \\x3a Back\\slash Ünï <odd@example.org>", [])
        self.maker.gpg("--quick-add-uid", self.fingerprints["odd"], "Second: Čapek <second@example.org>")
        self.make("plain", "plain@example.org", [])
        self.make("twin1", "Twin One <twin@example.org>", [])
        self.make("twin2", "Twin Two <twin@example.org>", [])
        self.make("hex", "DEADBEEF <hex@example.org>", [])

    def make(
        self,
        name: str,
        user_id: str,
        subkeys: list[str] | None,
        expiries: list[str] | None = None,
        *,
        primary: str = "never",
        algorithm: str = "ed25519",
        usage: str = "cert,sign",
    ) -> None:
        """Make a key; `subkeys` are the times at which encryption subkeys were made, `[]`: one of now, None: none."""
        early = ("--faked-system-time", "20200101T000000!") if subkeys else ()
        before = set(self.listed())
        self.maker.gpg(*early, "--passphrase", "", "--quick-gen-key", user_id, algorithm, usage, primary)
        (fingerprint,) = [each for each in self.listed() if each not in before]
        self.fingerprints[name] = fingerprint
        times = [["--faked-system-time", time] for time in subkeys or ()] or [[]] * (subkeys is not None)
        for time, expiry in zip(times, expiries or ["never"] * len(times), strict=True):
            self.maker.gpg(*time, "--passphrase", "", "--quick-add-key", fingerprint, "cv25519", "encr", expiry)
        self.subkeys[name] = [each for each in self.listed(fingerprint) if each != fingerprint]

    def listed(self, *ids: str) -> list[str]:
        listing = self.maker.gpg("--list-keys", "--with-colons", *ids).decode()
        return [line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:")]

    def edit(self, fingerprint: str, *commands: str, person: Person | None = None) -> None:
        answers = "\n".join([*commands, "save", ""]).encode()
        argv = ["gpg", "--no-tty", "--quiet", "--command-fd", "0", "--edit-key", fingerprint]
        subprocess.run(argv, input=answers, env=(person or self.alice).env(), capture_output=True, check=True)

    def revoke(self, fingerprint: str) -> None:
        certificate = (self.maker.gnupg / "openpgp-revocs.d" / f"{fingerprint}.rev").read_bytes()
        self.maker.gpg("--import", input=certificate.replace(b":-----BEGIN", b"-----BEGIN"))

    def as_gpg(self, each: str, *options: str) -> set[str] | None:
        """Return the key ids that gpg encrypts to for an id, None where it refuses."""
        done = subprocess.run(
            ["gpg", "--batch", "--quiet", "--no-auto-key-locate", *options, "-e", "-r", each],
            input=b"x", env=self.alice.env(), capture_output=True,
        )  # fmt: skip
        return set(inspect(done.stdout).recipients) if done.returncode == 0 else None


@pytest.fixture(scope="module")
def made() -> Iterator[World]:
    world = World()
    yield world
    forget(world.alice)
    forget(world.maker)


@pytest.fixture
def world(made: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("GNUPGHOME", str(made.alice.gnupg))
    yield made
    (made.alice.gnupg / "gpg.conf").unlink(missing_ok=True)


def resolved(*ids: str) -> set[str] | None:
    try:
        return {recipient.key_id for recipient in keys.resolve(ids)}
    except CannotEncrypt:
        return None


PEOPLE = [
    "bob", "many", "half", "once", "gone", "expired", "revoked", "disabled", "untrusted", "signer", "rsa", "odd",
    "hex", "plain",
]  # fmt: skip


def forms(world: World, name: str) -> list[str]:
    """Return the ways to write an id that gpg(1) lists under "How to specify a user ID"."""
    fingerprint = world.fingerprints[name]
    subkeys = world.subkeys[name]
    every = [fingerprint, *subkeys]
    found = []
    for each in every:
        found += [each, f"0x{each}", each.lower(), each[-16:], f"0x{each[-16:]}", each[-8:], f"0x{each[-8:].lower()}"]
        found += [f"{each}!", f"0x{each[-16:]}!"]
    email = f"{name}@example.org"
    return [*found, email, f"<{email}>", email.upper(), f"<{email.title()}>", f"*{email[1:-2]}", email[:-4]]


@pytest.mark.parametrize("name", PEOPLE)
def test_as_gpg_chooses(world: World, name: str) -> None:
    for each in forms(world, name):
        assert resolved(each) == world.as_gpg(each), each


USABLE = {"bob", "many", "half", "gone", "rsa", "odd", "hex", "plain"}


def test_the_table_holds_both_kinds(world: World) -> None:
    """Or the test above would also pass if everything were refused."""
    assert {name for name in PEOPLE if resolved(world.fingerprints[name])} == USABLE


def test_which_subkey(world: World) -> None:
    for name, at in (("many", 1), ("half", 0), ("gone", 0)):
        (recipient,) = keys.resolve([f"{name}@example.org"])
        assert recipient.subkey == world.subkeys[name][at]
        assert recipient.fingerprint == world.fingerprints[name]
        assert recipient.key_id == recipient.subkey[-16:]
    (chosen,) = keys.resolve([f"{world.subkeys['many'][0]}!"])
    assert chosen.subkey == world.subkeys["many"][0]
    (whole,) = keys.resolve([world.subkeys["many"][0]])
    assert whole.subkey == world.subkeys["many"][1]


@pytest.mark.parametrize(
    "each",
    [
        "Bob Baker", "baker", "b", "=Bob Baker <bob@example.org>", "=Bob Baker", "=bob baker <bob@example.org>",
        "=Col:on \\x3a Back\\slash Ünï <odd@example.org>", "Col:on", "Back\\slash", "\\x3a", "Ünï", "ünï", "Čapek",
        "=Second: Čapek <second@example.org>", "<second@example.org>", "second@example.org", "example.org",
        "<bob@example.org", "<plain@example.org", "bob@example.org>", "nobody@example.org", "<ob@example.org>",
        "ob@example.org",
        "DEADBEEF", "0xDEADBEEF", "0123456789ABCDEF0123456789ABCDEF01234567", "*", "-x", "--version", "Twin One",
        "@odd", "@ample", "@Baker", "@bob@", "@plain", "<", "@", "=", "<>", "twin@example.org!", "bob!",
        "Bob Baker <bob@example.org>", "<BOB@EXAMPLE.ORG>", "0x", "!",
        "expired", "revoked@example.org", " bob@example.org",
    ],
    ids=str,
)  # fmt: skip
def test_pieces_of_user_ids(world: World, each: str) -> None:
    """Where gpg takes the first or the newest of several keys, clave refuses; else both do the same."""
    ours, theirs = resolved(each), world.as_gpg(each)
    if ours is None and theirs is not None:
        with pytest.raises(CannotEncrypt, match="fits several keys"):
            keys.resolve([each])
        assert len(world.listed(f"={each[1:]}" if each.startswith("=") else each)) > 2
    else:
        assert ours == theirs


def test_look_alikes_are_refused_and_both_named(world: World) -> None:
    assert world.as_gpg("twin@example.org")
    with pytest.raises(CannotEncrypt, match="fits several keys") as refused:
        keys.resolve(["twin@example.org"])
    for name in ("twin1", "twin2"):
        assert world.fingerprints[name] in refused.value.message
        assert resolved(world.fingerprints[name]) == {world.subkeys[name][0][-16:]}
    assert "fingerprint" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("expired", r"the key {fpr} \(Expired Eve <expired@example.org>\) expired on 2020-12-3|2021-01-01"),
        ("revoked", r"the key {fpr} \(Revoked Rob <revoked@example.org>\) is revoked"),
        ("disabled", r"the key {fpr} \(Disabled Dan <disabled@example.org>\) is disabled"),
        ("untrusted", r"the key {fpr} \(Untrusted Ute <untrusted@example.org>\) is not certified"),
        ("signer", r"the key {fpr} \(Signer Sam <signer@example.org>\) has no encryption subkey"),
        ("once", r"the encryption subkey of {fpr} \(Once Valid <once@example.org>\) expired on 202[123]-"),
    ],
)
def test_whose_key_and_why(world: World, clave: Run, tmp_path: Path, name: str, words: str) -> None:
    fingerprint = world.fingerprints[name]
    with pytest.raises(CannotEncrypt, match=words.format(fpr=fingerprint)) as refused:
        keys.resolve([world.fingerprints["bob"], fingerprint])
    assert refused.value.hint
    (tmp_path / ".gpg-id").write_text(f"{world.alice.fingerprint}\n{fingerprint}\n")
    done = clave(world.alice, tmp_path, "insert", "-m", "x", input=b"canary\n")
    assert (done.code, done.out, done.err.count(b"\n")) == (5, b"", 1)
    assert fingerprint.encode() in done.err
    assert not (tmp_path / "x.gpg").exists()


def test_every_recipient_that_fails_is_named(world: World) -> None:
    ids = ["nobody@example.org", "expired@example.org", "bob@example.org", "signer@example.org"]
    with pytest.raises(CannotEncrypt) as refused:
        keys.resolve(ids)
    for each in ("'nobody@example.org'", "Expired Eve", "Signer Sam"):
        assert each in refused.value.message
    assert "Bob" not in refused.value.message


def test_a_gpg_that_does_not_start_is_no_missing_key(world: World) -> None:
    with pytest.raises(CannotEncrypt, match="gpg does not list its keys") as refused:
        keys.resolve([world.fingerprints["bob"]], options=["--no-such-option"])
    assert "gpg.conf" in (refused.value.hint or "")


def test_a_subkey_that_is_none_or_signs_is_refused(world: World) -> None:
    for each in (f"{world.fingerprints['bob']}!", f"{world.subkeys['half'][1]}!", f"{world.subkeys['gone'][1]}!"):
        assert resolved(each) is None, each


def test_each_recipient_once(world: World) -> None:
    names = ["bob@example.org", world.fingerprints["many"], world.fingerprints["bob"], world.subkeys["bob"][0]]
    assert [recipient.id for recipient in keys.resolve(names)] == names[:2]


def test_groups(world: World) -> None:
    (world.alice.gnupg / "gpg.conf").write_text(
        f"group team = bob@example.org {world.fingerprints['many']}\ngroup one=half@example.org\ngroup nested=team\n"
        "group broken = bob@example.org nobody@example.org\ngroup Upper = bob@example.org\n"
    )
    for each in ("team", "one", "nested", "broken", "TEAM", "upper", "Upper"):
        assert resolved(each) == world.as_gpg(each), each
    assert resolved("team") == {world.subkeys["bob"][0][-16:], world.subkeys["many"][1][-16:]}


def test_trust_model_always(world: World) -> None:
    assert resolved("untrusted@example.org") is None
    for text in ("trust-model always\n", "always-trust\n", "trust-model=always\n", "# trust-model always\n"):
        (world.alice.gnupg / "gpg.conf").write_text(text)
        assert resolved("untrusted@example.org") == world.as_gpg("untrusted@example.org"), text


# What a gpg.conf cannot change


@pytest.mark.parametrize(
    "lines",
    [
        "throw-keyids", "armor", "textmode", "encrypt-to MANY", "hidden-encrypt-to MANY", "group BOB = MANY",
        "group SUB = MANY", "group SUB! = MANY", "default-recipient MANY", "hidden-recipient MANY", "recipient MANY",
        "disable-mdc\nrfc2440\ncipher-algo CAST5", "sign", "compress-algo bzip2", "comment x", "emit-version",
        "set-filename canary", "no-such-option", "symmetric",
    ],
    ids=str,
)  # fmt: skip
def test_gpg_conf_has_no_say_in_what_is_written(world: World, lines: str) -> None:
    recipients = keys.resolve([world.fingerprints["bob"]])
    for word, value in (("MANY", "many"), ("BOB", "bob")):
        lines = lines.replace(word, world.fingerprints[value])
    (world.alice.gnupg / "gpg.conf").write_text(lines.replace("SUB", world.subkeys["bob"][0]) + "\n")
    written = encrypt(b"one\ntwo\n", recipients)
    message = inspect(written)
    assert (message.recipients, message.data_tag) == ([world.subkeys["bob"][0][-16:]], 18)
    (world.alice.gnupg / "gpg.conf").unlink()
    assert world.maker.gpg("-d", input=written) == b"one\ntwo\n"


@pytest.mark.parametrize(
    "options",
    [
        "-r MANY", "-R MANY", "--throw-keyids", "--rfc2440 --disable-mdc --cipher-algo CAST5", "--no-such-option",
        "--symmetric --batch --pinentry-mode loopback --s2k-count 1024 --passphrase x",
    ],
)  # fmt: skip
def test_options_of_the_user_that_would_write_something_else(world: World, options: str) -> None:
    """PASSWORD_STORE_GPG_OPTS is the user's own, but what is stored is always a message to those asked for."""
    recipients = keys.resolve([world.fingerprints["bob"]])
    words = options.replace("MANY", world.fingerprints["many"]).split()
    with pytest.raises(CannotEncrypt) as refused:
        encrypt(b"canary\n", recipients, options=words)
    assert "canary" not in refused.value.line()


@pytest.mark.parametrize(
    "options",
    [
        "--group SUB!=MANY",
        "--group SUB=MANY",
        "--encrypt-to MANY",
        "--armor",
        "--textmode",
        "-z 9",
        "--trust-model pgp",
    ],
)
def test_options_of_the_user_that_change_nothing(world: World, options: str) -> None:
    recipients = keys.resolve([world.fingerprints["bob"]])
    words = options.replace("MANY", world.fingerprints["many"]).replace("SUB", world.subkeys["bob"][0]).split()
    written = encrypt(b"one\r\ntwo\n", recipients, options=words)
    assert inspect(written).recipients == [world.subkeys["bob"][0][-16:]]
    if options != "--textmode":
        assert world.maker.gpg("-d", input=written) == b"one\r\ntwo\n"


def test_the_subkey_that_was_chosen_is_the_one_that_is_used(world: World) -> None:
    for subkey in world.subkeys["many"]:
        assert inspect(encrypt(b"x", keys.resolve([f"{subkey}!"]))).recipients == [subkey[-16:]]


def test_a_recipient_that_is_gone_since_is_named(world: World) -> None:
    (bob,) = keys.resolve([world.fingerprints["bob"]])
    gone = bob._replace(subkey="0123456789ABCDEF0123456789ABCDEF01234567")
    with pytest.raises(CannotEncrypt, match=gone.subkey) as refused:
        encrypt(b"canary", [bob, gone])
    assert refused.value.hint


def test_an_unknown_address_is_not_looked_up(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """dirmngr would be the one that asks the network."""
    asked = tmp_path / "asked"
    dirmngr = tmp_path / "dirmngr"
    dirmngr.write_text(f"#!/bin/sh\ntouch {asked}\nexit 1\n")
    dirmngr.chmod(0o755)
    (world.alice.gnupg / "gpg.conf").write_text(
        f"auto-key-locate clear,local,wkd,keyserver\nauto-key-retrieve\ndirmngr-program {dirmngr}\n"
    )
    assert world.as_gpg("nobody@example.invalid", "--auto-key-locate", "wkd") is None
    assert asked.exists()
    asked.unlink()
    with pytest.raises(CannotEncrypt, match=re.escape("no public key for 'nobody@example.invalid'")):
        keys.resolve(["nobody@example.invalid"])
    with pytest.raises(CannotEncrypt):
        keys.resolve(["0123456789ABCDEF0123456789ABCDEF01234567"])
    assert not asked.exists()


def test_a_new_look_alike_in_the_keyring_does_not_matter_to_a_fingerprint(
    people: Callable[..., list[Person]], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = people("alice", "bob")
    monkeypatch.setenv("GNUPGHOME", str(alice.gnupg))
    before = resolved("bob@example.org")
    false = make_person("bob")
    try:
        alice.gpg("--import", input=false.gpg("--export"))
        assert resolved("bob@example.org") == before  # it is not certified
        introduce(alice, false)
        assert resolved("bob@example.org") is None
        assert resolved(bob.fingerprint) == before
    finally:
        forget(false)
