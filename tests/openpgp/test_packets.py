"""What may be opened at all: every rule of `openpgp.packets`; rubbish is a BadMessage, and never another failure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.errors import BadMessage
from clave.openpgp.packets import HIDDEN, MAX_HIDDEN, MAX_NAMED, dearmor, inspect, text
from tests.openpgp.building import MARKER, PADDING, armor, enarmor, new, old, partial, pkesk, pkesk6

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Person

A, B = "0123456789ABCDEF", "FEDCBA9876543210"
DATA = new(18, b"\x01" + b"d" * 60)
TO_A = new(1, pkesk(A))
FINGERPRINT = bytes(range(1, 33))

GOOD = {
    "one recipient": (TO_A + DATA, [A], 18),
    "two, in their order": (new(1, pkesk(B)) + TO_A + DATA, [B, A], 18),
    "the same twice": (TO_A + TO_A + DATA, [A, A], 18),
    "hidden": (new(1, pkesk(HIDDEN)) + DATA, [HIDDEN], 18),
    "old headers": (old(1, pkesk(A), octets=1) + old(1, pkesk(B), octets=2) + DATA, [A, B], 18),
    "four octets of length": (old(1, pkesk(A), octets=4) + new(18, b"x", octets=5), [A], 18),
    "two octets of length": (new(1, pkesk(A, b"\x01" + b"k" * 400), octets=2) + DATA, [A], 18),
    "version 2": (new(1, pkesk(A, version=2)) + DATA, [A], 18),
    "version 6, key of version 4": (new(1, pkesk6(FINGERPRINT[:20], version=4)) + DATA, ["0D0E0F1011121314"], 18),
    "version 6, key of version 6": (new(1, pkesk6(FINGERPRINT)) + DATA, ["0102030405060708"], 18),
    "version 6, hidden": (new(1, pkesk6(b"")) + DATA, [HIDDEN], 18),
    "OCB of GnuPG": (TO_A + new(20, b"\x01\x09\x02\x10" + b"d" * 60), [A], 20),
    "in parts": (TO_A + partial(18, b"d" * 512, b"e" * 1, b"f" * 3), [A], 18),
    "last part empty": (TO_A + partial(18, b"d" * 512, b""), [A], 18),
    "marker first": (new(MARKER, b"PGP") + TO_A + DATA, [A], 18),
    "marker and padding everywhere": (
        new(PADDING, b"p" * 300) + TO_A + old(MARKER, b"PGP") + new(1, pkesk(B)) + new(PADDING, b"") + DATA
        + new(PADDING, b"pp") + new(MARKER, b"PGP"), [A, B], 18),
    "as many as are allowed, hidden first": (new(1, pkesk(HIDDEN)) * MAX_HIDDEN + TO_A * MAX_NAMED + DATA, None, 18),
    "as many as are allowed": (TO_A * MAX_NAMED + new(1, pkesk(HIDDEN)) * MAX_HIDDEN + DATA, None, 18),
}  # fmt: skip

BAD = {
    "empty": b"",
    "text": b"password\n",
    "a NUL": b"\0",
    "only a recipient": TO_A,
    "only data": DATA,
    "only a marker": new(MARKER, b"PGP"),
    "data before the recipient": DATA + TO_A,
    "recipient after the data": TO_A + DATA + new(1, pkesk(B)),
    "two messages": (TO_A + DATA) * 2,
    "data twice": TO_A + DATA + DATA,
    "literal": new(11, b"b\0\0\0\0\0planted"),
    "literal after a recipient": TO_A + new(11, b"b\0\0\0\0\0planted"),
    "literal after the data": TO_A + DATA + new(11, b"b\0\0\0\0\0planted"),
    "compressed": new(8, b"\0" + new(11, b"b\0\0\0\0\0planted")),
    "compressed after a recipient": TO_A + new(8, b"\0x"),
    "signature": new(2, b"\x04x") + TO_A + DATA,
    "one-pass signature": TO_A + new(4, b"\x03x") + DATA,
    "password beside a key": TO_A + new(3, b"\x04\x09\x03\x0812345678\xf0") + DATA,
    "password": new(3, b"\x04\x09\x03\x0812345678\xf0") + DATA,
    "no integrity protection": TO_A + new(9, b"d" * 60),
    "a public key": new(6, b"\x04x"),
    "tag 0": b"\xc0\x01x",
    "an unknown tag": TO_A + new(63, b"x") + DATA,
    "recipient in parts": partial(1, pkesk(A)[:32], pkesk(A)[32:]) + DATA,
    "marker in parts": partial(MARKER, b"P", b"GP") + TO_A + DATA,
    "recipient to the end of the file": old(1, pkesk(A), octets=0),
    "PKESK of version 1": new(1, b"\x01" + pkesk(A)[1:]) + DATA,
    "PKESK of version 4": new(1, b"\x04" + pkesk(A)[1:]) + DATA,
    "PKESK of 9 bytes": new(1, pkesk(A, b"")) + DATA,
    "PKESK of nothing": new(1, b"") + DATA,
    "PKESK 6, fingerprint of 19 bytes": new(1, pkesk6(FINGERPRINT[:19], version=4)) + DATA,
    "PKESK 6, key of version 5": new(1, pkesk6(FINGERPRINT, version=5)) + DATA,
    "PKESK 6, cut off": new(1, b"\x06\x21\x06" + FINGERPRINT[:8]) + DATA,
    "marker to the end of the file": TO_A + DATA + old(MARKER, b"PGP", octets=0),
    "literal to the end of the file": old(11, b"b\0\0\0\0\0planted", octets=0),
    "trailing newline": TO_A + DATA + b"\n",
    "trailing NUL": TO_A + DATA + b"\0",
    "length beyond the file": TO_A + b"\xd2\xff\xff\xff\xff\xffx",
    "part beyond the file": TO_A + b"\xd2\xfex",
    "parts without a last one": TO_A + b"\xd2\xe0x",
    "17 hidden": new(1, pkesk(HIDDEN)) * (MAX_HIDDEN + 1) + DATA,
    "17 hidden, of both versions": new(1, pkesk(HIDDEN)) * MAX_HIDDEN + new(1, pkesk6(b"")) + DATA,
    "1,025 named": TO_A * (MAX_NAMED + 1) + DATA,
}


@pytest.mark.parametrize("case", GOOD)
def test_messages(case: str) -> None:
    data, recipients, data_tag = GOOD[case]
    for form in (data, armor(data)):
        message = inspect(dearmor(form))
        assert message.data_tag == data_tag
        if recipients is None:
            assert sorted(message.recipients) == [HIDDEN] * MAX_HIDDEN + [A] * MAX_NAMED
        else:
            assert message.recipients == recipients


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_message(case: str) -> None:
    for form in (BAD[case], armor(BAD[case])):
        with pytest.raises(BadMessage):
            inspect(dearmor(form))


def test_the_limits_are_seen_before_anything_behind_them() -> None:
    """What comes after the recipient that is one too many is not looked at: it is rubbish here."""
    for too_many in (new(1, pkesk(HIDDEN)) * (MAX_HIDDEN + 1), TO_A * (MAX_NAMED + 1)):
        with pytest.raises(BadMessage, match="more than"):
            inspect(too_many + b"rubbish")


# Properties

KEY_IDS = (
    st.binary(min_size=8, max_size=8).map(lambda key_id: key_id.hex().upper()).filter(lambda key_id: key_id != HIDDEN)
)
PASSED_OVER = st.builds(
    lambda tag, body, is_old: old(tag, body) if is_old and tag < 16 else new(tag, body),
    st.sampled_from((MARKER, PADDING)),
    st.binary(max_size=300),
    st.booleans(),
)


@st.composite
def recipients(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return the key id of a recipient and a PKESK for it."""
    rest = draw(st.binary(min_size=1, max_size=300))
    kind = draw(st.sampled_from(("v3", "v3", "v6-4", "v6-6", "hidden", "hidden6")))
    if kind == "v3":
        key_id = draw(KEY_IDS)
        body = pkesk(key_id, rest)
    elif kind == "hidden":
        key_id, body = HIDDEN, pkesk(HIDDEN, rest)
    elif kind == "hidden6":
        key_id, body = HIDDEN, pkesk6(b"", rest)
    elif kind == "v6-4":
        fingerprint = draw(st.binary(min_size=20, max_size=20))
        key_id, body = fingerprint[12:].hex().upper(), pkesk6(fingerprint, rest, version=4)
    else:
        fingerprint = draw(st.binary(min_size=32, max_size=32))
        key_id, body = fingerprint[:8].hex().upper(), pkesk6(fingerprint, rest)
    form = draw(st.sampled_from((0, 1, 2, 4)))
    if form == 1 and len(body) > 255:
        form = 2
    return key_id, old(1, body, octets=form) if form else new(1, body)


