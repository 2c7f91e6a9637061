"""How the keys of a team stand: which of them nobody can encrypt to, which end soon, and what mends that.

Told by the certificates of the verified commit and the subkeys that the roster calls current. A key that has expired is
extended by its owner, who cannot publish it: what an expired key signs is not accepted. So an admin does.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from clave.model.report import SOON
from clave.openpgp import certificates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clave.openpgp.components import Certificate, Subkey
    from clave.openpgp.keys import Recipient
    from clave.team.roster import Key, Roster


class KeyState(NamedTuple):
    """A key of a member: when it ends (seconds since 1970, None: never), why it cannot be encrypted to ("": it can).

    `ends_soon`: it can, and not for long. `mend` is what to do about either.
    """

    name: str
    fingerprint: str
    expires: int | None
    problem: str = ""
    ends_soon: bool = False
    mend: str = ""

    def line(self) -> str:
        """Return what is wrong with it and what mends that, in one line."""
        if self.problem:
            return f"the key {self.fingerprint} of {self.name} {self.problem}. {self.mend}"
        return f"the key {self.fingerprint} of {self.name} expires on {day(self.expires or 0)}. {self.mend}"


def states(roster: Roster, known: Mapping[str, bytes], now: float | None = None) -> list[KeyState]:
    """Return how each key of each member stands; `known` are the certificates by fingerprint."""
    return [state(member.name, key, known.get(key.fpr, b""), now) for member in roster.members for key in member.keys]


def state(name: str, key: Key, data: bytes, now: float | None = None) -> KeyState:
    """Return how a key of a member stands."""
    now = time.time() if now is None else now
    certificate = certificates.read(data)
    if certificate is None:
        mend = f"An admin brings it back: clave key renew {name} KEYFILE."
        return KeyState(name, key.fpr, None, "has no certificate in the store", mend=mend)
    able = _able(key, certificate)
    ends = min((each for each in (certificate.expires, _last(able)) if each is not None), default=None)
    problem = _problem(key, certificate, now)
    if problem:
        return KeyState(name, key.fpr, ends, problem, mend=_mend(name, key, certificate, now))
    if ends is not None and ends <= now + SOON:
        mend = f"{name} extends it, and then: clave key renew."
        return KeyState(name, key.fpr, ends, ends_soon=True, mend=mend)
    return KeyState(name, key.fpr, ends)


def current(key: Key, certificate: Certificate, now: float | None = None) -> Subkey | None:
    """Return the subkey to encrypt to: one that the roster calls current and that is valid; None for none."""
    now = time.time() if now is None else now
    valid = [each for each in _able(key, certificate) if each.expires is None or each.expires > now]
    return max(valid, key=lambda each: each.created, default=None) if not _problem(key, certificate, now) else None


def warnings(recipients: Iterable[Recipient], now: float | None = None) -> list[str]:
    """Return a line for each member among whom something was encrypted to whose key ends soon."""
    now = time.time() if now is None else now
    soon = {
        each.user_id: each.expires for each in recipients if each.expires is not None and each.expires <= now + SOON
    }
    return [
        f"the key of {name} expires on {day(expires)}, and nothing that {name} reads can be written after that. "
        f"{name} extends it, and then: clave key renew."
        for name, expires in sorted(soon.items())
    ]


def day(seconds: int) -> str:
    """Return a time as a day."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d")


def _able(key: Key, certificate: Certificate) -> list[Subkey]:
    return [each for each in certificate.keys if each.id in key.enc and each.can_encrypt and not each.revoked]


def _last(able: Iterable[Subkey]) -> int | None:
    """Return when the last of them expires, None for never."""
    ends = [each.expires for each in able]
    return None if not ends or None in ends else max(each for each in ends if each is not None)


def _problem(key: Key, certificate: Certificate, now: float) -> str:
    """Say why a key cannot be encrypted to, "" if it can."""
    problem = certificates.problem(certificate, now)
    if problem:
        return problem
    able = _able(key, certificate)
    last = _last(able)
    if not able:
        return "has no valid encryption subkey that the roster knows"
    return f"has an encryption subkey that expired on {day(last)}" if last is not None and last <= now else ""


def _mend(name: str, key: Key, certificate: Certificate, now: float) -> str:
    """Say what makes a key usable again."""
    if certificates.encryption_subkey(certificate, now) is not None:
        return f"Its owner has published a new subkey, which an admin takes into the roster: clave key renew {name}."
    if certificate.revoked or not certificate.accepted:
        return f"An admin gives {name} another: clave team key replace {name} KEYFILE."
    if certificate.expires is not None and certificate.expires <= now:
        return f"{name} extends it (gpg --quick-set-expire {key.fpr} 1y), and an admin: clave key renew {name} KEYFILE."
    if any(each.id in key.enc and not each.revoked for each in certificate.keys if each.can_encrypt):
        return f"{name} extends that (gpg --quick-set-expire {key.fpr} 1y '*'), and then: clave key renew."
    return f"{name} makes a new one (gpg --quick-add-key {key.fpr} cv25519 encr), and then: clave key renew."
