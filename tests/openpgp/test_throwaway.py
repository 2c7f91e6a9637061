"""A key that is made for a machine: it works, and nothing of it is left here."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clave.errors import CannotEncrypt
from clave.openpgp import certificates, message, throwaway
from clave.openpgp.keys import Recipient
from tests.conftest import forget, make_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Person


@pytest.fixture(scope="module")
def machine() -> Iterator[Person]:
    person = make_person("runner")
    yield person
    forget(person)


@pytest.fixture
def ram(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="cl-", dir="/dev/shm") as folder:
        monkeypatch.setenv("GNUPGHOME", os.path.join(folder, "mine"))
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def agents(folder: Path) -> list[str]:
    """Return the command lines of processes that serve a keyring in a folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in words:
            found.append(words)
    return found


def wait_for_none(folder: Path, seconds: int = 5) -> None:
    for _ in range(20 * seconds):
        if not agents(folder):
            return
        time.sleep(0.05)
    raise AssertionError(agents(folder))


def test_it_works_elsewhere_and_nothing_is_left_here(ram: Path, machine: Person) -> None:
    made = throwaway.make("ci", hint="")
    assert list(ram.iterdir()) == []
    wait_for_none(ram)
    certificate = certificates.read(made.certificate)
    assert certificate is not None
    assert (certificate.user_id, certificate.secret, certificates.problem(certificate)) == ("ci", False, None)
    machine.gpg("--import", input=made.secret)
    subkey = certificates.encryption_subkey(certificate)
    assert subkey is not None
    whom = Recipient("ci", certificate.fingerprint, subkey.fingerprint, subkey.id, "ci", None, made.certificate)
    assert machine.gpg("--decrypt", input=message.encrypt(b"text", [whom])) == b"text"
    signature = machine.gpg("--local-user", certificate.fingerprint, "--detach-sign", input=b"text")
    assert certificates.verify(b"text", signature, [made.certificate]).state == "GOOD"


def test_the_folder_is_ours_alone_meanwhile(ram: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def look(home: str, user_id: str) -> throwaway.Made:
        seen.append(stat.S_IMODE(os.stat(home).st_mode))
        raise CannotEncrypt(user_id)

    monkeypatch.setattr(throwaway, "_make", look)
    with pytest.raises(CannotEncrypt, match="ci"):
        throwaway.make("ci", hint="")
    assert seen == [0o700]
    assert list(ram.iterdir()) == []


def test_after_a_failure_nothing_is_left(ram: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate is refused when the key is there and the agent runs."""

    def refuse(_: bytes) -> bytes:
        assert agents(ram)
        raise CannotEncrypt("no")

    monkeypatch.setattr(certificates, "armor", refuse)
    with pytest.raises(CannotEncrypt, match="no"):
        throwaway.make("ci", hint="")
    assert list(ram.iterdir()) == []
    wait_for_none(ram)


def test_after_a_kill_the_next_command_sweeps(ram: Path) -> None:
    """Killed at any moment: what lies in RAM goes with the next command, and the agent ends by itself."""
    code = "from clave.openpgp import throwaway\nwhile True: throwaway.make('ci', hint='')"
    for pause in (0.02, 0.1, 0.2):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL) as running:
            while not list(ram.glob("clave-key-*")):
                time.sleep(0.002)
            time.sleep(pause)
            running.kill()
        _swept(ram)
    wait_for_none(ram, seconds=80)  # an agent that had just started looks for its folder once a minute


def _swept(ram: Path) -> None:
    """Sweep; a gpg that was not killed with its clave may write for another moment."""
    from clave.ram import sweep

    for _ in range(100):
        sweep()
        if not list(ram.glob("clave-key-*")):
            return
        time.sleep(0.05)
    raise AssertionError(list(ram.rglob("*")))


def test_without_gpg_or_room(ram: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotEncrypt, match="could not make"):
        throwaway.make("", hint="")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CannotEncrypt, match="gpg is not installed"):
        throwaway.make("ci", hint="")
    assert list(ram.iterdir()) == []


def test_a_user_id_is_no_option(ram: Path, machine: Person) -> None:
    made = throwaway.make("--version", hint="")
    shown = machine.gpg("--show-keys", input=made.certificate)
    assert b"--version" in shown
