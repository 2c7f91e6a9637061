"""What the tests of the reading commands share: stores filled without clave, and a terminal to run it on."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pexpect

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Person

SEED = "otpauth://totp/GitHub:bob?secret=JBSWY3DPEHPK3PXP&issuer=GitHub"

# Entries as pass users have them; the order of the lines matters to some tests.
ENTRIES = {
    "plain": b"no newline",
    "web/github": f"hunter2\nuser: bob\nurl: https://github.com\nnote to bob\n{SEED}\n".encode(),
    "web/gitlab": b"pw-lab\nlogin: alice\nBob's token: t0ken\n\ntwo\n",
    "a b/c d": b"spaced\nbob again\n",
    "é/ü": "ünï\nBOB ÉTÉ\n".encode(),
    "bin": bytes(range(256)),
    "n" * 251: b"long\n",
    "deep/er/still": b"x\n" * 5,
}


def put(person: Person, store: Path, entries: dict[str, bytes]) -> Path:
    """Write entries as pass does, through gpg alone; return the store."""
    store.mkdir(exist_ok=True)
    (store / ".gpg-id").write_text(f"{person.fingerprint}\n")
    for name, plaintext in entries.items():
        file = store / f"{name}.gpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(person.gpg("-e", "-r", person.fingerprint, input=plaintext))
    return store


def plain(text: bytes) -> bytes:
    """Take the colours out, with grep's "erase to the end of the line"."""
    return re.sub(rb"\x1b\[[0-9;]*[mK]", b"", text)


def on_terminal(person: Person, store: Path, *args: str, program: str = "clave", **more: str) -> pexpect.spawn:
    """Start clave (or pass) on a terminal of 80 columns."""
    argv = [sys.executable, "-m", "clave", *args] if program == "clave" else [program, *args]
    env = person.env(store, **{"TERM": "xterm", **more})
    return pexpect.spawn(argv[0], argv[1:], env=env, timeout=20, dimensions=(40, 80))


def terminal_output(child: pexpect.spawn) -> bytes:
    """Wait for the end and return all that came, with the terminal's CR LF as LF."""
    child.expect(pexpect.EOF)
    child.close()
    assert isinstance(child.before, bytes)
    return child.before.replace(b"\r\n", b"\n")