@st.composite
def encrypted_data(draw: st.DrawFn) -> bytes:
    tag, body = draw(st.sampled_from((18, 20))), draw(st.binary(min_size=1, max_size=400))
    if draw(st.booleans()):
        return partial(tag, b"d" * 512, *([b"e" * 2 ** draw(st.integers(0, 9))] * draw(st.integers(0, 2))), body)
    return new(tag, body, octets=draw(st.sampled_from((None, 5))))


@st.composite
def messages(draw: st.DrawFn) -> tuple[list[bytes], list[str]]:
    """Return the packets of a valid message and its recipients."""
    to = draw(st.lists(recipients(), min_size=1, max_size=6))
    packets = [*(packet for _, packet in to), draw(encrypted_data())]
    for passed_over in draw(st.lists(PASSED_OVER, max_size=3)):
        packets.insert(draw(st.integers(0, len(packets))), passed_over)
    return packets, [key_id for key_id, _ in to]


@given(messages())
def test_the_recipients_are_seen(message: tuple[list[bytes], list[str]]) -> None:
    packets, to = message
    assert inspect(b"".join(packets)).recipients == to


@given(messages(), st.data())
def test_a_message_that_is_cut_off_is_none(message: tuple[list[bytes], list[str]], data: st.DataObject) -> None:
    """Only at the end of its encrypted data, or of a packet that is passed over, may it end."""
    packets, _ = message
    whole = b"".join(packets)
    ends, at, seen = set(), 0, False
    for packet in packets:
        at += len(packet)
        seen = seen or (packet[0] & 0x40 != 0 and packet[0] & 0x3F in (18, 20))
        if seen:
            ends.add(at)
    cut = data.draw(st.integers(0, len(whole) - 1).filter(lambda at: at not in ends))
    with pytest.raises(BadMessage):
        inspect(whole[:cut])


