"""One message, one gpg: decrypting and encrypting.

A plaintext is returned only if

- the message has the form that `packets.inspect` demands, before gpg sees it;
- gpg says DECRYPTION_OKAY once (no message in a message: nobody has looked at the packets of the inner one), and
  GOODMDC or that an AEAD mode was used, and shows exactly one PLAINTEXT;
- gpg exits with 0, or not with 0 only because the key of a signature inside is not there, or because our key did
  not fit one of several hidden recipients before it fitted another;
- all of it was read, and it is not larger than the caller allows.

gpg's status comes on a descriptor of its own, so that no text in a message can pose as it (SigSpoof).

A ciphertext is returned only if its recipients are exactly those that were asked for. Nothing in a gpg.conf has
a say in it (`--no-options`): a `group` line there can redirect even a full fingerprint. Recipients that bring their
certificates along are given to gpg as files, each with the one subkey, and no keyring is looked at.

Imported by the fast path: nothing heavy may be imported here.
"""

from __future__ import annotations

from clave.errors import BadMessage, CannotDecrypt, CannotEncrypt, KeyLocked, OutputTooLarge, ProgramMissing
from clave.openpgp.command import LIMIT, start_decrypting, start_gpg
from clave.openpgp.packets import dearmor, inspect
from clave.process import STATUS_FD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
_NO_AGENT = (69, 77)
_OF_THE_AGENT = (4, 5, 6)  # who an error is from (its bits 24 to 30): gpg-agent, pinentry, scdaemon


def decrypt(ciphertext: bytes, *, name: str = "", options: Sequence[str] = (), limit: int = LIMIT) -> bytes:
    """Return the plaintext of a message, all of it checked; `name` is the entry that errors speak of.

    Raises BadMessage for what is not an intact, encrypted message, KeyLocked where the agent would not use the
    key, CannotDecrypt where we have no key or no gpg.
    """
    with start_decrypting(options, limit=limit) as gpg:
        return decrypt_with(gpg, ciphertext, name=name, options=options, limit=limit)


def decrypt_with(
    gpg: Running, ciphertext: bytes, *, name: str = "", options: Sequence[str] = (), limit: int = LIMIT
) -> bytes:
    """Like `decrypt`, by a gpg that `start_decrypting` has started with these options and limit.

    It gets no byte of a message that is refused.
    """
    about = name or "the message"
    try:
        binary = dearmor(ciphertext)
        recipients = inspect(binary).recipients
    except BadMessage as reason:
        raise untrusted(about, reason) from None

    def ask(arguments: Sequence[str]) -> Status:
        loud = [option for option in options if option not in ("-q", "--quiet")]
        with start_gpg([*loud, "--status-fd", str(STATUS_FD), *arguments], limit=limit) as again:
            return Status(again.finish(binary).status)

    try:
        result = gpg.finish(binary)
        status = Status(result.status)
        if status.accepts(result.code):
            return result.out
        raise _refusal(about, recipients, status, ask)
    except OutputTooLarge:
        raise BadMessage(f"{about} is larger than {limit >> 20} MiB when decrypted", _DAMAGED) from None


def encrypt(plaintext: bytes, recipients: Sequence[Recipient], *, options: Sequence[str] = ()) -> bytes:
    """Return `plaintext` encrypted to exactly these encryption subkeys, as a binary message.

    Raises CannotEncrypt where gpg refuses, is not there, or has encrypted to anybody else.
    """
    if any(recipient.certificate is not None for recipient in recipients):
        from clave.openpgp.certificates import in_files

        with in_files(recipients) as named:
            return _encrypt(plaintext, recipients, named, options)
    named = [word for recipient in recipients for word in ("--recipient", f"{recipient.subkey}!")]
    return _encrypt(plaintext, recipients, named, options)


