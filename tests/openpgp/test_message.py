"""One message, both ways a user can read it: what is no intact encrypted message gives exit 4 and not a byte.

Every file here holds a canary in its plaintext; nothing that clave writes may hold it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from clave.errors import BadMessage
from clave.openpgp.message import decrypt
from tests.conftest import Output, Person, Run, introduce, run_as
from tests.openpgp.resealing import first_packet, literal, reseal

if TYPE_CHECKING:
    from pathlib import Path

CANARY = b"canary-7f3a"
SECRET = CANARY + b"\nuser: alice\n"
FULL = "import sys; from clave.cli.main import main; sys.exit(main())"
# Flipped bits of a large message are tried at these places: its head, both ends of its data, and in between.
LARGE = 270_000
FLIPPED = (30, 100, 130, 2000, LARGE // 2, -30, -1)

# Ways to read an entry `x`; those with an editor or a write behind them are tried on some messages alone.
READING = [["x"], ["show", "--json", "x"], ["grep", "canary"]]
MORE_READING = [
    ["show", "x"], ["show", "x#user"], ["x#user"], ["show", "-c", "x"], ["show", "-q2", "x"], ["edit", "x"],
    ["set", "x", "user"], ["clip", "x"], ["otp", "x"], ["otp", "uri", "x"], ["generate", "-i", "x"],
    ["init", "FINGERPRINT", "BOB"],
]  # fmt: skip


class Places:
    """Alice, who reads, bob, whom she knows, mallory, whom she does not, and a store with one entry."""

    def __init__(self, people: Callable[..., list[Person]], store: Path) -> None:
        self.alice, self.bob = people("alice", "bob")
        (self.mallory,) = people("mallory")
        introduce(self.mallory, self.alice)
        self.store = store
        store.mkdir()
        (store / ".gpg-id").write_text(f"{self.alice.fingerprint}\n")

    def sealed(self, *options: str, by: Person | None = None, content: bytes = SECRET) -> bytes:
        return (by or self.alice).gpg(*options, "-e", "-r", self.alice.fingerprint, input=content)

    def signed(self, by: Person) -> bytes:
        return by.gpg("-z", "0", "-s", input=SECRET)

    def read(self, message: bytes, *words: str, full: bool = False, **env: str) -> Output:
        (self.store / "x.gpg").write_bytes(message)
        names = {"FINGERPRINT": self.alice.fingerprint, "BOB": self.bob.fingerprint}
        program = ["-c", FULL] if full else ["-m", "clave"]
        argv = [sys.executable, *program, *(names.get(word, word) for word in words)]
        return run_as(self.alice, self.store, argv, input=b"bob\n", EDITOR="touch", CLAVE_YES="1", **env)


@pytest.fixture(scope="module")
def places(people: Callable[..., list[Person]], tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(people, tmp_path_factory.mktemp("m") / "store")


def flipped(data: bytes, at: int, bit: int = 0x10) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


WITH_PASSWORD = ("--pinentry-mode", "loopback", "--passphrase", "p", "--s2k-count", "1024")


def mixed(places: Places) -> bytes:
    return places.sealed("--symmetric", *WITH_PASSWORD)


def symmetric(places: Places) -> bytes:
    return places.alice.gpg(*WITH_PASSWORD, "-c", input=SECRET)


def inner_signature_of_other_text(places: Places) -> bytes:
    return reseal(places.alice, places.signed(places.bob).replace(b"user: alice", b"user: malory"[:11]))


NO_MDC = ("--rfc2440", "--disable-mdc", "--cipher-algo", "CAST5")

Make = Callable[[Places], bytes]
REFUSED: dict[str, Make] = {
    "unencrypted": lambda places: places.alice.gpg("--store", input=SECRET),
    "unencrypted, armored": lambda places: places.alice.gpg("-a", "--store", input=SECRET),
    "a literal packet": lambda _: literal(SECRET),
    "signed": lambda places: places.signed(places.alice),
    "signed in clear": lambda places: places.alice.gpg("--clearsign", input=SECRET),
    "symmetric": symmetric,
    "symmetric and to alice": mixed,
    "cut by 1": lambda places: places.sealed()[:-1],
    "cut by 50": lambda places: places.sealed()[:-50],
    "cut by 200": lambda places: places.sealed(content=SECRET * 40)[:-200],
    "cut by 200, large": lambda places: places.sealed("-z", "0", content=SECRET * 9000)[:-200],
    "empty": lambda _: b"",
    "random": lambda _: bytes(at * 167 + (at >> 3) & 0xFF for at in range(500)),
    "text": lambda _: SECRET,
    "no integrity protection": lambda places: places.sealed(*NO_MDC),
    "two messages": lambda places: places.sealed() * 2,
    "a message and a literal packet": lambda places: places.sealed() + literal(SECRET),
    "a literal packet and a message": lambda places: literal(SECRET) + places.sealed(),
    "two literal packets inside": lambda places: reseal(places.alice, literal(SECRET) * 2),
    "nothing inside": lambda places: reseal(places.alice, b""),
    "a message inside": lambda places: reseal(places.alice, places.sealed()),
    "text inside": lambda places: reseal(places.alice, SECRET),
    "a bad signature inside": inner_signature_of_other_text,
    "the session key of another message": lambda places: (
        first_packet(places.sealed()) + places.sealed()[len(first_packet(places.sealed())) :]
    ),
    "a changed session key": lambda places: flipped(places.sealed(), 30),
}


def check(done: Output, *, entry: str = "x") -> None:
    error = done.err.decode()
    assert (done.code, done.out) == (4, b""), error
    assert CANARY not in done.err
    assert "Traceback" not in error
    assert error.splitlines()[-1].startswith("Error: ")
    assert f" {entry} " in error


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_intact_message_is_refused(places: Places, case: str) -> None:
    message = REFUSED[case](places)
    for words in READING:
        done = places.read(message, *words)
        check(done) if words[0] != "grep" else check(
            done, entry="x is damaged: x" if b"damaged: x" in done.err else "x"
        )
        if words[0] != "grep":
            assert done.err.count(b"\n") == 1
            assert b"clave restore" in done.err
    assert places.read(message, "x", full=True) == places.read(message, "x")


@pytest.mark.parametrize("case", ["unencrypted", "two literal packets inside", "cut by 1"])
@pytest.mark.parametrize("words", MORE_READING, ids=" ".join)
def test_every_command_that_reads_refuses(places: Places, case: str, words: list[str]) -> None:
    check(places.read(REFUSED[case](places), *words))
    assert (places.store / ".gpg-id").read_text() == f"{places.alice.fingerprint}\n"


def test_a_flipped_bit_in_a_large_message(places: Places) -> None:
    """gpg would write all of the plaintext before it says so."""
    message = places.sealed("-z", "0", content=(SECRET * (LARGE // len(SECRET) + 1))[:LARGE])
    assert places.read(message, "x").code == 0
    for at in FLIPPED:
        check(places.read(flipped(message, at), "x"))
    check(places.read(flipped(message, LARGE // 2), "show", "x#user"))


def test_a_bomb_is_refused(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNUPGHOME", str(places.alice.gnupg))
    message = places.sealed("--compress-algo", "bzip2", content=bytes(16 << 20))
    assert len(message) < 2000
    with pytest.raises(BadMessage, match="larger than 1 MiB") as refused:
        decrypt(message, name="x", limit=1 << 20)
    assert refused.value.hint
    assert len(decrypt(message, limit=16 << 20)) == 16 << 20


def test_an_earlier_version_is_held_to_the_same_rules(
    people: Callable[..., list[Person]], clave: Run, tmp_path: Path
) -> None:
    (dave,) = people("dave")
    assert clave(dave, tmp_path, "init", dave.fingerprint).code == 0
    assert clave(dave, tmp_path, "insert", "-m", "x", input=b"good\n").code == 0
    for planted in (dave.gpg("--store", input=SECRET), SECRET):
        (tmp_path / "x.gpg").write_bytes(planted)
        argv = ["git", "-C", str(tmp_path), "-c", "core.hooksPath=/dev/null", "commit", "-qam", "Planted."]
        assert run_as(dave, tmp_path, argv).code == 0
        assert clave(dave, tmp_path, "insert", "-m", "-f", "x", input=b"good\n").code == 0
        check(clave(dave, tmp_path, "show", "--at", "-1", "x"))
        for words in (["diff", "x"], ["restore", "x", "-1"], ["undo"]):
            done = clave(dave, tmp_path, *words)
            assert CANARY not in done.out + done.err, words
            assert b"Traceback" not in done.err
        assert clave(dave, tmp_path, "x").out != SECRET


# A gpg that says other things than it should


OKAY = (
    "[GNUPG:] ENC_TO 0123456789ABCDEF 18 0;[GNUPG:] DECRYPTION_INFO 2 9 0;[GNUPG:] PLAINTEXT 62 0 ;"
    "[GNUPG:] DECRYPTION_OKAY;[GNUPG:] GOODMDC"
)
HIDDEN = "[GNUPG:] ENC_TO 0000000000000000 18 0;"
SAYS = {
    "nothing": "",
    "no GOODMDC": OKAY.replace("[GNUPG:] GOODMDC", ""),
    "no DECRYPTION_OKAY": OKAY.replace("[GNUPG:] DECRYPTION_OKAY", ""),
    "no PLAINTEXT": OKAY.replace("[GNUPG:] PLAINTEXT 62 0 ", ""),
    "two PLAINTEXT": OKAY + ";[GNUPG:] PLAINTEXT 62 0 ",
    "BADMDC": OKAY + ";[GNUPG:] BADMDC",
    "DECRYPTION_FAILED": OKAY + ";[GNUPG:] DECRYPTION_FAILED",
    "an older GOODMDC": OKAY.replace("[GNUPG:] GOODMDC", "gpg: [GNUPG:] GOODMDC"),
    "two DECRYPTION_OKAY": OKAY + ";[GNUPG:] DECRYPTION_OKAY",
    "BADSIG": OKAY + ";[GNUPG:] BADSIG 0123456789ABCDEF Alice",
    "a longer word": OKAY.replace("GOODMDC", "GOODMDCS"),
}


def fake_gpg(folder: Path, status: str, *, code: int = 0, before: str = "cat >/dev/null") -> str:
    """Make a gpg that prints the canary and this status (lines divided by `;`); return a PATH with it first."""
    lines = "".join(f"echo '{line}' >&3\n" for line in status.split(";") if line)
    (folder / "gpg").write_text(f"#!/bin/sh\n{before}\necho {CANARY.decode()}\n{lines}exit {code}\n")
    (folder / "gpg").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize("status", SAYS)
def test_a_gpg_that_does_not_say_all(places: Places, tmp_path: Path, status: str) -> None:
    path = fake_gpg(tmp_path, SAYS[status])
    for words in (["x"], ["show", "x#user"]):
        check(places.read(places.sealed(), *words, PATH=path))


@pytest.mark.parametrize("code", [1, 2, 3, 127])
def test_a_gpg_that_fails_after_all(places: Places, tmp_path: Path, code: int) -> None:
    check(places.read(places.sealed(), "x", PATH=fake_gpg(tmp_path, OKAY, code=code)))
    if code == 2:
        assert places.read(places.sealed(), "x", PATH=fake_gpg(tmp_path, HIDDEN + OKAY, code=code)).code == 0
    else:
        check(places.read(places.sealed(), "x", PATH=fake_gpg(tmp_path, HIDDEN + OKAY, code=code)))


@pytest.mark.parametrize("more", ["BADSIG 0 Bob", "ERROR x 1", "NODATA 1", "FAILURE decrypt 1", "UNEXPECTED 0"])
def test_no_excuse_covers_another_failure(places: Places, tmp_path: Path, more: str) -> None:
    unknown = ";[GNUPG:] ERRSIG 0123456789ABCDEF 22 8 00 1 9"
    assert places.read(places.sealed(), "x", PATH=fake_gpg(tmp_path, OKAY + unknown, code=2)).code == 0
    for excuse in (HIDDEN + OKAY, OKAY + unknown):
        check(places.read(places.sealed(), "x", PATH=fake_gpg(tmp_path, f"{excuse};[GNUPG:] {more}", code=2)))
    check(places.read(places.sealed(), "x", PATH=fake_gpg(tmp_path, OKAY + unknown[:-1] + "4", code=2)))


def test_a_gpg_that_is_killed(places: Places, tmp_path: Path) -> None:
    lines = fake_gpg(tmp_path, OKAY)
    (tmp_path / "gpg").write_text((tmp_path / "gpg").read_text().replace("exit 0", "kill -9 $$"))
    check(places.read(places.sealed(), "x", PATH=lines))


def test_status_lines_on_other_descriptors_do_not_count(places: Places, tmp_path: Path) -> None:
    path = fake_gpg(tmp_path, OKAY)
    for descriptor in ("1", "2"):
        (tmp_path / "gpg").write_text((tmp_path / "gpg").read_text().replace(">&3", f">&{descriptor}"))
        check(places.read(places.sealed(), "x", PATH=path))


def test_a_gpg_that_fills_stderr_and_does_not_read(places: Places, tmp_path: Path) -> None:
    fill = "head -c 3000000 /dev/zero | tr '\\0' x >&2"
    large = places.sealed("-z", "0", content=bytes(300_000))
    done = places.read(large, "x", PATH=fake_gpg(tmp_path, OKAY, before=fill))
    assert (done.code, done.out, done.err) == (0, CANARY + b"\n", b"")
    check(places.read(large, "x", PATH=fake_gpg(tmp_path, "", before=fill)))


# Messages that are fine


FINE: dict[str, Make] = {
    "as clave writes": lambda places: places.sealed("-z", "0"),
    "armored": lambda places: places.sealed("-a"),
    "armored, CR LF": lambda places: places.sealed("-a").replace(b"\n", b"\r\n"),
    "AES192, zip": lambda places: places.sealed("--cipher-algo", "AES192", "--compress-algo", "zip"),
    "TWOFISH, zlib": lambda places: places.sealed("--cipher-algo", "TWOFISH", "--compress-algo", "zlib"),
    "CAMELLIA256, bzip2": lambda places: places.sealed("--cipher-algo", "CAMELLIA256", "--compress-algo", "bzip2"),
    "3DES": lambda places: places.sealed("--cipher-algo", "3DES"),
    "hidden": lambda places: places.alice.gpg("-e", "-R", places.alice.fingerprint, input=SECRET),
    "hidden among others": lambda places: places.sealed("--throw-keyids", "-r", places.bob.fingerprint),
    "text mode": lambda places: places.sealed("--textmode"),
    "with a file name": lambda places: places.sealed("--set-filename", "[GNUPG:] BADMDC"),
    "for your eyes only": lambda places: places.sealed("--for-your-eyes-only"),
    "signed by alice": lambda places: places.sealed("-s"),
    "signed by bob": lambda places: places.sealed("-s", by=places.bob),
    "signed by somebody unknown": lambda places: places.sealed("-s", by=places.mallory),
    "resealed": lambda places: reseal(places.alice, literal(SECRET)),
    "signed and resealed": lambda places: reseal(places.alice, places.signed(places.bob)),
}  # fmt: skip


@pytest.mark.parametrize("case", FINE)
def test_what_is_fine(places: Places, case: str) -> None:
    message = FINE[case](places)
    for full in (False, True):
        done = places.read(message, "x", full=full)
        assert (done.code, done.out, done.err) == (0, SECRET, b"")


def test_reading_with_an_expired_key(places: Places, clave: Run, people: Callable[..., list[Person]]) -> None:
    (carol,) = people("carol")
    message = carol.gpg("-e", "-r", carol.fingerprint, input=SECRET)
    carol.gpg("--quick-set-expire", carol.fingerprint, "seconds=1")
    (places.store / "x.gpg").write_bytes(message)
    while b"\npub:e:" not in carol.gpg("--list-keys", "--with-colons"):
        continue
    assert clave(carol, places.store, "x").out == SECRET


def test_a_gpg_that_does_not_start_is_no_missing_key(places: Places) -> None:
    done = places.read(places.sealed(), "x", PASSWORD_STORE_GPG_OPTS="--no-such-option")
    check(done)
    assert b"x was not decrypted: gpg failed" in done.err
    assert b"PASSWORD_STORE_GPG_OPTS" in done.err


def test_a_message_for_somebody_else_names_the_keys(places: Places) -> None:
    message = places.alice.gpg("-e", "-r", places.bob.fingerprint, input=SECRET)
    done = places.read(message, "x")
    check(done)
    assert b"not encrypted to any key of yours" in done.err
    assert places.read(message, "x", full=True) == done
