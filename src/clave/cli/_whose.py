"""Whether a public key is whose it is said to be: only its owner can tell, on another way than the key came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.cli import _ask, _output
from clave.errors import Finding, UsageError, VerificationFailed

if TYPE_CHECKING:
    from clave.store.people.teamwork import Change
    from clave.store.store import Store


def settle(store: Store, change: Change, data: bytes, name: str, fingerprint: str | None, *, dry_run: bool) -> None:
    """Show the key that a change brings and its words, and see that it is the owner's, before the change is shown.

    What cannot be done is told before anybody is asked. Raises VerificationFailed for another key than `fingerprint`.
    """
    from clave.openpgp import certificates
    from clave.store.people import teamwork
    from clave.store.trust import words

    certificate = certificates.read(data)
    assert certificate is not None
    teamwork.preview(store, change)
    _output.note(f"key:    {certificate.fingerprint}\nowner:  {certificate.user_id} (it says)")
    _output.note(f"words:  {words.of_key(certificate.fingerprint)}")
    if fingerprint is not None:
        wanted = plain(fingerprint)
        if wanted != certificate.fingerprint:
            raise VerificationFailed(
                f"the key is {certificate.fingerprint}, not {wanted}", f"Ask {name} for their key once more."
            )
    elif not dry_run:
        _ask_owner(name)


def plain(fingerprint: str) -> str:
    """Return a fingerprint as the roster has it, however somebody has typed it."""
    return "".join(fingerprint.split()).upper().removeprefix("0X")


def _ask_owner(name: str) -> None:
    if not _ask.interactive():
        raise UsageError(
            "whether this is their key cannot be asked without a terminal",
            "Give the fingerprint that you have from its owner: --fingerprint FINGERPRINT.",
        )
    if not _ask.confirm(f"Are these the words that {name} has?"):
        raise Finding("nothing was changed", "Let them read you their words, or send their fingerprint another way.")
