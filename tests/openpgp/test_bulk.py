"""Many messages: in order, with as few processes and prompts as can be, and never more than was asked for."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pysequoia
import pytest

from clave.errors import BadMessage, CannotDecrypt, CannotEncrypt, KeyLocked
from clave.openpgp import agent, bulk, keys, packets
from clave.openpgp.message import decrypt
from tests.conftest import Person, forget, introduce, make_person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Run
    from tests.openpgp.own import Owner

MANY = 20
PASSPHRASE = "right"
PINENTRY = """#!/bin/sh
echo OK
while read -r word rest; do
    case $word in
    GETPIN) echo "$desc" >>{asked}; {answer};;
    SETDESC) desc=$rest; echo OK;;
    BYE) echo OK; exit;;
    *) echo OK;;
    esac
done
"""
GIVES = f"echo 'D {PASSPHRASE}'; echo OK"
CANCELS = "echo 'ERR 83886179 Operation cancelled <Pinentry>'"


class Counted:
    """How often gpg was started since the last look."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def gpg(self) -> list[str]:
        """Return what was asked of each gpg: decrypt, encrypt, list or export."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        words = {"--decrypt": "decrypt", "--encrypt": "encrypt", "--export": "export"}
        return [next((words[word] for word in line.split() if word in words), "list") for line in lines]


@pytest.fixture
def counted(as_olga: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Have each start of gpg written down, by one that stands before it in PATH."""
    log = tmp_path / "log"
    script = tmp_path / "bin" / "gpg"
    script.parent.mkdir()
    real = subprocess.run(["sh", "-c", "command -v gpg"], capture_output=True, text=True, check=True).stdout.strip()
    script.write_text(f'#!/bin/sh\necho "$*" >>{log}\nexec {real} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    return Counted(log)


def numbered(owner: Owner, count: int = MANY) -> list[tuple[str, bytes]]:
    return [(f"n{number}", owner.seal(b"secret %d\n" % number)) for number in range(count)]


def own(owner: Owner) -> str:
    """Return the id of the cv25519 subkey (the person has newer ones)."""
    return f"{owner.keys['cv25519']}!"


# Reading


def test_many_start_no_gpg_for_each(as_olga: Owner, counted: Counted) -> None:
    messages = numbered(as_olga)
    counted.gpg()
    found = list(bulk.decrypt_many(messages))
    assert found == [(f"n{number}", b"secret %d\n" % number) for number in range(MANY)]
    assert counted.gpg() == ["list"]


def test_a_few_are_gpgs(as_olga: Owner, counted: Counted) -> None:
    messages = numbered(as_olga, 3)
    counted.gpg()
    assert [plaintext for _, plaintext in bulk.decrypt_many(messages)] == [b"secret 0\n", b"secret 1\n", b"secret 2\n"]
    assert counted.gpg() == ["decrypt"] * 3
    assert list(bulk.decrypt_many([])) == []


def test_single_messages_load_no_library(as_olga: Owner) -> None:
    code = """
import sys
import tracemalloc
from clave.openpgp import bulk
message = sys.stdin.buffer.read()
assert [plain for _, plain in bulk.decrypt_many([("x", message)])] == [b"x"]
loaded = {"pysequoia", "cryptography", "socket", "concurrent.futures"} & set(sys.modules)
assert loaded <= {"concurrent.futures"}, loaded
"""
    subprocess.run([sys.executable, "-c", code], input=as_olga.seal(b"x"), check=True)


def test_one_operation_of_the_agent_for_each(as_olga: Owner, tmp_path: Path) -> None:
    messages = numbered(as_olga)
    log = tmp_path / "agent"
    configuration = as_olga.person.gnupg / "gpg-agent.conf"
    configuration.write_text(f"log-file {log}\ndebug ipc\n")
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True)
    try:
        assert len(list(bulk.decrypt_many(messages))) == MANY
    finally:
        configuration.unlink()
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True)
    lines = log.read_text(errors="replace").splitlines()
    assert sum("<- PKDECRYPT" in line for line in lines) == MANY
    assert sum("<- SETKEY " in line for line in lines) == 1


