"""What is opened in this process is what gpg gives: the same bytes, the same refusals."""

from __future__ import annotations

import bz2
import zlib
from typing import TYPE_CHECKING

import pysequoia
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clave.errors import BadMessage, CannotDecrypt
from clave.openpgp import bridge, packets
from clave.openpgp.command import start_listing
from clave.openpgp.engine import Opener
from clave.openpgp.message import decrypt
from tests.openpgp.own import KINDS, Owner, in_parts, literal, message_start, packet

if TYPE_CHECKING:
    from collections.abc import Sequence

CANARY = b"canary-9d2f\nuser: me\n"
IN_PROCESS = tuple(kind for kind in KINDS if kind not in ("brainpoolP256r1", "elg1024"))


def by_gpg(message: bytes) -> bytes | tuple[type, str]:
    """Return what gpg gives, or how it is refused."""
    try:
        return decrypt(message, name="x")
    except CannotDecrypt as refusal:
        return type(refusal), refusal.message


def in_process(messages: Sequence[bytes]) -> list[bytes | tuple[type, str] | None]:
    """Return the same without a gpg; None: gpg would be asked."""
    with start_listing() as listing:
        opener = Opener.start(listing)
    assert opener
    found = [opened for _, _, opened in opener.open(("x", message) for message in messages)]
    return [(type(each), each.message) if isinstance(each, CannotDecrypt) else each for each in found]


def agree(message: bytes) -> bool:
    """Check that both ways agree; tell whether gpg was not needed."""
    (ours,) = in_process([message])
    assert ours is None or ours == by_gpg(message)
    return ours is not None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key(as_olga: Owner, kind: str) -> None:
    # Several: an RSA number may begin with zeros, and session keys differ in their last octet.
    for number in range(4):
        secret = CANARY + b"%d" % number
        message = as_olga.seal(secret, key=kind)
        assert by_gpg(message) == secret
        assert in_process([message]) == [secret if kind in IN_PROCESS else None]


MADE_BY_GPG = {
    "none": (CANARY, ("-z", "0"), True),
    "zip": (CANARY * 40, ("--compress-algo", "zip"), True),
    "zlib": (CANARY * 40, ("--compress-algo", "zlib"), True),
    "bzip2": (CANARY * 40, ("--compress-algo", "bzip2"), False),
    "empty": (b"", (), True),
    "empty, not compressed": (b"", ("-z", "0"), True),
    "60 kB": (bytes(range(256)) * 240, ("-z", "0"), True),
    "70 kB": (bytes(range(256)) * 280, ("-z", "0"), False),
    "60 kB of random octets, compressed": (zlib.compress(bytes(range(256)) * 4) * 150, (), True),
    "binary with carriage returns": (b"a\r\nb\rc\n", (), True),
    "text of one line": (b"ab", ("-t",), True),
    "text": (b"a\nb\n", ("-t",), False),
    "text with carriage returns": (b"a\r\nb\rc\n", ("-t",), False),
    "text in UTF-8": ("ä\n\u2028ö".encode(), ("-t",), False),
    "a file name": (CANARY, ("--set-filename", "../x"), True),
    "for your eyes only": (CANARY, ("--for-your-eyes-only",), True),
    "armored": (CANARY, ("--armor",), True),
    "signed": (CANARY, ("--sign",), False),
    "signed, not compressed": (CANARY, ("--sign", "-z", "0"), False),
    "hidden": (CANARY, ("--throw-keyids",), False),
    "openpgp": (CANARY, ("--openpgp",), True),
    "rfc4880": (CANARY, ("--rfc4880",), True),
    **{
        cipher: (CANARY, ("--cipher-algo", cipher), cipher.startswith("AES"))
        for cipher in ("AES", "AES192", "AES256", "3DES", "CAST5", "BLOWFISH", "TWOFISH", "CAMELLIA128", "CAMELLIA256")
    },
}


@pytest.mark.parametrize("how", MADE_BY_GPG)
def test_what_gpg_writes(as_olga: Owner, how: str) -> None:
    plaintext, options, without_gpg = MADE_BY_GPG[how]
    message = as_olga.seal(plaintext, *options)
    assert agree(message) is without_gpg
    if "-t" not in options:
        assert by_gpg(message) == plaintext


