"""Signatures checked against given certificates: what each state of `Checked` stands for, with gpg's signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysequoia.packet import PacketPile

from clave.openpgp import certificates
from clave.openpgp.certificates import verify
from clave.openpgp.detached import Checked
from tests.conftest import forget, make_person
from tests.openpgp.building import new
from tests.openpgp.smith import DAY, Smith

if TYPE_CHECKING:
    from collections.abc import Iterator

PAYLOAD = b"tree 0000\nauthor A <a@example.org>\n\nsubject\n"


@pytest.fixture(scope="module")
def smith() -> Iterator[Smith]:
    person = make_person("smith")
    yield Smith(person)
    forget(person)


@pytest.fixture(scope="module")
def signer(smith: Smith) -> str:
    """A key that was made ten days ago."""
    return smith.key(ago=10 * DAY)


def test_good(smith: Smith, signer: str) -> None:
    signature = smith.sign(PAYLOAD, signer)
    good = Checked("GOOD", signer, digest=checked_digest(signature))
    assert verify(PAYLOAD, signature, [smith.public(signer)]) == good
    assert verify(PAYLOAD, signature, [smith.armored(smith.person.fingerprint), smith.armored(signer)]) == good
    binary = smith.gpg("--local-user", signer, "--detach-sign", input=PAYLOAD)
    assert verify(PAYLOAD, binary, [smith.public(signer)]) == good


def test_whoever_claims_the_key_of_another_changes_nothing(smith: Smith, signer: str) -> None:
    """Anybody can put any key into a certificate of theirs, as a subkey, with a binding that looks like one."""
    thief = smith.key()
    smith.subkey(thief)
    mine = [packet for _, packet in parts(smith.public(thief))]
    claimed = new(14, parts(smith.public(signer))[0][0])
    certificate = b"".join((*mine, claimed, mine[-1]))
    signature = smith.sign(PAYLOAD, signer)
    both = [certificate, smith.public(signer)]
    for known in (both, both[::-1]):
        found = verify(PAYLOAD, signature, known)
        assert (found.state, found.fingerprint) == ("GOOD", signer)
        found = verify(PAYLOAD + b"x", signature, known)
        assert (found.state, found.fingerprint) == ("BAD", signer)
    assert verify(PAYLOAD, signature, [certificate]).state != "GOOD"


def parts(certificate: bytes) -> list[tuple[bytes, bytes]]:
    """Return the body of each packet of a binary certificate, and the packet."""
    return [(packet.body, bytes(packet)) for packet in PacketPile.from_bytes(certificate)]


def checked_digest(signature: bytes) -> str:
    return verify(PAYLOAD, signature, []).digest


@pytest.mark.parametrize("digest", ["SHA224", "SHA256", "SHA384", "SHA512"])
def test_digests(smith: Smith, digest: str) -> None:
    key = smith.person.fingerprint
    signature = smith.sign(PAYLOAD, key, "--digest-algo", digest)
    assert verify(PAYLOAD, signature, [smith.public(key)]) == Checked("GOOD", key, digest=digest)


@pytest.mark.parametrize("digest", ["SHA1", "RIPEMD"])
def test_a_weak_digest_is_told(smith: Smith, digest: str) -> None:
    key = smith.key("rsa2048")
    signature = smith.sign(
        PAYLOAD, key, "--digest-algo", {"RIPEMD": "RIPEMD160"}.get(digest, digest), "--allow-weak-digest-algos"
    )
    found = verify(PAYLOAD, signature, [smith.public(key)])
    assert (found.state, found.fingerprint, found.digest) == ("UNABLE", key, digest)


def test_none(smith: Smith, signer: str) -> None:
    for empty in (b"", b"\n", b"  \n\n"):
        assert verify(PAYLOAD, empty, [smith.public(signer)]) == Checked("NONE", number=0)


def test_bad(smith: Smith, signer: str) -> None:
    signature = smith.sign(PAYLOAD, signer)
    found = verify(PAYLOAD + b"x", signature, [smith.public(signer)])
    assert (found.state, found.fingerprint, found.number) == ("BAD", signer, 1)


def test_unknown_tells_what_it_claims(smith: Smith, signer: str) -> None:
    signature = smith.sign(PAYLOAD, signer)
    for known in ([], [smith.public(smith.person.fingerprint)], [b"garbage"]):
        found = verify(PAYLOAD, signature, known)
        assert (found.state, found.fingerprint) == ("UNKNOWN", signer)


def test_a_keyring_with_the_key_changes_nothing(smith: Smith, signer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNUPGHOME", str(smith.person.gnupg))
    assert verify(PAYLOAD, smith.sign(PAYLOAD, signer), []).state == "UNKNOWN"


def test_two_signatures(smith: Smith, signer: str) -> None:
    one, other = smith.sign(PAYLOAD, signer), smith.sign(PAYLOAD, smith.person.fingerprint)
    certs = [smith.public(signer), smith.public(smith.person.fingerprint)]
    in_one_block = smith.gpg("--armor", "-u", signer, "-u", smith.person.fingerprint, "--detach-sign", input=PAYLOAD)
    for both in (one + other, one + b"\n" + one, in_one_block):
        found = verify(PAYLOAD, both, certs)
        assert (found.state, found.number) == ("BAD", 2)


def test_text_mode(smith: Smith, signer: str) -> None:
    signature = smith.sign(PAYLOAD, signer, "--textmode")
    found = verify(PAYLOAD, signature, [smith.public(signer)])
    assert (found.state, found.binary) == ("GOOD", False)


def test_a_signature_that_ends_is_not_good(smith: Smith, signer: str) -> None:
    signature = smith.sign(PAYLOAD, signer, "--default-sig-expire", "30d", "--no-ask-sig-expire")
    assert verify(PAYLOAD, signature, [smith.public(signer)]).state == "EXPIRED"


def test_a_signature_of_tomorrow(smith: Smith, signer: str) -> None:
    assert verify(PAYLOAD, smith.sign(PAYLOAD, signer, ago=-DAY), [smith.public(signer)]).state == "EXPIRED"


def test_an_expired_key_signed_while_it_was_valid_or_after(smith: Smith) -> None:
    key = smith.key(expire="3d", ago=10 * DAY)
    certificate = smith.public(key)
    in_time = smith.sign(PAYLOAD, key, ago=8 * DAY)
    assert verify(PAYLOAD, in_time, [certificate]).state == "GOOD"
    smith.extend(key, "never", ago=9 * DAY)
    late = smith.sign(PAYLOAD, key, ago=5 * DAY)
    assert verify(PAYLOAD, late, [certificate]) == Checked("EXPIRED", key, digest=checked_digest(late))


def test_an_extended_key_needs_the_older_copy_too(smith: Smith) -> None:
    key = smith.key(expire="3d", ago=10 * DAY)
    older = smith.public(key)
    old = smith.sign(PAYLOAD, key, ago=9 * DAY)
    smith.extend(key, "1y", ago=8 * DAY)
    newer = smith.gpg("--export-options", "export-minimal", "--export", key)
    new = smith.sign(PAYLOAD, key, ago=DAY)
    assert verify(PAYLOAD, old, [newer]).state == "EXPIRED"
    assert verify(PAYLOAD, new, [older]).state == "EXPIRED"
    both = certificates.merged(older, newer)
    assert [verify(PAYLOAD, each, [both]).state for each in (old, new)] == ["GOOD", "GOOD"]


def test_a_hard_revocation_takes_old_signatures_back(smith: Smith) -> None:
    for reason in (0, 1):
        key = smith.key(ago=10 * DAY)
        signature = smith.sign(PAYLOAD, key, ago=5 * DAY)
        before = smith.public(key)
        smith.revoke(key, reason, ago=DAY)
        assert verify(PAYLOAD, signature, [smith.public(key)]).state == "REVOKED"
        assert verify(PAYLOAD, signature, [before]).state == "GOOD"


def test_a_soft_revocation_acts_forward(smith: Smith) -> None:
    for reason in (2, 3):
        key = smith.key(ago=10 * DAY)
        old, new = smith.sign(PAYLOAD, key, ago=5 * DAY), smith.sign(PAYLOAD, key, ago=DAY)
        smith.revoke(key, reason, ago=3 * DAY)
        certificate = smith.public(key)
        assert [verify(PAYLOAD, each, [certificate]).state for each in (old, new)] == ["GOOD", "REVOKED"]


def test_signing_subkeys(smith: Smith) -> None:
    key = smith.key("rsa2048", usage="cert", ago=10 * DAY)
    subkey = smith.subkey(key, "ed25519", "sign", ago=9 * DAY)
    brief = smith.subkey(key, "ed25519", "sign", expire="2d", ago=9 * DAY)
    old, short = smith.sign(PAYLOAD, f"{subkey}!", ago=8 * DAY), smith.sign(PAYLOAD, f"{brief}!", ago=8 * DAY)
    before = smith.public(key)
    assert verify(PAYLOAD, old, [before]) == Checked("GOOD", key, digest=checked_digest(old))
    assert verify(PAYLOAD, short, [before]).state == "GOOD"
    smith.extend(key, "never", brief, ago=8 * DAY - 60)
    assert verify(PAYLOAD, smith.sign(PAYLOAD, f"{brief}!"), [before]).state == "EXPIRED"
    smith.revoke_subkey(key, 1, 1, ago=DAY)
    assert verify(PAYLOAD, old, [smith.public(key)]).state == "REVOKED"


def test_a_key_that_may_not_sign(smith: Smith) -> None:
    """The primary key signs, and then gives up signing: gpg lets nobody sign with one that may not."""
    key = smith.key("rsa2048", ago=10 * DAY)
    smith.subkey(key, "rsa2048", "sign", ago=9 * DAY)
    signature = smith.sign(PAYLOAD, f"{key}!", ago=8 * DAY)
    assert verify(PAYLOAD, signature, [smith.public(key)]).state == "GOOD"
    smith.gpg(
        *("--no-batch", "--no-tty", "--expert", "--command-fd", "0", "--edit-key", key),
        input=b"change-usage\nS\nQ\nsave\n", ago=8 * DAY + 3600,
    )  # fmt: skip
    minimal = smith.gpg("--export-options", "export-minimal", "--export", key)
    assert verify(PAYLOAD, signature, [minimal]).state == "UNABLE"


SSH = b"""-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgZsR8q1ZQLxJfPqU2mVbXb1m4YI
-----END SSH SIGNATURE-----
"""


def test_other_kinds_of_signature(smith: Smith, signer: str) -> None:
    assert verify(PAYLOAD, SSH, [smith.public(signer)]) == Checked("UNKNOWN")
    x509 = b"-----BEGIN SIGNED MESSAGE-----\nMII=\n-----END SIGNED MESSAGE-----\n"
    assert verify(PAYLOAD, x509, [smith.public(signer)]) == Checked("UNKNOWN")


def test_what_is_no_signature(smith: Smith, signer: str) -> None:
    signature, certs = smith.sign(PAYLOAD, signer), [smith.public(signer)]
    inline = smith.gpg("--armor", "-u", signer, "--sign", input=PAYLOAD)
    clear = smith.gpg("-u", signer, "--clear-sign", input=PAYLOAD)
    certified = b"".join(smith.public(signer).partition(b"\xb4")[:2])
    for bad in (
        signature[:-40], signature[: len(signature) // 2], b"text\n" + signature, signature + b"text", inline, clear,
        smith.armored(signer), certified, b"garbage", b"\0" * 70_000,
    ):  # fmt: skip
        assert verify(PAYLOAD, bad, certs).state == "BAD", bad[:60]


def test_a_signature_of_another_type_is_bad(smith: Smith, signer: str) -> None:
    """A signature on a user id, which the key has really made, is none on data."""
    from pysequoia.packet import PacketPile, Tag

    own = next(bytes(each) for each in PacketPile.from_bytes(smith.public(signer)) if each.tag == Tag.Signature)
    assert verify(PAYLOAD, own, [smith.public(signer)]) == Checked("BAD")


def test_a_certificate_that_is_refused_makes_nothing_good(smith: Smith, signer: str) -> None:
    signature = smith.sign(PAYLOAD, signer)
    for refused in (
        smith.gpg("--export-secret-keys", signer),
        smith.public(signer, smith.person.fingerprint),
        smith.armored(signer) + smith.armored(smith.person.fingerprint),
        smith.public(signer)[:-5],
    ):
        assert verify(PAYLOAD, signature, [refused]).state == "UNKNOWN"


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda body: b"\xc2" + bytes([len(body)]) + body)))
def test_garbage_is_never_good(data: bytes) -> None:
    found = verify(PAYLOAD, data, [data])
    assert found.state in ("BAD", "NONE", "UNKNOWN")
    assert (found.state == "NONE") == (found.number == 0)


@pytest.fixture(scope="module")
def signed(smith: Smith, signer: str) -> tuple[bytes, bytes, bytes]:
    """A signature, the certificate of who made it, and another's with two subkeys."""
    smith.subkey(smith.person.fingerprint, "rsa2048", "sign")
    binary = smith.gpg("--local-user", signer, "--detach-sign", input=PAYLOAD)
    return binary, smith.public(signer), smith.public(smith.person.fingerprint)