def test_what_gpg_must_open_comes_in_its_place(
    as_olga: Owner, counted: Counted, people: Callable[..., list[Person]]
) -> None:
    (mallory,) = people("mallory")
    as_olga.person.gpg("--import", input=mallory.gpg("--export"))
    foreign = as_olga.person.gpg("--trust-model", "always", "-e", "-r", mallory.fingerprint, input=b"no")
    broken = bytearray(as_olga.seal(b"no"))
    broken[-1] ^= 1
    kinds = [
        (as_olga.seal(b"plain"), b"plain"),
        (as_olga.seal(b"hidden", "--throw-keyids"), b"hidden"),
        (as_olga.seal(b"brainpool", key="brainpoolP256r1"), b"brainpool"),
        (as_olga.seal(b"rsa", key="rsa2048"), b"rsa"),
        (as_olga.seal(b"signed", "--sign"), b"signed"),
        (foreign, CannotDecrypt),
        (bytes(broken), BadMessage),
        (b"text", BadMessage),
        (as_olga.seal(b"a\nb", "-t"), b"a\nb"),
        (as_olga.seal(b"x" * 100_000, "-z", "0"), b"x" * 100_000),
    ]
    messages = [(str(number), kinds[number % len(kinds)][0]) for number in range(3 * len(kinds))]
    counted.gpg()
    found = list(bulk.decrypt_many(messages))
    assert [name for name, _ in found] == [name for name, _ in messages]
    for number, (_, plaintext) in enumerate(found):
        expected = kinds[number % len(kinds)][1]
        assert plaintext == expected if isinstance(expected, bytes) else type(plaintext) is expected
    assert sorted(counted.gpg()) == ["decrypt"] * 3 * 6 + ["list"]


def test_memory_is_bounded_and_nothing_is_read_ahead(as_olga: Owner) -> None:
    message = as_olga.seal(b"x" * 50_000, "-z", "0")
    read = itertools.count()
    source = ((str(next(read)), message) for _ in range(400))
    tracemalloc.start()
    try:
        opened = bulk.decrypt_many(source)
        for number, (name, _) in enumerate(opened):
            assert name == str(number)
            if number == 100:
                break
        assert next(read) < 120
        assert sum(1 for _ in opened) == 400 - 101
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 << 20  # all ciphertexts, or all plaintexts, would be 20 MB


