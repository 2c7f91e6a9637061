"""Every way in which clave fails: message, next step, stable word, exit code.

One class an exit code; `DESIGN` numbers them and they are never renumbered. A subclass exists only
where some caller treats it differently. Nothing here imports anything: the fast path loads it.

A message names the thing; a hint is the next step. Neither ever holds a secret value.
"""

from __future__ import annotations


class ClaveError(Exception):
    """A failure that a user can understand and act upon.

    `code` is a stable word for programs (`--json`), `exit_code` the exit status of the process. `details` are lines
    below the one that `line` gives, where several things are wrong at once.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, hint: str | None = None, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def line(self) -> str:
        """Return the one line that a user reads: the message, then the next step."""
        message = self.message if self.message.endswith((".", "?", "!")) else self.message + "."
        return f"{message} {self.hint}" if self.hint else message


class Finding(ClaveError):
    """The command worked and found something that needs attention (no match, a difference)."""

    code = "finding"
    exit_code = 1


class UsageError(ClaveError):
    """What was asked for makes no sense: options, names, formats, a broken config file."""

    code = "usage"
    exit_code = 2


class NotFound(ClaveError):
    """An entry, folder, field, revision or store that is not there."""

    code = "not-found"
    exit_code = 3


class CannotDecrypt(ClaveError):
    """No plaintext: no key for it, a locked key, or a message that is not one that clave accepts."""

    code = "cannot-decrypt"
    exit_code = 4


class BadMessage(CannotDecrypt):
    """The file is not an intact, encrypted OpenPGP message: nothing of it may be used."""

    code = "bad-message"


class KeyLocked(CannotDecrypt):
    """The agent would not use the key: prompt cancelled, wrong PIN, no pinentry, card missing.

    Work on many files stops here: the next file would only prompt again.
    """

    code = "key-locked"


class GpgMissing(KeyLocked):
    """There is no gpg: no message can be opened, the next one neither."""

    code = "gpg-missing"


class CannotEncrypt(ClaveError):
    """A recipient cannot be encrypted to: which one, whose, and why."""

    code = "cannot-encrypt"
    exit_code = 5


class VerificationFailed(ClaveError):
    """Something that must be signed or authentic is not."""

    code = "verification-failed"
    exit_code = 6


class GitFailed(ClaveError):
    """git or a remote refused."""

    code = "git-failed"
    exit_code = 7


class StoreDamaged(ClaveError):
    """The store on disk is not what a store may be (a symlink for an entry, a broken journal)."""

    code = "store-damaged"
    exit_code = 8


class ProgramMissing(ClaveError):
    """A program that clave needs is not installed; `program` is its name. Its callers say what for."""

    code = "program-missing"

    def __init__(self, program: str) -> None:
        super().__init__(f"the program '{program}' was not found", f"Install {program} and try again.")
        self.program = program


class CannotExecute(ClaveError):
    """The program that the user wants to run is there, and cannot be run. The number is the shells'."""

    code = "cannot-execute"
    exit_code = 126


class NoSuchProgram(ClaveError):
    """The program that the user wants to run is not there. The number is the shells'."""

    code = "no-such-program"
    exit_code = 127


class OutputTooLarge(ClaveError):
    """A program wrote more than its caller accepts, who says what of."""

    code = "output-too-large"


class CannotWrite(ClaveError):
    """The disk is full, read-only, or not ours."""

    code = "cannot-write"
    exit_code = 73


class Busy(ClaveError):
    """Somebody else is writing, or something cannot be reached: try again."""

    code = "busy"
    exit_code = 75


class Interrupted(ClaveError):
    """The user pressed ^C or answered a question with the end of input."""

    code = "interrupted"
    exit_code = 130
