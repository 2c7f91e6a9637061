"""Many detached signatures verified in this process, without a gpg for each.

Sequoia verifies; what it does not call good is not called bad here: gpg decides, one by one. Only a signature

- that is one packet, of the binary kind (a text signature is also good for other line ends),
- that has no end of its own, and
- whose key is in the user's keyring and was valid when it was made

is answered for. That it is good is a fact for ever. Whether its key is revoked, has expired or is trusted is not,
and is `keys.signers`' to say.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from clave.errors import ProgramMissing
from clave.openpgp.command import environment
from clave.openpgp.sequoia import tried
from clave.process import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pysequoia import Cert, Sig

_BEGIN, _END = b"-----BEGIN PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----"


def verify_many(items: Mapping[str, tuple[bytes, bytes]]) -> dict[str, str]:
    """Return for each (payload, armored signature) that is good, by its name, the fingerprint of the key that made it.

    Nothing is returned of the others, and nothing at all where Sequoia is not installed.
    """
    try:
        import pysequoia
    except ImportError:
        return {}
    signatures = {name: sig for name, (_, data) in items.items() if (sig := _read(data)) is not None}
    certificates = _certificates({sig.issuer_fingerprint for sig in signatures.values() if sig.issuer_fingerprint})
    good: dict[str, str] = {}
    for name, sig in signatures.items():
        verify = partial(pysequoia.verify, bytes=items[name][0], store=lambda _: certificates, signature=sig)
        verified = tried(verify)
        if verified is not None and len(verified.valid_sigs) == 1:
            good[name] = verified.valid_sigs[0].signing_key.upper()
    return good


def _read(armored: bytes) -> Sig | None:
    """Return a signature of the form that the module says, None for any other."""
    import pysequoia
    from pysequoia.packet import PacketPile, SignatureType

    text = armored.strip()
    if not text.startswith(_BEGIN) or not text.endswith(_END) or text.count(b"-----BEGIN ") != 1:
        return None
    pile = tried(lambda: list(PacketPile.from_bytes(armored)))
    sig = tried(lambda: pysequoia.Sig.from_bytes(armored))
    if pile is None or len(pile) != 1 or sig is None:
        return None
    return sig if sig.signature_type == SignatureType.Binary and sig.expiration is None else None


def _certificates(fingerprints: set[str]) -> list[Cert]:
    """Return the certificates of the keyring that have one of these keys."""
    import pysequoia

    if not fingerprints:
        return []
    try:
        exported = run(["gpg", "--batch", "--export", "--", *sorted(fingerprints)], env=environment()).out
    except ProgramMissing:
        return []
    return (tried(lambda: pysequoia.Cert.split_bytes(exported)) or []) if exported else []
