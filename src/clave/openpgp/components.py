"""A certificate taken apart: its keys, and the signatures by which its owner binds them.

Sequoia parses the packets and checks the signatures, gpg will encrypt for the same keys: what is said of a key here is
what both of them would do with it.

- The last binding of a key counts. Of one for encryption, the last that Sequoia accepts when it gets no other.
- A revocation counts as gpg has it: for ever, also where a newer binding follows it. One that says that the key is
  superseded or not used any more is soft: signatures from before it stay good.
- Signatures by others, and pictures, are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pysequoia
from pysequoia import Cert
from pysequoia.packet import PacketPile, SignatureType, Tag

from clave.errors import BadMessage
from clave.model.text import printable
from clave.openpgp import packets
from clave.openpgp.keys import long_id
from clave.openpgp.sequoia import tried

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pysequoia.packet import Packet

_PRIMARY = (Tag.PublicKey, Tag.SecretKey)
_SUBKEY = (Tag.PublicSubkey, Tag.SecretSubkey)
_SECRET = (Tag.SecretKey, Tag.SecretSubkey)
_IGNORED = (Tag.Trust, Tag.Marker)
_REVOCATIONS = (SignatureType.KeyRevocation, SignatureType.SubkeyRevocation, SignatureType.CertificationRevocation)
_REASON = 29  # the subpacket that says why a key was revoked (RFC 4880 5.2.3.23)
_SOFT_REASONS = (1, 3)  # superseded, retired
_ARMORED = tuple(f"PGP {kind} KEY BLOCK-----".encode() for kind in ("PUBLIC", "PRIVATE"))


class Subkey(NamedTuple):
    """A key of a certificate. Times are in seconds since 1970."""

    id: str
    fingerprint: str
    created: int
    expires: int | None
    revoked: bool
    can_encrypt: bool
    can_sign: bool


class Certificate(NamedTuple):
    """What a certificate says. Of one with a secret key, or a second primary key, nothing more than that is read.

    `encryption` are the ids of all keys in it that are, or were, there to encrypt to, by what it says; so that is the
    same for ever. Whether one `can_encrypt` is asked of Sequoia, whose mind on weak signatures changes with the years.
    `accepted`: it accepts what the primary key says of itself.
    """

    fingerprint: str
    user_id: str
    primary: Subkey
    subkeys: tuple[Subkey, ...]
    expires: int | None
    revoked: bool
    secret: bool
    primaries: tuple[str, ...]
    accepted: bool
    encryption: frozenset[str]

    @property
    def keys(self) -> tuple[Subkey, ...]:
        """The primary key and the subkeys."""
        return (self.primary, *self.subkeys)


class Signature(NamedTuple):
    """What a signature by the owner says of a key; `period` is in seconds from the key's creation on."""

    raw: bytes
    made: int
    revokes: bool
    is_soft: bool
    period: int | None
    encrypts: bool
    signs: bool


class Component:
    """A primary key, subkey or user id, and what the owner of the certificate has signed about it."""

    def __init__(self, packet: Packet) -> None:
        self.raw = bytes(packet)
        self.fingerprint = (packet.fingerprint or "").upper()
        self.created = seconds(packet.key_created)
        # It is shown to those who decide about a key: it may not end a line, or write another one.
        self.text = printable(packet.body.decode("utf-8", "replace")) if packet.tag == Tag.UserID else ""
        self.signatures: list[Signature] = []

    @property
    def id(self) -> str:
        """The long id of a key."""
        return long_id(self.fingerprint)

    @property
    def bindings(self) -> list[Signature]:
        """The signatures that bind it, the last first."""
        return _last_first(each for each in self.signatures if not each.revokes)

    @property
    def revocations(self) -> list[Signature]:
        """The signatures that revoke it."""
        return [each for each in self.signatures if each.revokes]

    def end(self, binding: Signature) -> int | None:
        """Return when a key expires by one of its bindings, None for never."""
        return self.created + binding.period if binding.period else None

    def written(self) -> bytes:
        """Return its packets."""
        return self.raw + b"".join(each.raw for each in self.signatures)


class Parts:
    """The components of one certificate, and the fingerprints of other primary keys that are there."""

    def __init__(self, primary: Component) -> None:
        self.primary = primary
        self.identities: list[Component] = []
        self.subkeys: list[Component] = []
        self.others: list[str] = []

    @property
    def keys(self) -> list[Component]:
        """The primary key and the subkeys."""
        return [self.primary, *self.subkeys]

    def written(self, subkeys: Iterable[Component]) -> bytes:
        """Return the binary certificate with these of its subkeys."""
        return b"".join(each.written() for each in (self.primary, *self.identities, *subkeys))

    def bindings(self, key: Component) -> list[Signature]:
        """Return what says of a key what it is for, and how long, the last first."""
        if key is not self.primary:
            return key.bindings
        return _last_first(binding for each in (self.primary, *self.identities) for binding in each.bindings)


class Known(NamedTuple):
    """A certificate, what it says, and what Sequoia makes of it (nothing of one that is refused).

    `keys` are its keys by fingerprint and by long id.
    """

    certificate: Certificate
    parts: Parts
    cert: Cert | None
    keys: dict[str, Component]

    def merged(self, newer: Known) -> bytes:
        """Return this and a newer copy in one; nothing, where one of them is refused."""
        if self.cert is None or newer.cert is None:
            return b""
        return bytes(self.cert.merge(newer.cert))


def known(data: bytes) -> Known | None:
    """Return what there is to know of a certificate, None for what is none."""
    pile = _packets(data)
    parts = _take_apart(pile)
    if parts is None:
        return None
    secret = any(tag in _SECRET for tag, _ in pile)
    binary = parts.written(parts.subkeys)
    cert = None if secret or parts.others else tried(lambda: Cert.from_bytes(binary))
    by_name = {each.id: each for each in parts.keys} | {each.fingerprint: each for each in parts.keys}
    return Known(_certificate(parts, cert, secret=secret), parts, cert, by_name)