FOREIGN = st.builds(
    lambda tag, body: new(tag, body),
    st.integers(0, 63).filter(lambda tag: tag not in (1, 18, 20, MARKER, PADDING)),
    st.binary(max_size=60),
)


@given(messages(), FOREIGN, st.data())
def test_no_other_packet_may_be_in_it(
    message: tuple[list[bytes], list[str]], foreign: bytes, data: st.DataObject
) -> None:
    packets, _ = message
    packets.insert(data.draw(st.integers(0, len(packets))), foreign)
    with pytest.raises(BadMessage):
        inspect(b"".join(packets))


@given(messages(), st.one_of(recipients().map(lambda each: each[1]), encrypted_data(), FOREIGN, st.just(b"\n")))
def test_nothing_may_follow(message: tuple[list[bytes], list[str]], more: bytes) -> None:
    with pytest.raises(BadMessage):
        inspect(b"".join([*message[0], more]))


@given(st.one_of(st.binary(max_size=300), messages().map(lambda message: b"".join(message[0]))), st.data())
def test_rubbish_is_refused_and_nothing_else(data: bytes, draw: st.DataObject) -> None:
    """Flip and cut a message, or take any bytes: it is a message or BadMessage, never another failure."""
    changed = bytearray(data)
    for at in draw.draw(st.lists(st.integers(0, max(0, len(data) - 1)), max_size=4)):
        if changed:
            changed[at] ^= draw.draw(st.integers(1, 255))
    for form in (bytes(changed), armor(bytes(changed)), b"-----BEGIN PGP MESSAGE-----" + bytes(changed)):
        try:
            assert inspect(dearmor(form)).recipients
        except BadMessage:
            continue


# Armor


@given(st.binary(min_size=1, max_size=500))
def test_armor_round_trip(data: bytes) -> None:
    for form in (armor(data), armor(data, newline="\r\n"), b"\n \r\n" + armor(data) + b"\n\t\n", armor(data)[:-1]):
        assert dearmor(form) == data


