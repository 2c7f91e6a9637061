"""Which of the user's own keys, or a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.cli import _ask, _output
from clave.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from clave.openpgp.keys import Key


class Chosen(NamedTuple):
    """A key of the user's, and whether it was made just now."""

    fingerprint: str
    made: bool

    def warn(self) -> None:
        """Say of a new key that it is the only one there is."""
        if self.made:
            _output.note(
                f"Without the key {self.fingerprint} nobody can read your secrets. Back it up now, off this machine:\n"
                f"  gpg --export-secret-keys --armor {self.fingerprint} > my-key.asc"
            )


def choose(question: str, hint: str, without: Collection[str] = ()) -> Chosen:
    """Ask which of the user's own keys to use, but for some, or make one. Raises UsageError without a terminal."""
    from clave.openpgp import keys as openpgp

    usable = [key for key in openpgp.own_keys() if key.usable and key.can_encrypt and key.fingerprint not in without]
    if not _ask.interactive():
        raise UsageError(question, hint)
    for number, key in enumerate(usable, 1):
        _output.note(f"{number:3}  {_describe(key)}")
    _output.note(f"{len(usable) + 1:3}  make a new key")
    answer = _ask.line(f"Which key? [1-{len(usable) + 1}] ").strip() or "1"
    if not answer.isdecimal() or not 1 <= int(answer) <= len(usable) + 1:
        raise UsageError(f"'{answer}' is not one of them", "Answer with a number of the list.")
    if int(answer) <= len(usable):
        return Chosen(usable[int(answer) - 1].fingerprint, made=False)
    return Chosen(_new_key(), made=True)


def _new_key() -> str:
    from clave.openpgp import keys as openpgp

    name, email = _ask.line("Your name: ").strip(), _ask.line("Your address: ").strip()
    if not name or "@" not in email:
        raise UsageError("a key needs a name and an address")
    fingerprint = openpgp.generate(name, email)
    _output.note(f"Made the key {fingerprint}.")
    return fingerprint


def _describe(key: Key) -> str:
    return f"{key.fingerprint}  {', '.join(key.user_ids)}"
