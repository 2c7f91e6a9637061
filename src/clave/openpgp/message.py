"""One message, one gpg: decrypting and encrypting.

A plaintext is returned only if

- the message has the form that `packets.inspect` demands, before gpg sees it;
- gpg says DECRYPTION_OKAY, and GOODMDC or that an AEAD mode was used, and shows exactly one PLAINTEXT;
- gpg exits with 0, or not with 0 for the one reason that the key of a signature inside is not there;
- all of it was read, and it is not larger than the caller allows.

gpg's status comes on a descriptor of its own, so that no text in a message can pose as it (SigSpoof).

A ciphertext is returned only if its recipients are exactly those that were asked for. Nothing in a gpg.conf has
a say in it (`--no-options`): a `group` line there can redirect even a full fingerprint.

Imported by the fast path: nothing heavy may be imported here.
"""

from __future__ import annotations

from clave.errors import BadMessage, CannotDecrypt, CannotEncrypt, KeyLocked, OutputTooLarge, ProgramMissing
from clave.openpgp.command import LIMIT, start_decrypting, start_gpg
from clave.openpgp.packets import dearmor, inspect
from clave.process import STATUS_FD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.openpgp.keys import Recipient
    from clave.process import Running

_PREFIX = b"[GNUPG:] "
# Codes of libgpg-error (its low 16 bits) with which the agent refuses a key that is there.
_LOCKED = {
    11: "the passphrase was wrong",
    32: "the smartcard is in use by another program",
    69: "no gpg-agent is running",
    77: "there is no gpg-agent",
    85: "there is no pinentry to ask for the passphrase",
    86: "the pinentry does not work",
    87: "the PIN was wrong",
    99: "the prompt was cancelled",
    108: "the smartcard has an error",
    109: "there is no smartcard reader",
    112: "the smartcard is not inserted",
    113: "the smartcard was removed",
    119: "the wrong smartcard is inserted",
    198: "the prompt was cancelled",
    62: "the prompt timed out",
}


def decrypt(ciphertext: bytes, *, name: str = "", options: Sequence[str] = (), limit: int = LIMIT) -> bytes:
    """Return the plaintext of a message, all of it checked; `name` is the entry that errors speak of.

    Raises BadMessage for what is not an intact, encrypted message, KeyLocked where the agent would not use the
    key, CannotDecrypt where we have no key or no gpg.
    """
    with start_decrypting(options, limit=limit) as gpg:
        return decrypt_with(gpg, ciphertext, name=name, limit=limit)


def decrypt_with(gpg: Running, ciphertext: bytes, *, name: str = "", limit: int = LIMIT) -> bytes:
    """Like `decrypt`, by a gpg that `start_decrypting` has started; it gets no byte of a message that is refused."""
    about = name or "the message"
    try:
        binary = dearmor(ciphertext)
        recipients = inspect(binary).recipients
    except BadMessage as reason:
        raise untrusted(about, reason) from None
    try:
        result = gpg.finish(binary)
    except OutputTooLarge:
        raise BadMessage(f"{about} is larger than {limit >> 20} MiB when decrypted", _DAMAGED) from None
    status = Status(result.status)
    if status.accepts(result.code):
        return result.out
    raise _refusal(about, recipients, status)


def encrypt(plaintext: bytes, recipients: Sequence[Recipient], *, options: Sequence[str] = ()) -> bytes:
    """Return `plaintext` encrypted to exactly these encryption subkeys, as a binary message.

    Raises CannotEncrypt where gpg refuses, is not there, or has encrypted to anybody else.
    """
    argv = ["--no-options", *options, "--batch", "--yes", "--quiet", "--no-groups", "--no-encrypt-to"]
    argv += ["--trust-model", "always", "--compress-algo", "none", "--no-armor", "--status-fd", str(STATUS_FD)]
    for recipient in recipients:
        argv += ["--recipient", f"{recipient.subkey}!"]
    try:
        with start_gpg([*argv, "--output", "-", "--encrypt"]) as gpg:
            result = gpg.finish(plaintext)
    except ProgramMissing:
        raise CannotEncrypt("gpg is not installed", "Install gnupg and try again.") from None
    if result.code != 0:
        refused = Status(result.status).words(b"INV_RECP")
        who = ", ".join(words[-1].rstrip("!") for words in refused) or "a recipient"
        raise CannotEncrypt(f"gpg cannot encrypt to {who}", "See what it says of the key: gpg --list-keys.")
    try:
        written = inspect(dearmor(result.out)).recipients
    except BadMessage as reason:
        raise CannotEncrypt(f"what gpg wrote is no message that clave would read: {reason.message}") from None
    if sorted(written) != sorted({recipient.key_id for recipient in recipients}):
        raise CannotEncrypt(
            "gpg encrypted to other keys than it was told to", "Check PASSWORD_STORE_GPG_OPTS for such an option."
        )
    return result.out