@settings(max_examples=300)
@given(at=st.integers(2, 10_000), mask=st.integers(1, 255))
def test_a_changed_signature_is_good_only_if_what_was_signed_is_the_same(
    signed: tuple[bytes, bytes, bytes], at: int, mask: int
) -> None:
    signature, certificate, _ = signed
    hashed = 8 + int.from_bytes(signature[6:8], "big")  # after a header of two octets (RFC 4880 5.2.3)
    at = 2 + at % (len(signature) - 2)
    changed = bytearray(signature)
    changed[at] ^= mask
    found = verify(PAYLOAD, bytes(changed), [certificate])
    assert found.state != "GOOD" or (at >= hashed and found == verify(PAYLOAD, signature, [certificate]))


@settings(max_examples=300)
@given(at=st.integers(0, 10_000), mask=st.integers(1, 255))
def test_a_changed_certificate_makes_no_other_key_good(
    signed: tuple[bytes, bytes, bytes], signer: str, at: int, mask: int
) -> None:
    signature, certificate, other = signed
    for each in (certificate, other):
        changed = bytearray(each)
        changed[at % len(each)] ^= mask
        found = verify(PAYLOAD, signature, [bytes(changed)])
        assert found.state != "GOOD" or (each is certificate and found.fingerprint == signer)
