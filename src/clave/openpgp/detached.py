"""A detached signature checked against given certificates.

It is GOOD if Sequoia calls it so: made by a key that was valid at the time that the signature names, by the certificate
as given; and if it has no end of its own. Why one is not good is found by looking, in this order:

- REVOKED: the certificate, or the key that signed, is revoked, and not softly at a later time;
- UNABLE: the key is not one for signatures, or the hash function is none that anybody should rely on (`digest` says it:
  such a signature is not computed);
- EXPIRED: the key was not valid at that time, which may be before it was made, or in the future; or the signature ends;
- BAD: anything else.
"""

from __future__ import annotations

import time
from binascii import a2b_base64
from typing import TYPE_CHECKING, NamedTuple

import pysequoia
from pysequoia import Sig
from pysequoia.packet import HashAlgorithm, PacketPile, SignatureType

from clave.errors import BadMessage
from clave.openpgp import packets
from clave.openpgp.components import seconds
from clave.openpgp.sequoia import tried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clave.openpgp.components import Component, Known, Signature

_LARGEST = 64 << 10  # bytes of a signature
_BEGIN, _END = b"-----BEGIN PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----"
_FOREIGN = (b"-----BEGIN SSH SIGNATURE-----", b"-----BEGIN SIGNED MESSAGE-----")  # the other kinds that git knows
_DIGESTS = {
    int(each): name.upper()
    for name in dir(HashAlgorithm)
    if isinstance(each := getattr(HashAlgorithm, name), HashAlgorithm)
}
_SHA2 = ("SHA224", "SHA256", "SHA384", "SHA512")


class Checked(NamedTuple):
    """A signature that was checked. `state` is the name of one of `clave.team.evidence.State`, which describes them.

    `fingerprint` is that of the primary key; of an UNKNOWN one what the signature claims.
    """

    state: str
    fingerprint: str = ""
    number: int = 1
    binary: bool = True
    digest: str = "SHA256"


def verify(
    payload: bytes, signature: bytes, certificates: Iterable[bytes], known: Callable[[bytes], Known | None]
) -> Checked:
    """Return how a signature stands; `known` reads a certificate."""
    if not signature.strip():
        return Checked("NONE", number=0)
    if signature.lstrip().startswith(_FOREIGN):
        return Checked("UNKNOWN")
    number, sig = _read(signature)
    if sig is None or tried(lambda: sig.signature_type) not in (SignatureType.Binary, SignatureType.Text):
        return Checked("BAD", number=number)
    found = Checked(
        "UNKNOWN",
        (sig.issuer_fingerprint or sig.issuer_key_id or "").upper(),
        binary=sig.signature_type == SignatureType.Binary,
        digest=_DIGESTS.get(tried(lambda: int(sig.hash_algorithm)) or 0, "UNKNOWN"),
    )
    signers = _signers(found.fingerprint, certificates, known)
    if not signers:
        return found
    good = (each for each in signers if sig.expiration is None and _is_good(payload, sig, each))
    signer = next(good, None)
    state = "GOOD" if signer else _why_not(sig, found.digest, signers[0])
    return found._replace(state=state, fingerprint=(signer or signers[0]).known.certificate.fingerprint)


class _Signer(NamedTuple):
    """The key that a signature names, and its certificate."""

    key: Component
    known: Known


def _read(signature: bytes) -> tuple[int, Sig | None]:
    """Return how many packets are there, and the signature if it is one."""
    text = signature.strip()
    blocks = text.count(b"-----BEGIN ")
    is_block = text.startswith(_BEGIN) and text.endswith(_END) and blocks == 1
    if len(signature) > _LARGEST or not (is_block or signature[0] & 0x80):
        return max(blocks, 1), None
    if not _is_one_packet(signature):
        pile = tried(lambda: list(PacketPile.from_bytes(signature))) or []
        return max(len(pile), 1), None
    return 1, tried(lambda: Sig.from_bytes(signature))


def _is_one_packet(signature: bytes) -> bool:
    """Tell whether there is one packet, of a signature: the framing alone, Sequoia reads what is in it."""
    lines = signature.strip().split(b"\n")
    try:
        if lines[0] == _BEGIN:
            body = lines[lines.index(b"") + 1 : -1]
            if body[-1:] and body[-1].startswith(b"="):  # the checksum
                body.pop()
            signature = a2b_base64(b"".join(body), strict_mode=True)
        return packets.content(signature)[0] == packets.SIGNATURE
    except (BadMessage, ValueError):
        return False


def _signers(name: str, certificates: Iterable[bytes], known: Callable[[bytes], Known | None]) -> list[_Signer]:
    """Return whose key it may be: first those whose primary key it is, as anybody may claim it as a subkey."""
    signers = []
    for data in certificates:
        found = known(data)
        key = found and found.cert and found.keys.get(name)
        if found and key:
            signers.append(_Signer(key, found))
    return sorted(signers, key=lambda signer: signer.key is not signer.known.parts.primary)


def _is_good(payload: bytes, sig: Sig, signer: _Signer) -> bool:
    verified = tried(lambda: pysequoia.verify(bytes=payload, store=lambda _: [signer.known.cert], signature=sig))
    return verified is not None and len(verified.valid_sigs) == 1


def _why_not(sig: Sig, digest: str, signer: _Signer) -> str:
    """Return why a signature is not good."""
    made, parts = seconds(sig.created), signer.known.parts
    keys = {id(key): key for key in (parts.primary, signer.key)}.values()
    revocations = [revocation for key in keys for revocation in key.revocations]
    if any(not each.is_soft or each.made <= made for each in revocations):
        return "REVOKED"
    if digest not in _SHA2 or not any(each.signs for each in parts.bindings(signer.key)):
        return "UNABLE"
    alive = all(_is_alive(key, parts.bindings(key), made) for key in keys)
    return "BAD" if alive and made <= time.time() and sig.expiration is None else "EXPIRED"


def _is_alive(key: Component, bindings: Iterable[Signature], at: int) -> bool:
    """Tell whether a key was valid at a time, by the last of its bindings (the last comes first) from before."""
    binding = next((each for each in bindings if each.made <= at), None)
    if binding is None:
        return False
    expires = key.end(binding)
    return key.created <= at and (expires is None or at < expires)