def test_several_of_our_keys_and_those_of_others(as_olga: Owner, people: object) -> None:
    (mallory,) = people("mallory")  # type: ignore[operator]
    as_olga.person.gpg("--import", input=mallory.gpg("--export"))
    recipients = [mallory.fingerprint, f"{as_olga.keys['elg1024']}!", f"{as_olga.keys['nistp384']}!"]
    argv = [word for each in recipients for word in ("-r", each)]
    message = as_olga.person.gpg("--trust-model", "always", *argv, "-e", input=CANARY)
    assert in_process([message]) == [CANARY]
    foreign = as_olga.person.gpg("--trust-model", "always", "-r", mallory.fingerprint, "-e", input=CANARY)
    assert agree(foreign)
    assert in_process([foreign, message]) == [by_gpg(foreign), CANARY]


def test_an_expired_and_a_revoked_subkey_still_open_what_is_old(as_olga: Owner, people: object) -> None:
    (carol,) = people("carol")  # type: ignore[operator]
    old = carol.gpg("--list-keys", "--with-colons").decode().split("ssb:")[0].split("fpr:")[-1].split(":")[8]
    message = carol.gpg("-e", "-r", f"{old}!", input=CANARY)
    carol.gpg("--quick-set-expire", carol.fingerprint, "seconds=1", old)
    carol.gpg("--passphrase", "", "--quick-add-key", carol.fingerprint, "cv25519", "encr", "never")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GNUPGHOME", str(carol.gnupg))
        assert in_process([message]) == [CANARY] == [by_gpg(message)]


# Packets


def test_forms_of_packets(as_olga: Owner) -> None:
    message = as_olga.seal(CANARY * 60, "-z", "0")
    at = message_start(message)
    _, body = packets.content(message[at:])
    start, end = packets.inspect(message).bodies[0]
    key = message[start:end]
    for head in (packet(1, key), bytes([0x86, *len(key).to_bytes(4, "big")]) + key):
        for data in (
            packet(18, body),
            in_parts(18, body, [9]),
            in_parts(18, body, [9, 0, 1, 3]),
            bytes([0xC0 | 18, 0xE9]) + body[:512] + packet(18, body[512:])[1:],
        ):
            assert in_process([head + data]) == [CANARY * 60], (head[0], data[:3])
            assert by_gpg(head + data) == CANARY * 60
            agree(packet(10, b"PGP") + head + data)
    agree(message[:at] + in_parts(18, body, [0, 1, 2, 9, 3]))


