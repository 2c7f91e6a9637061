"""Checks of GnuPG: the program, its agent, the pinentry, and the user's own keys."""

from __future__ import annotations

import os
import platform
import shutil
from typing import TYPE_CHECKING
from urllib.parse import unquote

from clave.errors import CannotEncrypt, ProgramMissing
from clave.model.report import attention, expiry, good, note
from clave.openpgp import bulk, keys
from clave.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clave.model.report import Report

_OLDEST = (2, 2)
# From here on new keys ask for OCB packets (GnuPG's NEWS for 2.3.0), which 2.2 cannot decrypt.
_OCB = (2, 3)
_MACOS = platform.system() == "Darwin"
_LONGEST_SOCKET = 103 if _MACOS else 107  # bytes of sun_path without its NUL: unix(4), unix(7)
_SET_TTY = "Write into your shell's start-up file: export GPG_TTY=$(tty)"
_RESTART = "Stop it, it is started again when needed: gpgconf --kill gpg-agent"


def program() -> str | None:
    """Return the path of gpg, None if there is none."""
    return shutil.which("gpg") or shutil.which("gpg2")


def home() -> str:
    """Return GnuPG's home folder. Raises ProgramMissing."""
    return _folders()["homedir"]


def check_gnupg(terminal: str | None) -> Iterator[Report]:
    """Report on gpg, gpg-agent and pinentry; `terminal` is the path of the user's terminal, if there is one."""
    path = program()
    if path is None:
        yield attention("gpg", "gpg is not installed", f"Install it: {_install('gnupg')}")
        return
    numbers = run([path, "--version"]).out.decode(errors="replace").split("\n", 1)[0].split()[-1]
    version = tuple(int(number) for number in numbers.split(".") if number.isdecimal())
    if version < _OLDEST:
        yield attention("gpg", f"GnuPG {numbers} is too old", "Install GnuPG 2.2 or newer.")
        return
    yield good("gpg", f"GnuPG {numbers} at {path}")
    if version >= _OCB:
        yield note(
            "gpg",
            "keys made by this GnuPG ask for a kind of encryption (OCB) that GnuPG 2.2 cannot read",
            "If a reader has GnuPG 2.2, take OCB out of your key's preferences: "
            "gpg --edit-key KEY 'setpref AES256 AES SHA512 SHA256 Uncompressed' save",
        )
    try:
        yield _agent(_folders()["agent-socket"], numbers)
        yield _pinentry()
    except ProgramMissing as missing:
        yield attention("agent", missing.message, f"Install it: {_install('gpg-agent')}")
    yield from _terminal(terminal)
    if bulk.has_engine():
        yield good("bulk", "many entries are worked on without a gpg for each")
    else:
        mend = "Add them to where clave is installed: pip install --upgrade pysequoia cryptography"
        yield note("bulk", "work on many entries is slow: pysequoia or cryptography is missing or too old", mend)


def check_own_keys() -> Iterator[Report]:
    """Report on the user's secret keys: can the others encrypt to one of them, and until when?"""
    usable = False
    flawed: list[CannotEncrypt] = []
    for key in keys.own_keys():
        try:
            recipient = keys.resolve([key.fingerprint])[0]
        except CannotEncrypt as failure:
            flawed.append(failure)
            continue
        usable = True
        who = f"your key {key.fingerprint} ({recipient.user_id})"
        yield expiry("keys", who, recipient.expires, _extend(key.fingerprint))
    for flaw in flawed:
        # Whoever has a usable key may have an old one beside it, which still reads what is old.
        yield note("keys", flaw.message, flaw.hint) if usable else attention("keys", flaw.message, flaw.hint)
    if not usable and not flawed:
        mend = "Make one with 'clave init', or import yours: gpg --import FILE"
        yield attention("keys", "you have no secret key", mend)