def seconds(time: datetime | None) -> int:
    """Return a time of Sequoia's in seconds since 1970."""
    return 0 if time is None else int(time.timestamp())


def _last_first(signatures: Iterable[Signature]) -> list[Signature]:
    return sorted(signatures, key=lambda each: each.made, reverse=True)


# Taking apart.


def _packets(data: bytes) -> list[tuple[Tag, Packet]]:
    """Return the packets of a binary file, or of one block of ASCII armor with nothing around it."""
    text = data.strip()
    is_block = text.startswith(b"-----BEGIN PGP ") and text.endswith(_ARMORED) and text.count(b"-----BEGIN ") == 1
    if not data or not (is_block or data[0] & 0x80):
        return []
    return tried(lambda: [(packet.tag, packet) for packet in PacketPile.from_bytes(data)]) or []


def _take_apart(pile: Sequence[tuple[Tag, Packet]]) -> Parts | None:
    primary = _component(pile[0][1]) if pile and pile[0][0] in _PRIMARY else None
    if primary is None or not primary.fingerprint:
        return None
    parts, current = Parts(primary), primary
    for tag, packet in pile[1:]:
        if tag == Tag.Signature:
            signature = _signature(packet, pile[0][1])
            if signature:
                current.signatures.append(signature)
        elif tag not in _IGNORED:
            component = _component(packet)
            if component is None or not _add(parts, tag, component):
                return None
            current = component
    return parts


def _add(parts: Parts, tag: Tag, component: Component) -> bool:
    """Put a component where it belongs; tell whether there is such a place in a certificate."""
    if tag in _PRIMARY:
        parts.others.append(component.fingerprint)
    elif tag in _SUBKEY and component.fingerprint:
        parts.subkeys.append(component)
    elif tag == Tag.UserID:
        parts.identities.append(component)
    else:
        return tag == Tag.UserAttribute
    return True


def _component(packet: Packet) -> Component | None:
    return tried(lambda: Component(packet))


def _signature(packet: Packet, primary: Packet) -> Signature | None:
    """Return a signature that names the primary key as its maker, None for any other."""

    def read() -> Signature | None:
        maker = packet.issuer_fingerprint or packet.issuer_key_id
        if not maker or maker not in (primary.fingerprint, primary.key_id):
            return None
        flags, period = packet.key_flags, packet.key_validity_period
        return Signature(
            raw=bytes(packet),
            made=seconds(packet.signature_created),
            revokes=packet.signature_type in _REVOCATIONS,
            is_soft=_is_soft(packet.body),
            period=int(period.total_seconds()) if period else None,
            encrypts=bool(flags and (flags.transport_encryption or flags.storage_encryption)),
            signs=bool(flags and flags.signing),
        )

    return tried(read)


def _is_soft(body: bytes) -> bool:
    """Tell whether a revocation leaves the signatures from before it good."""
    octets = {4: 2, 6: 4}.get(body[0], 0)
    start = 4 + octets
    area = body[start : start + int.from_bytes(body[4:start], "big")]
    reasons = [each[1:2] for each in packets.subpackets(area) if each[0] & 0x7F == _REASON]
    return bool(reasons) and all(reason and reason[0] in _SOFT_REASONS for reason in reasons)


# What it says.


def _certificate(parts: Parts, cert: Cert | None, *, secret: bool) -> Certificate:
    accepted, expires = _life(cert)
    revoked = bool(cert and cert.is_revoked) or any(each.is_soft for each in parts.primary.revocations)
    names = [each.text for each in parts.identities if not each.revocations]
    return Certificate(
        fingerprint=parts.primary.fingerprint,
        user_id=names[0] if names else "no user id",
        primary=_key(parts, parts.primary, cert)._replace(expires=expires, revoked=revoked),
        subkeys=tuple(_key(parts, each, cert) for each in parts.subkeys),
        expires=expires,
        revoked=revoked,
        secret=secret,
        primaries=(parts.primary.fingerprint, *parts.others),
        accepted=accepted and bool(names),
        encryption=frozenset(
            key.id for key in parts.keys if cert and any(each.encrypts for each in parts.bindings(key))
        ),
    )


def _life(cert: Cert | None) -> tuple[bool, int | None]:
    """Return whether Sequoia accepts a certificate, and when that expires."""
    found = cert and tried(lambda: (cert.expiration,))
    return (True, seconds(found[0]) if found[0] else None) if found else (False, None)


def _key(parts: Parts, key: Component, cert: Cert | None) -> Subkey:
    bound = (each for each in parts.bindings(key) if not each.encrypts or _is_bound(parts, key, each))
    binding = next(bound, None) if cert else None
    return Subkey(
        id=key.id,
        fingerprint=key.fingerprint,
        created=key.created,
        expires=key.end(binding) if binding else None,
        revoked=bool(key.revocations),
        can_encrypt=binding is not None and binding.encrypts,
        can_sign=binding is not None and binding.signs,
    )


def _is_bound(parts: Parts, key: Component, binding: Signature) -> bool:
    """Tell whether Sequoia encrypts to a key if this is the only binding that its certificate has for it."""
    components = (parts.primary, *parts.identities)
    binary = b"".join(each.raw + b"".join(said.raw for said in each.bindings) for each in components)
    if key is not parts.primary:
        binary += key.raw + binding.raw
    made = tried(lambda: pysequoia.encrypt(b"", recipients=[Cert.from_bytes(binary)], armor=False))
    try:
        return made is not None and key.id in packets.inspect(made).recipients
    except BadMessage:
        return False