_DAMAGED = "Restore an earlier version: clave log, clave restore."


class Status:
    """The lines that gpg wrote to its status descriptor (gnupg's doc/DETAILS)."""

    def __init__(self, data: bytes) -> None:
        self._lines = [line[len(_PREFIX) :] for line in data.split(b"\n") if line.startswith(_PREFIX)]

    def words(self, keyword: bytes) -> list[list[str]]:
        """Return the arguments of each line of this keyword."""
        return [line.decode("utf-8", "replace").split()[1:] for line in self._lines if _keyword(line) == keyword]

    def has(self, keyword: bytes) -> bool:
        """Tell whether there is a line of this keyword."""
        return any(_keyword(line) == keyword for line in self._lines)

    def accepts(self, code: int) -> bool:
        """Tell whether all the lines of a good decryption are there, and gpg's exit code fits them."""
        info = self.words(b"DECRYPTION_INFO")
        authenticated = self.has(b"GOODMDC") or any(len(words) > 2 and words[2] != "0" for words in info)
        good = self.has(b"DECRYPTION_OKAY") and authenticated and len(self.words(b"PLAINTEXT")) == 1
        if not good or self.has(b"DECRYPTION_FAILED") or self.has(b"BADMDC"):
            return False
        return code == 0 or (code == 2 and self._only_the_signer_is_unknown())

    def _only_the_signer_is_unknown(self) -> bool:
        unknown = [words for words in self.words(b"ERRSIG") if words[5:6] == ["9"]]  # 9: no public key
        others = (b"BADSIG", b"ERROR", b"FAILURE", b"NODATA", b"UNEXPECTED")
        return bool(unknown) and not any(self.has(each) for each in others)


def _keyword(line: bytes) -> bytes:
    return line.partition(b" ")[0]


def _refusal(about: str, recipients: Sequence[str], status: Status) -> CannotDecrypt:
    """Say why gpg gave no plaintext: "No secret key" stands for half a dozen causes in its own words."""
    for words in status.words(b"ERROR"):
        if words[:1] == ["pkdecrypt_failed"] and len(words) > 1 and words[1].isdigit():
            return locked(about, _LOCKED.get(int(words[1]) & 0xFFFF, "the agent refused to use the key"))
    if any(status.has(each) for each in (b"DECRYPTION_INFO", b"DECRYPTION_OKAY", b"PLAINTEXT")):
        return BadMessage(f"{about} is damaged: its content does not match its checksum", _DAMAGED)
    return not_ours(about, recipients)


def locked(about: str, reason: str) -> KeyLocked:
    """Return the error for a message whose key is ours, but cannot be used now."""
    return KeyLocked(f"{about} stays locked: {reason}", "Try again, or see what is wrong: clave doctor.")


def lock_reason(number: int) -> str | None:
    """Say what an error of the agent means that is about the key; None: it is about the message."""
    return _LOCKED.get(number)


def not_ours(about: str, recipients: Sequence[str]) -> CannotDecrypt:
    """Return the error for a message that none of our keys opens."""
    keys = ", ".join(recipients[:4]) + (", …" if len(recipients) > 4 else "")
    return CannotDecrypt(
        f"{about} is not encrypted to any key of yours (it is for {keys})", "Ask one of its readers for access."
    )


def untrusted(about: str, reason: BadMessage) -> BadMessage:
    """Return the error for a message of a form that is refused."""
    return BadMessage(f"{about} is not a secret that can be trusted: {reason.message}", _DAMAGED)