INSIDE = {
    "literal": literal(CANARY),
    "old header": b"\xac" + bytes([6 + len(CANARY)]) + b"b\0\0\0\0\0" + CANARY,
    "to the end": b"\xaf" + b"b\0\0\0\0\0" + CANARY,
    "in parts": in_parts(11, b"b\0\0\0\0\0" + CANARY * 100, [9, 9]),
    "in small parts": in_parts(11, b"b\0\0\0\0\0" + CANARY, [1, 2]),
    "text": literal(b"a\nb", kind=b"t"),
    "text, CR": literal(b"a\r\nb", kind=b"t"),
    "utf-8": literal(b"a\nb", kind=b"u"),
    "utf-8, CR": literal(b"a\r\nb", kind=b"u"),
    "local": literal(b"a\r\nb", kind=b"l"),
    "old local": literal(b"a\r\nb", kind=b"1"),
    "mime": literal(b"a\r\nb", kind=b"m"),
    "unknown kind": literal(b"a\r\nb", kind=b"\xff"),
    "a name": literal(CANARY, name=b"x" * 255),
    "nothing": b"",
    "two": literal(CANARY) * 2,
    "rubbish": literal(CANARY) + b"\x01",
    "marker": packet(10, b"PGP") + literal(CANARY),
    "marker after": literal(CANARY) + packet(10, b"PGP"),
    "cut": literal(CANARY)[:-3],
    "no header": packet(11, b""),
    "short name": packet(11, b"b\x20abc"),
    "zip": packet(8, b"\x01" + zlib.compress(literal(CANARY))[2:-4]),
    "zlib": packet(8, b"\x02" + zlib.compress(literal(CANARY))),
    "bzip2": packet(8, b"\x03" + bz2.compress(literal(CANARY))),
    "not compressed": packet(8, b"\x00" + literal(CANARY)),
    "unknown compression": packet(8, b"\x09" + literal(CANARY)),
    "zlib with a wrong checksum": packet(8, b"\x02" + zlib.compress(literal(CANARY))[:-1] + b"x"),
    "zlib, cut": packet(8, b"\x02" + zlib.compress(literal(CANARY))[:-9]),
    "zlib, and more": packet(8, b"\x02" + zlib.compress(literal(CANARY)) + b"more"),
    "zlib in parts": in_parts(8, b"\x02" + zlib.compress(literal(CANARY * 500), 0), [9]),
    "zlib to the end": b"\xa3\x02" + zlib.compress(literal(CANARY)),
    "zlib of two": packet(8, b"\x02" + zlib.compress(literal(CANARY) * 2)),
    "zlib, text, CR": packet(8, b"\x02" + zlib.compress(literal(b"a\r\nb", kind=b"t"))),
    "twice compressed": packet(8, b"\x02" + zlib.compress(packet(8, b"\x02" + zlib.compress(literal(CANARY))))),
    "compressed nothing": packet(8, b"\x02" + zlib.compress(b"")),
    "a signature after": literal(CANARY) + packet(2, b"\x04" + bytes(20)),
    "a signature before": packet(2, b"\x04" + bytes(20)) + literal(CANARY),
    "a password": packet(3, b"\x04\x09\x00\x08"),
    "private": packet(60, b"x") + literal(CANARY),
    "trust": packet(12, b"x") + literal(CANARY),
    "padding": literal(CANARY) + packet(21, b"xxxx"),
}


@pytest.mark.parametrize("what", INSIDE)
def test_anything_inside(as_olga: Owner, what: str) -> None:
    agree(as_olga.seal_packets(INSIDE[what]))


def test_the_frame_of_what_is_inside(as_olga: Owner) -> None:
    for start in (bytes(18), bytes(range(16)) + b"\x0e\x0f", bytes(range(18)), bytes(17), bytes(19)):
        agree(as_olga.seal_packets(literal(CANARY), start=start))
    for end in (b"\xd3\x14", b"\xd3\x15", b"\xd2\x14", b"\xce\x14", b"", b"\xd3", b"\xd3\xff\0\0\0\x14"):
        agree(as_olga.seal_packets(literal(CANARY), end=end))


def test_what_is_plain_inside_needs_no_gpg(as_olga: Owner) -> None:
    plain = (
        "literal",
        "old header",
        "to the end",
        "in parts",
        "text",
        "zip",
        "zlib",
        "zlib in parts",
        "zlib to the end",
    )
    for what in plain:
        assert agree(as_olga.seal_packets(INSIDE[what])), what


def test_a_message_within_a_message(as_olga: Owner) -> None:
    assert in_process([as_olga.seal_packets(as_olga.seal(CANARY))]) == [None]


@pytest.mark.parametrize("octets", [1 << 20, 50 << 20])
def test_a_bomb_is_not_inflated_here(as_olga: Owner, octets: int) -> None:
    bomb = zlib.compressobj(9)
    data = bomb.compress(literal(bytes(octets))) + bomb.flush()
    message = as_olga.seal_packets(packet(8, b"\x02" + data))
    assert len(message) < 64 << 10
    assert in_process([message]) == [None]


def test_a_literal_of_nearly_the_limit(as_olga: Owner) -> None:
    content = b"x" * ((1 << 20) - 100)
    message = as_olga.seal_packets(packet(8, b"\x02" + zlib.compress(literal(content))))
    assert in_process([message]) == [content]


# Refusals