@pytest.mark.parametrize("size", [1, 2, 3, 47, 48, 49, 5000])
def test_armor_of_gpg(size: int) -> None:
    data = bytes(at * 7 & 0xFF for at in range(size))
    theirs = enarmor(data)
    assert b"\n=" in theirs
    assert dearmor(theirs) == data
    assert dearmor(theirs.replace(b"\n", b"\r\n")) == data
    assert dearmor(re.sub(rb"\n=....\n", b"\n", theirs)) == data
    first = theirs.split(b"\n\n")[1][:1]
    other = theirs.replace(b"\n\n" + first, b"\n\n" + (b"B" if first == b"A" else b"A"))
    with pytest.raises(BadMessage, match="checksum"):
        dearmor(other)


ARMORED = armor(TO_A + DATA).decode()

BROKEN_ARMOR = {
    "no end": ARMORED.replace("-----END PGP MESSAGE-----\n", ""),
    "no blank line": ARMORED.replace("\n\n", "\n"),
    "another end": ARMORED.replace("END PGP MESSAGE", "END PGP SIGNATURE"),
    "text before": "hello\n" + ARMORED,
    "text after": ARMORED + "hello\n",
    "twice": ARMORED * 2,
    "not base64": ARMORED.replace("\n\n", "\n\n!!!!\n"),
    "padding inside": ARMORED.replace("\n\n", "\n\nAA==\n"),
    "odd length": ARMORED.replace("\n\n", "\n\nA\n"),
    "a signature": ARMORED.replace("MESSAGE", "SIGNATURE"),
    "a signed text": ARMORED.replace("BEGIN PGP MESSAGE", "BEGIN PGP SIGNED MESSAGE"),
    "a file": ARMORED.replace("MESSAGE", "ARMORED FILE"),
    "wrong checksum": armor(TO_A + DATA, checksum=b"abc").decode(),
    "nothing in it": armor(b"").decode(),
    "dashes": "-----BEGIN PGP MESSAGE-----",
}


@pytest.mark.parametrize("case", BROKEN_ARMOR)
def test_broken_armor(case: str) -> None:
    with pytest.raises(BadMessage):
        inspect(dearmor(BROKEN_ARMOR[case].encode()))


def test_armor_headers_are_passed_over() -> None:
    headers = ["Version: GnuPG v2", "Comment: é"]
    assert dearmor(armor(TO_A + DATA, headers=headers)) == TO_A + DATA


def test_a_large_armor_takes_no_minutes() -> None:
    """The checksum is computed in Python: a file as large as a secret may be must still be read."""
    data = TO_A + new(18, b"\x01" + b"d" * 300_000)
    assert inspect(dearmor(enarmor(data))).recipients == [A]


# Messages of gpg


@pytest.fixture(scope="module")
def pair(people: Callable[..., list[Person]]) -> list[Person]:
    return people("alice", "bob")


@pytest.mark.parametrize(
    "options",
    [
        ["-r", "alice", "-r", "bob"],
        ["-r", "bob"],
        ["-r", "alice", "-R", "bob"],
        ["--throw-keyids", "-r", "alice", "-r", "bob"],
        ["-a", "-r", "alice", "-r", "bob"],
        ["--rfc4880", "-r", "alice"],
        ["-z", "0", "-r", "alice"],
        ["-s", "-r", "alice"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("size", [0, 10, 200, 9000, 300_000])
def test_as_gpg_sees_it(pair: list[Person], options: list[str], size: int) -> None:
    alice, _ = pair
    written = alice.gpg(*options, "-e", input=bytes(at * at & 0xFF for at in range(size)))
    theirs = alice.gpg("--list-only", "--list-packets", input=written).decode()
    keys = re.findall(r"^:pubkey enc packet: .*keyid ([0-9A-F]{16})$", theirs, re.MULTILINE)
    assert keys
    assert inspect(dearmor(written)).recipients == keys


def test_a_text_is_known_however_it_is_framed() -> None:
    """Somebody else's text behind other recipients is still theirs: the shortest one, in parts, with more behind it."""
    body = b"\x01" + bytes(range(48))
    marker = new(MARKER, b"PGP")
    one, other = new(1, pkesk("00000000000000AA")), new(1, pkesk("00000000000000BB"))
    framed = [new(18, body), new(18, body, octets=5), partial(18, body[:2], body[2:3], body[3:])]
    messages = [heads + data + end for heads in (one, one + other) for data in framed for end in (b"", marker)]
    assert {text(each, inspect(each)) for each in messages} == {body[:32]}
