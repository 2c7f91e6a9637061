"""Session keys: what the user's own keys are, and how one of them opens the session key of a message.

The secret operation is the agent's. What remains is small and done here: for ECDH the key derivation of RFC 6637
(sections 7 and 8) and the AES key unwrapping of RFC 3394, for RSA the padding of PKCS#1 (RFC 4880 section 13.1.1).

Only what every gpg of ours writes is known here: RSA, ECDH on Curve25519 and the NIST curves, session keys for AES.
Anything else is gpg's to open, and so is whatever does not fit: it may be damaged, or new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, Hash, HashAlgorithm
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clave.process import Running

_RSA, _RSA_ENCRYPT, _ECDH = 1, 2, 18
_CURVES = {  # object identifiers, with their length in front, as they stand in a key
    "0A2B060104019755010501",  # Curve25519
    "082A8648CE3D030107",  # NIST P-256
    "052B81040022",  # NIST P-384
    "052B81040023",  # NIST P-521
}
# Those of cryptography, which is loaded anyway: hashlib takes as long again.
_HASHES: dict[int, type[HashAlgorithm]] = {8: SHA256, 9: SHA384, 10: SHA512}
_AES = {7: 16, 8: 24, 9: 32}  # algorithm: octets of its key
_LARGEST = 4000  # bytes of a PKESK: the agent takes 4,096
_SENDER = b"Anonymous Sender    "
_NOT_HERE = "#"  # where a listing has the serial number of a smartcard, or + for a key on disk


class SessionKey(NamedTuple):
    """What an encrypted-data packet is encrypted with: an AES (7, 8, 9: RFC 4880 9.2), and its key."""

    algorithm: int
    key: bytes


class OwnKey(NamedTuple):
    """An encryption key whose secret part the agent has. `curve` and `kdf` are empty for RSA.

    `curve` is the object identifier with its length in front, `kdf` the field of the same name (RFC 6637 9).
    """

    keygrip: str
    fingerprint: str
    algorithm: int
    on_card: bool
    user_id: str
    curve: bytes = b""
    kdf: bytes = b""

    @property
    def purpose(self) -> str:
        """What a pinentry tells the user."""
        return f"Please unlock the OpenPGP secret key:\n{self.user_id[:60]}\nID {self.fingerprint[-16:]}"

    def request(self, body: bytes) -> bytes | None:
        """Return the S-expression to decrypt for a PKESK's body; None: it is of a form that gpg has to judge."""
        if body[0] != 3 or not 12 < len(body) < _LARGEST:
            return None
        values = _integers(body[10:], wrapped=self.algorithm == _ECDH)
        if self.algorithm == _ECDH and body[9] == _ECDH and len(values) == 2:
            point, key = values
            return b"(7:enc-val(4:ecdh(1:s%b)(1:e%b)))" % (_netstring(bytes((len(key),)) + key), _netstring(point))
        if self.algorithm != _ECDH and body[9] in (_RSA, _RSA_ENCRYPT) and len(values) == 1:
            return b"(7:enc-val(3:rsa(1:a%b)))" % _netstring(values[0])
        return None

    def session_key(self, body: bytes, value: bytes, *, padded: bool) -> SessionKey | None:
        """Return the session key in a PKESK's body, of which the agent made `value`; None: it does not fit."""
        if self.algorithm == _ECDH:
            encoded = self._unwrapped(_integers(body[10:], wrapped=True)[1], value)
        else:
            encoded = _unpadded(value) if padded else value
        return None if encoded is None else _decoded(encoded)

    def _unwrapped(self, wrapped: bytes, point: bytes) -> bytes | None:
        if len(point) in (33, 65, 97, 133):
            # 0x40 and the x coordinate, or 0x04, x and y.
            point = point[1:] if point[0] == 0x40 else point[1 : 1 + len(point) // 2]
        context = self.curve + bytes((_ECDH,)) + self.kdf + _SENDER + bytes.fromhex(self.fingerprint)
        digest = hashed(self.kdf[2], b"\0\0\0\1" + point + context)
        try:
            encoded = aes_key_unwrap(digest[: _AES[self.kdf[3]]], wrapped)
        except (InvalidUnwrap, ValueError):
            return None
        padding = encoded[-1]
        return encoded[:-padding] if 0 < padding <= 8 else None


def hashed(algorithm: int, data: bytes) -> bytes:
    """Return a hash of data; `algorithm` is its number in OpenPGP (RFC 4880 9.4)."""
    digest = Hash(_HASHES[algorithm]())
    digest.update(data)
    return digest.finalize()


def own_keys(listing: Running) -> dict[str, OwnKey | None]:
    """Return the user's own keys by key id, expired and revoked ones too; None for one that gpg has to use.

    `listing` is what `command.start_listing` has started.
    """
    records = _records(listing.finish().out.decode("utf-8", "replace").splitlines())
    return {record["id"]: _own_key(record) for record in records if record["token"] != _NOT_HERE}


def _records(lines: Iterable[str]) -> list[dict[str, str]]:
    """Return what a colon listing (gnupg's doc/DETAILS) says of each key."""
    records: list[dict[str, str]] = []
    user_id = ""
    for line in lines:
        fields = line.split(":")
        match fields:
            case ["sec" | "ssb" as kind, *_]:
                records.append({"id": fields[4], "algorithm": fields[3], "token": fields[14]})
                user_id = "" if kind == "sec" else user_id
            case ["fpr" | "grp" as kind, *_] if records:
                records[-1].setdefault(kind, fields[9])
            case ["pkd", number, _, value, *_] if records:
                records[-1]["pkd" + number] = value
            case ["uid", *_] if records:
                user_id = user_id or fields[9]
                records[-1]["uid"] = user_id
        if records:
            records[-1].setdefault("uid", user_id)
    return records


def _own_key(record: dict[str, str]) -> OwnKey | None:
    fingerprint, keygrip = record.get("fpr", ""), record.get("grp", "")
    if len(fingerprint) != 40 or not keygrip:
        return None
    algorithm = int(record["algorithm"])
    on_card = record["token"] not in ("", "+")
    if algorithm in (_RSA, _RSA_ENCRYPT):
        return OwnKey(keygrip, fingerprint, algorithm, on_card, record["uid"])
    kdf = bytes.fromhex(record.get("pkd2", ""))
    if algorithm != _ECDH or record.get("pkd0") not in _CURVES:
        return None
    if len(kdf) != 4 or kdf[:2] != b"\3\1" or kdf[2] not in _HASHES or kdf[3] not in _AES:
        return None
    return OwnKey(keygrip, fingerprint, algorithm, on_card, record["uid"], bytes.fromhex(record["pkd0"]), kdf)


def _integers(data: bytes, *, wrapped: bool) -> list[bytes]:
    """Return the numbers in the rest of a PKESK; for ECDH (`wrapped`) the last has its length in one octet.

    An empty list where they do not fill it exactly.
    """
    size = int.from_bytes(data[:2], "big") + 7 >> 3
    first, rest = data[2 : 2 + size], data[2 + size :]
    if len(first) != size or not first:
        return []
    if not wrapped:
        return [first] if not rest else []
    return [first, rest[1:]] if rest and rest[0] == len(rest) - 1 else []


def _netstring(data: bytes) -> bytes:
    return b"%d:%b" % (len(data), data)


def _unpadded(block: bytes) -> bytes | None:
    """Undo PKCS#1 (RFC 4880 13.1.1), whose first zero the agent's answer has or has not."""
    block = block.removeprefix(b"\0")
    end = block.find(b"\0")
    return block[end + 1 :] if block[:1] == b"\2" and end > 0 else None


def _decoded(encoded: bytes) -> SessionKey | None:
    """Read algorithm, key and checksum (RFC 4880 5.1)."""
    algorithm, key, checksum = encoded[0] if encoded else 0, encoded[1:-2], encoded[-2:]
    if len(key) != _AES.get(algorithm) or sum(key) & 0xFFFF != int.from_bytes(checksum, "big"):
        return None
    return SessionKey(algorithm, key)
