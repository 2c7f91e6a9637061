"""The envelope of a KDBX file: header, key, payload. What lies in it is XML: see `_keepass`.

Files are opened here, with the primitives that pykeepass stands on, because pykeepass itself derives whatever key a
header asks for, inflates without an end, reads entities, and drops characters of values that it cannot hold. Files
are written by pykeepass, always fresh KDBX 4 (a 3.1 saved again is refused by KeePassXC).

1. The header is read, and its cost judged, before anything is derived: at most 1 GiB of memory and 64 GiB touched in
   all for Argon2, 500 million rounds for AES-KDF. KeePass and KeePassXC propose 64 MiB and about a second.
2. Every part is authenticated before it is used, as far as the version allows: KDBX 4 by an HMAC for the header and
   for each block; KDBX 3 by the hash of the header inside and one for each block.
3. No more is inflated than `limits.MAX_INFLATED`, and no more than 16 MiB decrypted that is encrypted by Twofish.
4. A wrong key is CannotDecrypt; all else that is wrong is BadFile.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotDecrypt
from clave.exchange import limits
from clave.exchange.format import BadFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SIGNATURE = bytes.fromhex("03d9a29a67fb4bb5")
_OLD_SIGNATURES = (bytes.fromhex("03d9a29a65fb4bb5"), bytes.fromhex("03d9a29a66fb4bb5"))  # KeePass 1, 2 before 2.0

MAX_ROUNDS = 500_000_000  # of AES-KDF: under a minute
MAX_ARGON2_MEMORY = 1 << 30  # bytes
MAX_ARGON2_WORK = 64 << 30  # bytes touched: memory times iterations
MAX_ARGON2_LANES = 64
MAX_TWOFISH = 16 << 20  # bytes
MAX_KEY_FILE = 16 << 20  # bytes

# What we write: Argon2id, about half a second of one core.
ITERATIONS, MEMORY, LANES = 12, 64 << 20, 2

_AES_KDF = bytes.fromhex("c9d9f39a628a4460bf740d08c18a4fea")
_ARGON2D = bytes.fromhex("ef636ddf8c29444b91f7a9a403e30a0c")
_ARGON2ID = bytes.fromhex("9e298b1956db4773b23dfc3ec6f0a1e6")
_AES = bytes.fromhex("31c1f2e6bf714350be5805216afc5aff")
_CHACHA20 = bytes.fromhex("d6038a2b8b6f4cb5a524339a31dbb59a")
_TWOFISH = bytes.fromhex("ad68f29f576f4bb9a36ad47af965346c")

# Fields of the header; 3.1 only: TRANSFORM_SEED to STREAM_ID, 4 only: KDF.
_END, _CIPHER, _COMPRESSION, _MASTER_SEED, _TRANSFORM_SEED, _ROUNDS, _IV = 0, 2, 3, 4, 5, 6, 7
_STREAM_KEY, _START, _STREAM_ID, _KDF = 8, 9, 10, 11
_INNER_STREAM_ID, _INNER_STREAM_KEY, _INNER_BINARY = 1, 2, 3
_SALSA20, _CHACHA20_STREAM = 2, 3
_SALSA20_NONCE = bytes.fromhex("e830094b97205d2a")


class Opened(NamedTuple):
    """What a file holds.

    The XML; the attachments (KDBX 4); what decrypts protected values, one after the other; and the hash of the header
    that the XML must repeat (KDBX 3).
    """

    xml: bytes
    binaries: tuple[bytes, ...]
    unprotect: Callable[[bytes], bytes]
    header_hash: bytes | None


def composite(password: str | None, key_file: bytes | None) -> bytes:
    """Return the key that a password and the content of a key file make. Raises BadFile for a damaged key file."""
    import io

    from pykeepass.kdbx_parsing.common import compute_key_composite

    if key_file is not None and len(key_file) > MAX_KEY_FILE:
        raise BadFile(f"a key file of more than {MAX_KEY_FILE >> 20} MiB is not read", "Name the right one.")
    try:
        found: bytes = compute_key_composite(password=password, keyfile=io.BytesIO(key_file) if key_file else None)
    except (OSError, AssertionError, ValueError, LookupError, TypeError):
        raise BadFile("the key file is damaged", "Take it from a backup.") from None
    return found


def open_file(data: bytes, key: Callable[[], bytes]) -> Opened:
    """Open a file. `key` returns the composite key; it is called once the header is found to be one we take."""
    if data[:8] in _OLD_SIGNATURES:
        raise BadFile("the file is of KeePass 1", "Open it in KeePassXC or KeePass 2, save it there as KDBX 4.")
    if data[:8] != SIGNATURE or len(data) < 12:
        raise BadFile("the file is no KDBX database", "Name the database of KeePass or KeePassXC.")
    minor, major = struct.unpack_from("<HH", data, 8)
    if major not in (3, 4):
        raise BadFile(f"the file is KDBX {major}.{minor}, which clave does not know", "Save it as KDBX 4.")
    fields, end = _header(data, wide=major == 4)
    _need(fields, _CIPHER, _COMPRESSION, _MASTER_SEED, _IV)
    if fields[_CIPHER] not in (_AES, _CHACHA20, _TWOFISH):
        raise BadFile("the file's cipher is not one that clave knows", "Change it to AES or ChaCha20 in KeePassXC.")
    return _open4(data, end, fields, key) if major == 4 else _open3(data, end, fields, key)


# KDBX 4


def _open4(data: bytes, end: int, fields: Mapping[int, bytes], key: Callable[[], bytes]) -> Opened:
    _need(fields, _KDF)
    derive = _kdf(_variants(fields[_KDF]))
    header, sha, mac = data[:end], data[end : end + 32], data[end + 32 : end + 64]
    if len(mac) < 32 or hashlib.sha256(header).digest() != sha:
        raise _damaged("its header")
    transformed = derive(key())
    seed = fields[_MASTER_SEED]
    mac_key = hashlib.sha512(seed + transformed + b"\1").digest()
    if not hmac.compare_digest(_mac(mac_key, 2**64 - 1, header), mac):
        raise _wrong_key()
    blocks = b"".join(_blocks4(data, end + 64, mac_key))
    payload = _inflated(_decrypted(fields, hashlib.sha256(seed + transformed).digest(), blocks), fields)
    stream, stream_key, binaries, at = 0, b"", [], 0
    while True:
        if at + 5 > len(payload):
            raise _damaged("its inner header")
        kind, size = struct.unpack_from("<Bi", payload, at)
        value = payload[at + 5 : at + 5 + size]
        if size < 0 or len(value) < size:
            raise _damaged("its inner header")
        at += 5 + size
        if kind == _END:
            break
        if kind == _INNER_BINARY:
            binaries.append(value[1:])  # the first byte: whether to protect it in memory
        elif kind == _INNER_STREAM_ID and size == 4:
            (stream,) = struct.unpack("<I", value)
        elif kind == _INNER_STREAM_KEY:
            stream_key = value
    return Opened(payload[at:], tuple(binaries), _stream(stream, stream_key), None)


def _mac(mac_key: bytes, number: int, content: bytes) -> bytes:
    index = struct.pack("<Q", number)
    return hmac.digest(hashlib.sha512(index + mac_key).digest(), content, "sha256")


def _blocks4(data: bytes, at: int, mac_key: bytes) -> Iterator[bytes]:
    number = 0
    while True:
        mac, head = data[at : at + 32], data[at + 32 : at + 36]
        if len(head) < 4:
            raise _damaged("it is cut off")
        (size,) = struct.unpack("<I", head)
        block = data[at + 36 : at + 36 + size]
        if len(block) < size:
            raise _damaged("it is cut off")
        if not hmac.compare_digest(_mac(mac_key, number, struct.pack("<Q", number) + head + block), mac):
            raise _damaged(f"its block {number + 1}")
        if not size:
            return
        yield block
        number, at = number + 1, at + 36 + size


# KDBX 3


def _open3(data: bytes, end: int, fields: Mapping[int, bytes], key: Callable[[], bytes]) -> Opened:
    _need(fields, _TRANSFORM_SEED, _ROUNDS, _STREAM_KEY, _START, _STREAM_ID)
    if len(fields[_ROUNDS]) != 8 or len(fields[_STREAM_ID]) != 4 or len(fields[_START]) != 32:
        raise _damaged("its header")
    derive = _aes_kdf(fields[_TRANSFORM_SEED], struct.unpack("<Q", fields[_ROUNDS])[0])
    if end >= len(data):
        raise _damaged("it is cut off")
    master = hashlib.sha256(fields[_MASTER_SEED] + derive(key())).digest()
    clear = _decrypted(fields, master, data[end:], wrong_key=True)
    if not hmac.compare_digest(clear[:32], fields[_START]):
        raise _wrong_key()
    xml = _inflated(b"".join(_blocks3(clear, 32)), fields)
    stream = _stream(struct.unpack("<I", fields[_STREAM_ID])[0], fields[_STREAM_KEY])
    return Opened(xml, (), stream, hashlib.sha256(data[:end]).digest())


def _blocks3(clear: bytes, at: int) -> Iterator[bytes]:
    number = 0
    while True:
        if at + 40 > len(clear):
            raise _damaged("it is cut off")
        index, sha, size = struct.unpack_from("<I32sI", clear, at)
        block = clear[at + 40 : at + 40 + size]
        if index != number or len(block) < size or (size and hashlib.sha256(block).digest() != sha):
            raise _damaged(f"its block {number + 1}")
        if not size:
            return
        yield block
        number, at = number + 1, at + 40 + size


# Header and key


def _header(data: bytes, *, wide: bool) -> tuple[dict[int, bytes], int]:
    """Return the fields of a header, and where it ends."""
    fields: dict[int, bytes] = {}
    at, layout = 12, "<BI" if wide else "<BH"
    while True:
        start = at + struct.calcsize(layout)
        if start > len(data):
            raise _damaged("its header is cut off")
        kind, size = struct.unpack_from(layout, data, at)
        value, at = data[start : start + size], start + size
        if len(value) < size:
            raise _damaged("its header is cut off")
        if kind == _END:
            return fields, at
        fields[kind] = value


def _variants(data: bytes) -> dict[str, tuple[int, bytes]]:
    """Return a dictionary of KDBX 4: type and value by name."""
    found: dict[str, tuple[int, bytes]] = {}
    at = 2
    try:
        while data[at]:
            kind, size = struct.unpack_from("<BI", data, at)
            name, at = data[at + 5 : at + 5 + size].decode(), at + 5 + size
            (size,) = struct.unpack_from("<I", data, at)
            found[name], at = (kind, data[at + 4 : at + 4 + size]), at + 4 + size
    except (IndexError, struct.error, UnicodeDecodeError):
        raise _damaged("its header") from None
    return found


def _kdf(parameters: Mapping[str, tuple[int, bytes]]) -> Callable[[bytes], bytes]:
    """Return what derives the key as a KDBX 4 header asks. Raises BadFile for what costs more than we are ready for."""

    def number(name: str) -> int:
        value = parameters.get(name, (0, b""))[1]
        if len(value) not in (4, 8):
            raise _damaged("its header")
        return int.from_bytes(value, "little")

    kind, salt = (parameters.get(name, (0, b""))[1] for name in ("$UUID", "S"))
    if kind == _AES_KDF:
        return _aes_kdf(salt, number("R"))
    if kind not in (_ARGON2D, _ARGON2ID) or {"K", "A"} & parameters.keys():
        raise BadFile("the file's key derivation is not one that clave knows", "Change it to Argon2id in KeePassXC.")
    memory, iterations, lanes, version = number("M"), number("I"), number("P"), number("V")
    if memory > MAX_ARGON2_MEMORY or memory * iterations > MAX_ARGON2_WORK or lanes > MAX_ARGON2_LANES:
        raise _too_costly(f"{memory / 2**20:.0f} MiB of memory, {iterations} times, in {lanes} threads")
    if not iterations or not lanes or version not in (0x10, 0x13) or memory < 8192 * lanes or len(salt) < 8:
        raise _damaged("its header")

    def derive(key: bytes) -> bytes:
        from argon2 import exceptions, low_level

        variant = low_level.Type.ID if kind == _ARGON2ID else low_level.Type.D
        try:
            return low_level.hash_secret_raw(key, salt, iterations, memory >> 10, lanes, 32, variant, version)
        except exceptions.HashingError:
            raise BadFile("the file's key cannot be derived here: too little memory, or odd parameters") from None

    return derive


def _aes_kdf(seed: bytes, rounds: int) -> Callable[[bytes], bytes]:
    if rounds > MAX_ROUNDS:
        raise _too_costly(f"{rounds} rounds of AES")
    if len(seed) != 32:
        raise _damaged("its header")
    return lambda key: hashlib.sha256(
        _aes_rounds(seed, key[:16], rounds) + _aes_rounds(seed, key[16:], rounds)
    ).digest()


def _aes_rounds(seed: bytes, block: bytes, rounds: int) -> bytes:
    """Return a block encrypted so many times over: CBC does that to zeros, and all in C."""
    from Cryptodome.Cipher import AES

    cipher = AES.new(seed, AES.MODE_CBC, iv=block)
    step = 1 << 16
    zeros = bytes(16 * step)
    while rounds:
        many = min(rounds, step)
        block = cipher.encrypt(zeros[: 16 * many])[-16:]
        rounds -= many
    return block


# Payload


def _decrypted(fields: Mapping[int, bytes], master: bytes, content: bytes, *, wrong_key: bool = False) -> bytes:
    """Return the payload. Of KDBX 3 a padding that is none means, as likely as not, a wrong key."""
    from Cryptodome.Cipher import AES, ChaCha20
    from Cryptodome.Util.Padding import unpad

    kind, iv = fields[_CIPHER], fields[_IV]
    if kind != _CHACHA20 and len(content) % 16:
        raise _damaged("it is cut off")
    try:
        if kind == _CHACHA20:
            return ChaCha20.new(key=master, nonce=iv).decrypt(content)
        clear = AES.new(master, AES.MODE_CBC, iv).decrypt(content) if kind == _AES else _twofish(master, iv, content)
    except (ValueError, TypeError):
        raise _damaged("its header") from None
    try:
        return unpad(clear, 16)
    except ValueError:
        if wrong_key and clear[:32] != fields[_START]:
            raise _wrong_key() from None
        raise _damaged("it is cut off") from None


def _twofish(master: bytes, iv: bytes, content: bytes) -> bytes:
    """Decrypt by pykeepass, which does it in Python: half a megabyte a second, if it gets little at a time."""
    from pykeepass.kdbx_parsing.twofish import Twofish

    if len(content) > MAX_TWOFISH:
        what = f"the file is larger than {MAX_TWOFISH >> 20} MiB and encrypted by Twofish"
        raise BadFile(what, "Change that to AES or ChaCha20 in KeePassXC.")
    step = 1 << 14
    starts = [iv, *(content[at - 16 : at] for at in range(step, len(content), step))]
    return b"".join(
        Twofish.new(master, mode=Twofish.MODE_CBC, IV=start).decrypt(content[number * step : (number + 1) * step])
        for number, start in enumerate(starts)
    )


def _inflated(data: bytes, fields: Mapping[int, bytes]) -> bytes:
    return gunzip(data) if fields[_COMPRESSION][:1] == b"\1" else data


def gunzip(data: bytes, limit: int | None = None) -> bytes:
    """Return what gzip made smaller. Raises BadFile for more than `limit` bytes, or what is not gzip's."""
    import zlib

    limit = limits.MAX_INFLATED if limit is None else limit
    engine = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        found = engine.decompress(data, limit + 1)
    except zlib.error:
        raise _damaged("what is compressed in it") from None
    if len(found) > limit:
        raise BadFile(f"the file inflates to more than {limit >> 20} MiB", "Save it without the large attachments.")
    if not engine.eof:
        raise _damaged("what is compressed in it")
    return found