@pytest.mark.parametrize("module", ["pysequoia", "cryptography.hazmat.primitives.keywrap"])
def test_without_the_libraries_all_is_gpgs(
    as_olga: Owner, counted: Counted, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    messages = numbered(as_olga)
    counted.gpg()
    for name in ("engine", "bridge", "session"):
        monkeypatch.delitem(sys.modules, f"clave.openpgp.{name}", raising=False)
        monkeypatch.delattr(f"clave.openpgp.{name}", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    assert [plaintext for _, plaintext in bulk.decrypt_many(messages)] == [b"secret %d\n" % n for n in range(MANY)]
    recipients = keys.resolve([own(as_olga)])
    assert len(list(bulk.encrypt_many((name, b"x", recipients) for name, _ in messages))) == MANY
    done = counted.gpg()
    assert (done.count("decrypt"), done.count("encrypt")) == (MANY, MANY)


@pytest.mark.parametrize(
    "conf", ["pinentry-mode loopback\n", "# x\n--no-autostart\n", "try-secret-key 0\n", "max-output 5\n"]
)
def test_options_that_may_matter_make_it_gpgs(as_olga: Owner, counted: Counted, conf: str) -> None:
    messages = numbered(as_olga)
    counted.gpg()
    path = as_olga.person.gnupg / "gpg.conf"
    path.write_text(conf)
    try:
        list(bulk.decrypt_many(messages))
    finally:
        path.unlink()
    assert counted.gpg().count("decrypt") == MANY


def test_options_that_do_not_matter(as_olga: Owner, counted: Counted) -> None:
    messages = numbered(as_olga)
    counted.gpg()
    path = as_olga.person.gnupg / "gpg.conf"
    path.write_text(
        "# mine\nkeyid-format 0xlong\narmor\ngroup a=b c\npersonal-cipher-preferences AES256\n\nencrypt-to x\n"
    )
    try:
        list(bulk.decrypt_many(messages))
        assert counted.gpg() == ["list"]
        list(bulk.decrypt_many(messages, options=("--no-permission-warning",)))
    finally:
        path.unlink()
    assert counted.gpg() == ["decrypt"] * MANY


# A key that is locked


class Locked:
    """A person whose key has a passphrase, and a pinentry that is a script."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self._asked = person.home / "asked"

    def pinentry(self, answer: str) -> None:
        program = self.person.home / "pinentry"
        program.write_text(PINENTRY.format(asked=self._asked, answer=answer))
        program.chmod(0o755)
        (self.person.gnupg / "gpg-agent.conf").write_text(f"pinentry-program {program}\n")
        self._asked.unlink(missing_ok=True)
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=self.person.env(), check=True)

    def asked(self) -> list[str]:
        return self._asked.read_text().splitlines() if self._asked.exists() else []


@pytest.fixture(scope="module")
def locked() -> Iterator[Locked]:
    person = make_person("lotte")
    # By default the agent takes a tenth of a second to make a key of a passphrase, each time that it is used.
    (person.gnupg / "gpg-agent.conf").write_text("s2k-count 65536\n")
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=person.env(), check=True)
    person.gpg("--passphrase", PASSPHRASE, "--quick-gen-key", "locked@example.org", "ed25519", "cert,sign", "never")
    listing = person.gpg("--list-keys", "--with-colons", "=locked@example.org").decode()
    fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))
    person.gpg(
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        PASSPHRASE,
        "--quick-add-key",
        fingerprint,
        "cv25519",
        "encr",
        "never",
    )
    yield Locked(person)
    forget(person)


@pytest.fixture
def as_lotte(locked: Locked, monkeypatch: pytest.MonkeyPatch) -> Locked:
    for name, value in locked.person.env().items():
        monkeypatch.setenv(name, value)
    return locked


def sealed(locked: Locked, count: int, *options: str) -> list[tuple[str, bytes]]:
    message = locked.person.gpg(*options, "-e", "-r", "=locked@example.org", input=b"x")
    return [(f"n{number}", message) for number in range(count)]


def test_the_user_is_asked_once(as_lotte: Locked) -> None:
    as_lotte.pinentry(GIVES)
    assert [plaintext for _, plaintext in bulk.decrypt_many(sealed(as_lotte, 10))] == [b"x"] * 10
    (asked,) = as_lotte.asked()
    assert "locked@example.org" in unquote(asked)


def test_a_cancelled_prompt_stops_the_run(as_lotte: Locked) -> None:
    as_lotte.pinentry(CANCELS)
    opened = bulk.decrypt_many(sealed(as_lotte, 10))
    with pytest.raises(KeyLocked, match=r"^n0 stays locked: the prompt was cancelled$"):
        next(opened)
    assert len(as_lotte.asked()) == 1


def test_what_came_before_is_there_when_the_run_stops(as_lotte: Locked) -> None:
    as_lotte.pinentry(CANCELS)
    free = as_lotte.person.gpg("-e", "-r", as_lotte.person.fingerprint, input=b"free")
    hidden = as_lotte.person.gpg(
        "--sign", "-u", as_lotte.person.fingerprint, "-e", "-r", as_lotte.person.fingerprint, input=b"by gpg"
    )
    messages = [("a", free), ("b", hidden), ("c", free), *sealed(as_lotte, 10)]
    opened = bulk.decrypt_many(messages)
    assert [next(opened) for _ in range(3)] == [("a", b"free"), ("b", b"by gpg"), ("c", b"free")]
    with pytest.raises(KeyLocked, match=r"^n0 stays locked"):
        next(opened)
    assert len(as_lotte.asked()) == 1


def test_a_key_that_is_open_is_used_rather_than_one_that_is_locked(as_lotte: Locked) -> None:
    as_lotte.pinentry(CANCELS)
    both = ["-r", "=locked@example.org", "-r", as_lotte.person.fingerprint]
    free = as_lotte.person.gpg("-e", "-r", as_lotte.person.fingerprint, input=b"x")
    mixed = as_lotte.person.gpg("-e", *both, input=b"x")
    assert {plaintext for _, plaintext in bulk.decrypt_many([("a", free)] + [("b", mixed)] * 10)} == {b"x"}
    assert as_lotte.asked() == []


def test_a_pinentry_that_is_not_there(as_lotte: Locked) -> None:
    as_lotte.pinentry(GIVES)
    (as_lotte.person.gnupg / "gpg-agent.conf").write_text("pinentry-program /nonexistent\n")
    with pytest.raises(KeyLocked, match=r"^n0 stays locked: there is no pinentry"):
        list(bulk.decrypt_many(sealed(as_lotte, 10)))


def test_an_agent_killed_between_two_secrets(as_lotte: Locked) -> None:
    """A new agent would ask for the passphrase again."""
    as_lotte.pinentry(GIVES)
    opened = bulk.decrypt_many(sealed(as_lotte, 40))
    assert [plaintext for _, plaintext in itertools.islice(opened, 10)] == [b"x"] * 10
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True)
    with pytest.raises(KeyLocked, match=r"stays locked: gpg-agent has ended$"):
        list(opened)
    assert len(as_lotte.asked()) == 1


def test_a_broken_agent_is_one_error(as_olga: Owner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    messages = numbered(as_olga)
    path = tmp_path / "not-a-redirection"
    path.write_text("x")
    monkeypatch.setattr(agent, "_socket_path", lambda: str(path))
    assert len(list(bulk.decrypt_many(messages))) == MANY  # not there: gpg finds its own
    import socket

    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        monkeypatch.setattr(agent, "_socket_path", lambda: str(tmp_path / "s"))
        monkeypatch.setattr(agent, "_PATIENCE", 0.2)
        with pytest.raises(KeyLocked, match="gpg-agent does not answer"):
            list(bulk.decrypt_many(messages))


# Writing


def test_what_is_written_is_for_the_recipients_alone(
    as_olga: Owner, counted: Counted, people: Callable[..., list[Person]]
) -> None:
    bob, carol = people("bob", "carol")
    for person in (bob, carol):
        introduce(as_olga.person, person)
    groups = [
        keys.resolve([own(as_olga)]),
        keys.resolve([own(as_olga), bob.fingerprint, carol.fingerprint]),
        keys.resolve([bob.fingerprint, f"{as_olga.keys['rsa2048']}!", f"{as_olga.keys['nistp256']}!"]),
    ]
    contents = [b"", b"x\r\ny\n", bytes(range(256)) * 100, "ä".encode()]
    items = [(str(n), contents[n % 4], groups[n % 3]) for n in range(24)]
    counted.gpg()
    made = list(bulk.encrypt_many(items))
    assert counted.gpg() == ["export"] * 3
    assert [name for name, _ in made] == [name for name, _, _ in items]
    for (_, plaintext, recipients), (_, message) in zip(items, made, strict=True):
        assert sorted(packets.inspect(message).recipients) == sorted(recipient.key_id for recipient in recipients)
        reader = as_olga.person if recipients is groups[0] else bob
        assert reader.gpg("-d", input=message) == plaintext
    assert len({message for _, message in made}) == len(made)


def test_pass_reads_what_is_written(as_olga: Owner, run_pass: Run, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / ".gpg-id").write_text(own(as_olga))
    recipients = keys.resolve([own(as_olga)])
    for name, message in bulk.encrypt_many((f"n{n}", b"secret %d\nuser: x\n" % n, recipients) for n in range(10)):
        (store / f"{name}.gpg").write_bytes(message)
    for n in range(10):
        assert run_pass(as_olga.person, store, "show", f"n{n}").out == b"secret %d\nuser: x\n" % n


def test_a_key_that_may_sign_and_encrypt_is_gpgs(as_olga: Owner, counted: Counted) -> None:
    """Sequoia would encrypt to primary key and subkey; gpg takes the subkey."""
    as_olga.person.gpg("--passphrase", "", "--quick-gen-key", "both@example.org", "rsa2048", "cert,sign,encr", "never")
    listing = as_olga.person.gpg("--list-keys", "--with-colons", "=both@example.org").decode()
    primary = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))
    as_olga.person.gpg("--passphrase", "", "--quick-add-key", primary, "cv25519", "encr", "never")
    recipients = keys.resolve([primary])
    assert recipients[0].subkey != primary
    counted.gpg()
    made = list(bulk.encrypt_many((str(n), b"x", recipients) for n in range(MANY)))
    assert counted.gpg() == ["export"] + ["encrypt"] * MANY
    assert all(packets.inspect(message).recipients == [recipients[0].key_id] for _, message in made)


def test_a_key_that_asks_for_newer_packets_gets_those_that_gpg_reads(as_olga: Owner) -> None:
    made = pysequoia.Tsk.generate("new@example.org", profile=pysequoia.Profile.RFC4880)
    as_olga.person.gpg("--import", input=bytes(made))
    fingerprint = made.extract_certificate().fingerprint.upper()
    as_olga.person.gpg("--quick-lsign-key", fingerprint)
    recipients = keys.resolve([fingerprint])
    for _, message in bulk.encrypt_many((str(n), b"x", recipients) for n in range(MANY)):
        found = packets.inspect(message)
        assert found.data_tag == packets.SEIPD
        assert decrypt(message) == b"x"


def test_a_large_secret_is_gpgs(as_olga: Owner, counted: Counted) -> None:
    recipients = keys.resolve([own(as_olga)])
    large = bytes(1 << 20) + b"x"
    counted.gpg()
    made = list(bulk.encrypt_many((str(n), large if n == 3 else b"x", recipients) for n in range(MANY)))
    assert counted.gpg() == ["export", "encrypt"]
    assert decrypt(made[3][1]) == large


def test_a_recipient_that_has_gone_is_an_error(as_olga: Owner) -> None:
    person = make_person("gone")
    introduce(as_olga.person, person)
    recipients = keys.resolve([person.fingerprint])
    forget(person)
    as_olga.person.gpg("--yes", "--delete-keys", person.fingerprint)
    with pytest.raises(CannotEncrypt, match=recipients[0].subkey[-8:]):
        list(bulk.encrypt_many((str(n), b"x", recipients) for n in range(MANY)))
