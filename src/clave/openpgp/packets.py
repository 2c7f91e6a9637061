"""The outside of an OpenPGP message: what may be opened at all, and for whom it is.

Nothing is decrypted here. gpg would print an unencrypted message as if it were a secret (exit code 0), ask for
a password, or read two messages in a row; whoever can push could plant those. So a file is a secret only if

- it is, after removing the ASCII armor, a sequence of whole packets and nothing else;
- the first packets are PKESKs (a session key for one recipient): at least one, at most 1,024 that name their
  key and at most 16 that hide it (each hidden one costs gpg a try of every secret key);
- then comes exactly one encrypted-data packet, with integrity protection (tag 18, or 20 of GnuPG 2.4);
- marker packets (RFC 4880 5.8) and padding (RFC 9580 5.14) are passed over.

RFC 4880 section 4 and RFC 9580 section 4 say how packets are framed. Imported by the fast path.
"""

from __future__ import annotations

from clave.errors import BadMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NAMED = 1024
MAX_HIDDEN = 16
HIDDEN = "0" * 16  # the key id of a recipient who is not named (RFC 4880 5.1)

SIGNATURE, COMPRESSED, LITERAL = 2, 8, 11
PKESK, SEIPD = 1, 18

_MARKER, _AEAD, _PADDING = 10, 20, 21
# The only packets that may come in parts (RFC 4880 4.2.2.4).
_IN_PARTS = (COMPRESSED, 9, LITERAL, SEIPD, _AEAD)
_REFUSED = {
    2: "it is signed, not encrypted",
    3: "it is encrypted with a password, not to keys",
    4: "it is signed, not encrypted",
    8: "it is compressed, not encrypted",
    9: "it has no integrity protection",
    11: "it is not encrypted",
}
_ARMOR = b"-----BEGIN PGP MESSAGE-----"
_ARMOR_END = b"-----END PGP MESSAGE-----"


class Message:
    """What can be seen of a message.

    `recipients` are the key ids of its PKESKs (16 hex digits) in their order, `bodies` says where the bodies of
    these packets begin and end. `data_tag` is the tag of its encrypted-data packet, which begins at `data_at`.
    """

    __slots__ = ("bodies", "data_at", "data_tag", "recipients")

    def __init__(self) -> None:
        self.recipients: list[str] = []
        self.bodies: list[tuple[int, int]] = []
        self.data_tag = 0
        self.data_at = 0


_TEXT = 32  # bytes of an encrypted text that tell it from all others; none is shorter


def dearmor(data: bytes) -> bytes:
    """Return the binary message; one that is binary already comes back as it is. Raises BadMessage."""
    if not data.lstrip(b"\r\n\t ").startswith(_ARMOR):
        return data
    lines = [line.rstrip(b"\r\t ") for line in data.strip(b"\r\n\t ").split(b"\n")]
    if lines[0] != _ARMOR or lines[-1] != _ARMOR_END or b"" not in lines:
        raise BadMessage("its ASCII armor is broken")
    from binascii import Error as Base64Error
    from binascii import a2b_base64

    body = lines[lines.index(b"") + 1 : -1]
    while body and not body[-1]:
        body.pop()
    checksum = body.pop()[1:] if body and body[-1].startswith(b"=") and len(body[-1]) == 5 else None
    try:
        binary = a2b_base64(b"".join(body), strict_mode=True)
        wanted = None if checksum is None else a2b_base64(checksum, strict_mode=True)
    except Base64Error:
        raise BadMessage("its ASCII armor is broken") from None
    if wanted is not None and _crc24(binary) != int.from_bytes(wanted, "big"):
        raise BadMessage("its ASCII armor has a wrong checksum")
    return binary


def armor(data: bytes, block: bytes) -> bytes:
    """Return binary data as ASCII armor, as a block of this name (`PGP PUBLIC KEY BLOCK`)."""
    from binascii import b2a_base64

    lines = [b2a_base64(data[at : at + 48]) for at in range(0, len(data), 48)]
    checksum = b"=" + b2a_base64(_crc24(data).to_bytes(3, "big"))
    return b"-----BEGIN %s-----\n\n%s%s-----END %s-----\n" % (block, b"".join(lines), checksum, block)


def inspect(data: bytes) -> Message:
    """Return recipients and kind of a binary message. Raises BadMessage for all but what the module says."""
    message, end = Message(), 0
    if not data:
        raise BadMessage("it is empty")
    while end < len(data):
        at = end
        tag, start, end = _packet(data, at)
        if tag in (_MARKER, _PADDING):
            continue
        if message.data_tag:
            raise BadMessage("something follows the encrypted data")
        if tag == PKESK:
            message.recipients.append(_recipient(data[start : min(end, start + 40)]))
            message.bodies.append((start, end))
            _check_limits(message.recipients)
        elif tag in (SEIPD, _AEAD):
            if not message.recipients:
                raise BadMessage("it is not encrypted to any key")
            message.data_tag, message.data_at = tag, at
        else:
            raise BadMessage(_REFUSED.get(tag, "it is not an encrypted OpenPGP message"))
    if not message.data_tag:
        raise BadMessage("the encrypted data is missing")
    return message