def _stream(kind: int, key: bytes) -> Callable[[bytes], bytes]:
    """Return what decrypts the protected values, which are one stream."""
    from Cryptodome.Cipher import ChaCha20, Salsa20

    if kind == _SALSA20:
        return Salsa20.new(key=hashlib.sha256(key).digest(), nonce=_SALSA20_NONCE).decrypt
    if kind == _CHACHA20_STREAM:
        both = hashlib.sha512(key).digest()
        return ChaCha20.new(key=both[:32], nonce=both[32:44]).decrypt
    if kind == 0:
        return bytes
    raise BadFile("the file protects its values in a way that clave does not know", "Save it again in KeePassXC.")


# Writing


def seal(xml: bytes, binaries: Sequence[bytes], password: str | None, key_file: bytes | None) -> bytes:
    """Return a fresh KDBX 4 file; in the XML, values with the attribute Protected="True" are encrypted once more."""
    import io

    from construct import Container
    from lxml import etree
    from pykeepass import PyKeePass
    from pykeepass.pykeepass import BLANK_DATABASE_LOCATION

    composite(password, key_file)  # tells of a key file that is damaged
    blank = PyKeePass(BLANK_DATABASE_LOCATION, transformed_key=_blank_key())  # what pykeepass begins new ones with
    parameters = blank.kdbx.header.value.dynamic_header.kdf_parameters.data.dict
    for name, value in (("$UUID", _ARGON2ID), ("I", ITERATIONS), ("M", MEMORY), ("P", LANES)):
        parameters[name].value = value
    payload = blank.kdbx.body.payload
    payload.xml = etree.parse(io.BytesIO(xml), etree.XMLParser(huge_tree=True, resolve_entities=False))
    payload.inner_header.binary.extend(Container(type="binary", data=b"\1" + each) for each in binaries)
    # Setting them through the properties would note in the XML when the key changed.
    blank._password, blank._keyfile = password, io.BytesIO(key_file) if key_file else None  # noqa: SLF001
    out = io.BytesIO()
    blank.save(out)
    return out.getvalue()


@cache
def _blank_key() -> bytes:
    from pykeepass import PyKeePass
    from pykeepass.pykeepass import BLANK_DATABASE_LOCATION, BLANK_DATABASE_PASSWORD

    key: bytes = PyKeePass(BLANK_DATABASE_LOCATION, BLANK_DATABASE_PASSWORD, decrypt=False).transformed_key
    return key


# Errors


def _need(fields: Mapping[int, bytes], *wanted: int) -> None:
    if not all(each in fields for each in wanted):
        raise _damaged("its header lacks a part")


def _damaged(what: str) -> BadFile:
    return BadFile(f"the database is damaged: {what}", "Take it from a backup.")


def _too_costly(what: str) -> BadFile:
    return BadFile(
        f"the file asks for {what} to derive its key: that is not done", "Lower it in KeePassXC (Database security)."
    )


def _wrong_key() -> CannotDecrypt:
    return CannotDecrypt(
        "the password or the key file of the database is wrong",
        "Try again; a database that wants a hardware key has to be saved without it first.",
    )