def check_signing_key(wanted: str) -> Report:
    """Report whether commits can be signed by the key that git is told to take (`""`: its own choice)."""
    selection = ["--", wanted.removesuffix("!")] if wanted else []
    listing = run([program() or "gpg", "--batch", "--with-colons", "--list-secret-keys", *selection]).out
    rows = [line.split(":") for line in listing.decode(errors="replace").splitlines()]
    # Fields 2 and 12 of a colon listing: validity and what the key may be used for (gnupg's DETAILS).
    if any(row[0] in ("sec", "ssb") and row[1] not in tuple("idrne") and "s" in row[11] for row in rows):
        return good("signing", f"commits are signed by {wanted or 'your own key'}")
    return attention(
        "signing",
        f"commits are to be signed, but there is no usable signing key {wanted}".rstrip(),
        "Name one: git config --global user.signingkey FINGERPRINT; "
        "or do not sign: git config --global commit.gpgsign false",
    )


def _agent(socket: str, gpg_version: str) -> Report:
    if len(os.fsencode(socket)) > _LONGEST_SOCKET:
        return attention("agent", f"the path of gpg-agent's socket is too long: {socket}", "Use a shorter GNUPGHOME.")
    if not os.path.isdir(home()):  # the agent has none to work in either, and gpg makes it when it first needs one
        return good("agent", "gpg-agent starts with your first key")
    answer = run(["gpg-connect-agent", "GETINFO version", "/bye"])
    words = answer.out.decode(errors="replace").split()
    if answer.code != 0 or "OK" not in words:
        return attention("agent", "gpg-agent does not answer", _RESTART)
    if words[0] == "D" and words[1] != gpg_version:
        return attention("agent", f"gpg-agent {words[1]} is running, but gpg is {gpg_version}", _RESTART)
    return good("agent", "gpg-agent answers")


def _pinentry() -> Report:
    path = _stated_pinentry() or _fields(["gpgconf", "--list-components"], 2).get("pinentry", "")
    if os.access(path, os.X_OK):
        return good("pinentry", f"passphrases are asked for by {path}")
    package = "pinentry-mac" if _MACOS else "pinentry-curses"
    return attention(
        "pinentry",
        f"gpg-agent cannot ask for passphrases: there is no program {path or 'pinentry'}",
        f"Install it: {_install(package)}; or name another in {home()}/gpg-agent.conf: pinentry-program PATH",
    )


def _stated_pinentry() -> str | None:
    """Return the `pinentry-program` of gpg-agent.conf, which gpgconf does not tell."""
    try:
        with open(os.path.join(home(), "gpg-agent.conf"), encoding="utf-8", errors="surrogateescape") as file:
            rows = [line.split(None, 1) for line in file]
    except OSError:
        return None
    stated = [row[1].strip() for row in rows if row[:1] == ["pinentry-program"] and len(row) == 2]
    return stated[-1] if stated else None


def _terminal(terminal: str | None) -> Iterator[Report]:
    stated = os.environ.get("GPG_TTY")
    if stated and not os.access(stated, os.W_OK):
        yield attention("gpg-tty", f"GPG_TTY names {stated}, which is no terminal of yours", _SET_TTY)
    elif terminal and not stated:
        yield note("gpg-tty", "GPG_TTY is not set; clave sets it by itself, git and gpg do not", _SET_TTY)


def _folders() -> dict[str, str]:
    return _fields(["gpgconf", "--list-dirs"], 1)


def _fields(argv: list[str], wanted: int) -> dict[str, str]:
    """Return a listing of gpgconf's as a mapping from the first field to another one (percent-escaped)."""
    rows = (line.split(":") for line in os.fsdecode(run(argv).out).splitlines())
    return {row[0]: unquote(row[wanted], errors="surrogateescape") for row in rows if len(row) > wanted}


def _install(package: str) -> str:
    return f"{'brew' if _MACOS else 'apt'} install {package}, or your system's way"


def _extend(fingerprint: str) -> str:
    command = f"gpg --quick-set-expire {fingerprint} 2y"
    return f"Extend it and its subkeys: {command} && {command} '*'; then give the others the public key."