def _encrypt(plaintext: bytes, recipients: Sequence[Recipient], named: Sequence[str], options: Sequence[str]) -> bytes:
    """Have gpg encrypt to the recipients, whom the options `named` tell it."""
    argv = ["--no-options", *options, "--batch", "--yes", "--quiet", "--no-groups", "--no-encrypt-to"]
    argv += ["--trust-model", "always", "--compress-algo", "none", "--no-armor", "--status-fd", str(STATUS_FD)]
    try:
        with start_gpg([*argv, *named, "--output", "-", "--encrypt"]) as gpg:
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

    def errors(self, place: bytes) -> list[int]:
        """Return the codes (libgpg-error's) of the errors that happened at this place in gpg."""
        found = [words for words in self.words(b"ERROR") if words[:1] == [place.decode()]]
        return [int(words[1]) for words in found if len(words) > 1 and words[1].isdecimal()]

    def has(self, keyword: bytes) -> bool:
        """Tell whether there is a line of this keyword."""
        return any(_keyword(line) == keyword for line in self._lines)

    def accepts(self, code: int) -> bool:
        """Tell whether all the lines of a good decryption are there, and gpg's exit code fits them."""
        info = self.words(b"DECRYPTION_INFO")
        authenticated = self.has(b"GOODMDC") or any(len(words) > 2 and words[2] != "0" for words in info)
        once = all(len(self.words(keyword)) == 1 for keyword in (b"DECRYPTION_OKAY", b"PLAINTEXT"))
        if not (once and authenticated) or any(self.has(keyword) for keyword in _NEVER):
            return False
        return code == 0 or (code == 2 and self._is_excused())

    def _is_excused(self) -> bool:
        signer_unknown = any(words[5:6] == ["9"] for words in self.words(b"ERRSIG"))  # 9: no public key
        hidden = any(words[:1] == ["0" * 16] for words in self.words(b"ENC_TO"))
        return (signer_unknown or hidden) and not any(self.has(keyword) for keyword in _NO_EXCUSE)


# What no good decryption says, and what gpg's exit code 2 must not come from.
_NEVER = (b"DECRYPTION_FAILED", b"BADMDC", b"BADSIG")
_NO_EXCUSE = (b"ERROR", b"FAILURE", b"NODATA", b"UNEXPECTED")


def _keyword(line: bytes) -> bytes:
    return line.partition(b" ")[0]


def _refusal(
    about: str, recipients: Sequence[str], status: Status, ask: Callable[[Sequence[str]], Status]
) -> CannotDecrypt:
    """Say why gpg gave no plaintext: "No secret key" stands for half a dozen causes in its own words.

    `ask` runs gpg once more and returns what it told; a prompt is never repeated.
    """
    if status.has(b"BADSIG"):
        return BadMessage(f"{about} is damaged: the signature in it is bad", _DAMAGED)
    if any(status.has(each) for each in (b"DECRYPTION_INFO", b"DECRYPTION_OKAY", b"PLAINTEXT")):
        return BadMessage(f"{about} is damaged: its content does not match its checksum", _DAMAGED)
    if status.has(b"PINENTRY_LAUNCHED"):
        return locked(about, "the passphrase or PIN was not given, or was wrong")
    named = sorted({recipient for recipient in recipients if recipient.strip("0")})
    listing = ask(["--batch", "--with-colons", "--list-secret-keys", "--", *named])
    if any(code & 0xFFFF in _NO_AGENT for code in listing.errors(b"keylist.getkey")):
        return locked(about, "there is no gpg-agent")
    # gpg does not say why it could not use a key when it is told to be quiet, and is a fifth faster then.
    status = ask(["--decrypt"])
    for code in status.errors(b"pkdecrypt_failed"):
        reason = lock_reason(code)
        if reason:
            return locked(about, reason)
        return BadMessage(f"{about} is damaged: its session key cannot be read", _DAMAGED)
    if status.has(b"DECRYPTION_OKAY") or not status.has(b"ENC_TO"):
        return CannotDecrypt(
            f"{about} was not decrypted: gpg failed",
            "Try again; see what it says of the file: gpg --decrypt; check gpg.conf and PASSWORD_STORE_GPG_OPTS.",
        )
    if status.has(b"KEY_CONSIDERED") and not status.has(b"NO_SECKEY"):  # gpg.conf says `quiet`
        return locked(about, "the agent did not use the key")
    return not_ours(about, recipients)


def locked(about: str, reason: str) -> KeyLocked:
    """Return the error for a message whose key is ours, but cannot be used now."""
    return KeyLocked(f"{about} stays locked: {reason}", "Try again, or see what is wrong: clave doctor.")


def lock_reason(code: int) -> str | None:
    """Say what an error of the agent (libgpg-error's code) means for our key; None: it is about the message."""
    if code & 0xFFFF in _LOCKED or code >> 24 & 0x7F in _OF_THE_AGENT:
        return _LOCKED.get(code & 0xFFFF, "the agent refused to use the key")
    return None


def not_ours(about: str, recipients: Sequence[str]) -> CannotDecrypt:
    """Return the error for a message that none of our keys opens."""
    keys = ", ".join(recipients[:4]) + (", …" if len(recipients) > 4 else "")
    return CannotDecrypt(
        f"{about} is not encrypted to any key of yours (it is for {keys})", "Ask one of its readers for access."
    )


def untrusted(about: str, reason: BadMessage) -> BadMessage:
    """Return the error for a message of a form that is refused."""
    return BadMessage(f"{about} is not a secret that can be trusted: {reason.message}", _DAMAGED)