def content(data: bytes) -> tuple[int, bytes]:
    """Return tag and body of the one packet that `data` is, the parts of the body joined. Raises BadMessage."""
    if not data:
        raise BadMessage("it is empty")
    tag, start, end = _packet(data, 0)
    if end != len(data):
        raise BadMessage("something follows the packet")
    return tag, b"".join(_parts(data)) if _is_in_parts(data) else data[start:end]


def text(data: bytes, message: Message) -> bytes:
    """Return the beginning of a message's encrypted text, which no other text has: it begins with random bytes.

    It is the same however the message is framed, and whomever it is for.
    """
    _, start, end = _packet(data, message.data_at)
    body = data[message.data_at : end]
    return (b"".join(_parts(body)) if _is_in_parts(body) else data[start:end])[:_TEXT]


def subpackets(area: bytes) -> Iterator[bytes]:
    """Yield type and body of each subpacket of a signature, in one piece (RFC 4880 5.2.3.1)."""
    at = 0
    while at < len(area):
        first = area[at]
        if first < 192:
            size, at = first, at + 1
        elif first < 255:
            size, at = (first - 192 << 8) + int.from_bytes(area[at + 1 : at + 2], "big") + 192, at + 2
        else:
            size, at = int.from_bytes(area[at + 1 : at + 5], "big"), at + 5
        yield area[at : at + size] or b"\0"
        at += size


def _is_in_parts(data: bytes) -> bool:
    return data[0] & 0x40 != 0 and 224 <= data[1] < 255


def _parts(data: bytes) -> Iterator[bytes]:
    """Yield the parts of a packet's body whose lengths `_packet` has checked."""
    at = 1
    while 224 <= data[at] < 255:
        end = at + 1 + (1 << (data[at] & 0x1F))
        yield data[at + 1 : end]
        at = end
    yield data[_new_body(data, at, LITERAL)[0] :]


def _check_limits(recipients: list[str]) -> None:
    count = len(recipients)
    hidden = recipients.count(HIDDEN) if recipients[-1] == HIDDEN or count > MAX_NAMED else 0
    if hidden > MAX_HIDDEN or count - hidden > MAX_NAMED:
        raise BadMessage(f"it has more than {MAX_NAMED} recipients, or more than {MAX_HIDDEN} hidden ones")


def _recipient(body: bytes) -> str:
    """Return the key id that a PKESK is for (RFC 4880 5.1, RFC 9580 5.1)."""
    if len(body) > 9 and body[0] in (2, 3):
        return body[1:9].hex().upper()
    if len(body) > 1 and body[0] == 6:
        length, version = body[1], body[2:3]
        if length == 0:
            return HIDDEN
        fingerprint = body[3 : 2 + length]
        if version == b"\x04" and len(fingerprint) == 20:
            return fingerprint[-8:].hex().upper()
        if version == b"\x06" and len(fingerprint) == 32:
            return fingerprint[:8].hex().upper()
    raise BadMessage("it has a recipient of an unknown form")


def _packet(data: bytes, at: int) -> tuple[int, int, int]:
    """Return tag, start of the body, and end of the packet at `at`. The body of partial lengths is not joined."""
    first = data[at]
    if not first & 0x80:
        raise BadMessage("it is not an OpenPGP message")
    try:
        if first & 0x40:
            return (first & 0x3F, *_new_body(data, at + 1, first & 0x3F))
        tag, kind = first >> 2 & 0xF, first & 3
        if kind == 3:  # a packet that reaches to the end of the file; encrypted data has no such form
            if tag in (PKESK, _MARKER):
                raise BadMessage("a packet that must have a length has none")
            return tag, at + 1, len(data)
        octets = 1 << kind
        start = at + 1 + octets
        length = int.from_bytes(_exactly(data, at + 1, octets), "big")
    except IndexError:
        raise BadMessage("it is cut off") from None
    return tag, start, _within(data, start + length)


def _new_body(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Return start and end of a body with new-format lengths at `at` (RFC 4880 4.2.2)."""
    start = 0
    while True:
        octet = data[at]
        if octet < 192:
            length, at = octet, at + 1
        elif octet < 224:
            length, at = (octet - 192 << 8) + data[at + 1] + 192, at + 2
        elif octet == 255:
            length, at = int.from_bytes(_exactly(data, at + 1, 4), "big"), at + 5
        else:
            if tag not in _IN_PARTS:
                raise BadMessage("a packet that may not be in parts is in parts")
            length, at = 1 << (octet & 0x1F), at + 1
            start = start or at
            at = _within(data, at + length)
            continue
        return start or at, _within(data, at + length)


def _exactly(data: bytes, at: int, count: int) -> bytes:
    if at + count > len(data):
        raise BadMessage("it is cut off")
    return data[at : at + count]


def _within(data: bytes, end: int) -> int:
    if end > len(data):
        raise BadMessage("it is cut off")
    return end


def _crc24(data: bytes) -> int:
    """Return the checksum of ASCII armor (RFC 4880 6.1)."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc & 0xFFFFFF