@pytest.fixture(scope="module")
def messages(olga: Owner) -> list[bytes]:
    # The content is so short that half of all flips hit a packet of the key.
    return [olga.seal(b"canary", *options, key=key) for key in ("cv25519", "rsa2048") for options in ((), ("-z", "0"))]


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_flipped_bit_a_cut_and_an_addition(as_olga: Owner, messages: list[bytes], data: st.DataObject) -> None:
    message = bytearray(data.draw(st.sampled_from(messages)))
    at = data.draw(st.integers(0, len(message) - 1))
    match data.draw(st.sampled_from(("flip", "cut", "add", "double"))):
        case "flip":
            message[at] ^= 1 << data.draw(st.integers(0, 7))
        case "cut":
            del message[at:]
        case "add":
            message[at:at] = data.draw(st.binary(min_size=1, max_size=30))
        case "double":
            message *= 2
    (ours,) = in_process([bytes(message)])
    theirs = by_gpg(bytes(message))
    assert ours in (None, theirs)
    if isinstance(theirs, bytes):
        assert theirs == b"canary"


def test_what_is_no_encrypted_message(as_olga: Owner) -> None:
    sealed = as_olga.seal(CANARY)
    refused = {
        "literal": literal(CANARY),
        "compressed": packet(8, b"\x01" + zlib.compress(literal(CANARY))[2:-4]),
        "signed": as_olga.person.gpg("--sign", input=CANARY),
        "clear": as_olga.person.gpg("--clear-sign", input=CANARY),
        "symmetric": as_olga.person.gpg("--passphrase", "x", "-c", input=CANARY),
        "symmetric too": as_olga.person.gpg(
            "--passphrase", "x", "-c", "-e", "-r", as_olga.person.fingerprint, input=CANARY
        ),
        "no MDC": sealed[: message_start(sealed)] + packet(9, bytes(60)),
        "key only": sealed[: message_start(sealed)],
        "data only": sealed[message_start(sealed) :],
        "two": sealed + sealed,
        "flood": sealed[: message_start(sealed)] * 2000 + sealed[message_start(sealed) :],
        "empty": b"",
        "text": CANARY,
        "random": bytes(range(256)),
        "armor": b"-----BEGIN PGP MESSAGE-----\n\nxxxx\n",
        "certificate": as_olga.person.gpg("--export"),
    }
    for what, message in refused.items():
        assert agree(message), what
        refusal = by_gpg(message)
        assert isinstance(refusal, tuple), what
        assert refusal[0] is BadMessage, what
        assert "canary" not in refusal[1], what


def test_damaged_data_is_not_opened(as_olga: Owner) -> None:
    for octets in (20, 5_000):
        message = bytearray(as_olga.seal(b"x" * octets, "-z", "0"))
        for at in (-1, -10, -30, message_start(bytes(message)) + 10):
            broken = message.copy()
            broken[at] ^= 1
            assert in_process([bytes(broken)]) == [None]
            assert isinstance(by_gpg(bytes(broken)), tuple)


def test_a_point_without_its_prefix(as_olga: Owner) -> None:
    message = as_olga.seal(CANARY)
    start, end = packets.inspect(message).bodies[0]
    body = message[start:end]
    assert body[10:13] == b"\x01\x07\x40"
    bare = body[:10] + (256).to_bytes(2, "big") + body[13:]
    changed = packet(1, bare) + message[message_start(message) :]
    (ours,) = in_process([changed])
    assert ours in (None, by_gpg(changed))


def test_a_session_key_that_does_not_fit(as_olga: Owner) -> None:
    """The key packet of one message, the data of another."""
    one, other = as_olga.seal(CANARY), as_olga.seal(b"other")
    mixed = one[: message_start(one)] + other[message_start(other) :]
    assert in_process([mixed]) == [None]
    assert isinstance(by_gpg(mixed), tuple)


def test_newer_encrypted_data(as_olga: Owner) -> None:
    message = as_olga.seal_packets(literal(CANARY), algorithm=2)
    assert in_process([message]) == [None]


# Sequoia


def test_messages_of_sequoia(as_olga: Owner) -> None:
    for kind in IN_PROCESS:
        certificate = pysequoia.Cert.from_bytes(as_olga.person.gpg("--export", f"{as_olga.keys[kind]}!"))
        for content in (CANARY, b"", b"a\r\nb", bytes(50_000)):
            message = pysequoia.encrypt(content, recipients=[certificate], armor=False)
            assert in_process([message]) == [content] == [by_gpg(message)]


def test_a_pysequoia_that_is_not_as_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bridge.works()
    monkeypatch.delattr(pysequoia, "decrypt")
    assert not bridge.works()
