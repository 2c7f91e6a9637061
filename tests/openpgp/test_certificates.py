"""Certificates given as bytes: what is read of them, and that one encrypts to the key that gpg would take."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysequoia.packet import PacketPile

from clave.errors import CannotEncrypt, NotFound, UsageError
from clave.openpgp import bulk, certificates, keys, message
from clave.openpgp.keys import Recipient
from clave.openpgp.packets import inspect
from tests.conftest import Person, forget, make_person
from tests.openpgp.building import new
from tests.openpgp.smith import DAY, Smith

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def smith() -> Iterator[Smith]:
    person = make_person("smith")
    yield Smith(person)
    forget(person)


@pytest.fixture(scope="module")
def stranger() -> Iterator[Person]:
    """Somebody who has heard of nobody's key."""
    person = make_person("stranger")
    yield person
    forget(person)


@pytest.fixture
def as_smith(smith: Smith, monkeypatch: pytest.MonkeyPatch) -> Smith:
    _become(smith.person, monkeypatch)
    return smith


@pytest.fixture
def as_stranger(stranger: Person, monkeypatch: pytest.MonkeyPatch) -> Person:
    _become(stranger, monkeypatch)
    return stranger


def _become(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in person.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GPG_TTY", raising=False)


# What is read.


def test_what_a_certificate_says(smith: Smith) -> None:
    key = smith.key(expire="30d", ago=10 * DAY)
    encryption, signing = smith.subkey(key, ago=9 * DAY), smith.subkey(key, "rsa2048", "sign", "20d", ago=8 * DAY)
    found = certificates.read(smith.public(key))
    assert found is not None
    assert (found.fingerprint, found.primaries, found.secret, found.revoked) == (key, (key,), False, False)
    assert found.user_id.startswith("Key ")
    assert found.expires == found.primary.expires == smith.now + 20 * DAY
    assert [each.fingerprint for each in found.subkeys] == [encryption, signing]
    assert [each.id for each in found.subkeys] == [encryption[-16:], signing[-16:]]
    assert [(each.can_encrypt, each.can_sign) for each in found.subkeys] == [(True, False), (False, True)]
    assert [each.created for each in found.subkeys] == [smith.now - 9 * DAY, smith.now - 8 * DAY]
    assert [each.expires for each in found.subkeys] == [None, smith.now + 12 * DAY]
    assert found.encryption == {encryption[-16:]}
    assert certificates.read(smith.armored(key)) == found


def test_a_secret_key_is_seen(smith: Smith) -> None:
    key = smith.person.fingerprint
    for data in (smith.gpg("--export-secret-keys", key), smith.gpg("--armor", "--export-secret-keys", key)):
        found = certificates.read(data)
        assert found is not None
        assert (found.secret, found.fingerprint) == (True, key)
        assert certificates.problem(found) == "is not one public key"
        with pytest.raises(UsageError):
            certificates.armor(data)
    subkeys = certificates.read(smith.gpg("--export-secret-subkeys", key))
    assert subkeys is not None
    assert subkeys.secret


def test_two_keys_are_seen(smith: Smith) -> None:
    one, other = smith.person.fingerprint, smith.key()
    found = certificates.read(smith.public(one) + smith.public(other))
    assert found is not None
    assert found.primaries == (one, other)
    with pytest.raises(UsageError):
        certificates.armor(smith.public(one) + smith.public(other))
    # Of two blocks of armor readers take the first: such a file is none.
    assert certificates.read(smith.armored(one) + smith.armored(other)) is None


def test_what_is_no_certificate(smith: Smith) -> None:
    public, armored = smith.public(smith.person.fingerprint), smith.armored(smith.person.fingerprint)
    for data in (
        b"", b"\n", b"garbage", public[:-3], public[:40], public + b"x", b"x" + public, armored[:-60],
        armored + b"x", b"x" + armored, smith.sign(b"", smith.person.fingerprint), public[60:],
        smith.gpg("--export-ownertrust"), b"\x99" + b"\xff" * 300_000, public + smith.gpg("--store", input=b"x"),
    ):  # fmt: skip
        assert certificates.read(data) is None, data[:50]


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_garbage(data: bytes) -> None:
    assert certificates.read(data) is None


@pytest.fixture(scope="module")
def several(smith: Smith) -> bytes:
    """A certificate with two encryption subkeys and one for signatures, and a revocation."""
    key = smith.key("rsa2048", ago=10 * DAY)
    for kind, usage in (("cv25519", "encr"), ("ed25519", "sign"), ("nistp256", "encr")):
        smith.subkey(key, kind, usage, ago=9 * DAY)
    smith.revoke_subkey(key, 1, 2)
    return smith.public(key)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=3))
def test_a_changed_certificate_is_read_or_refused(several: bytes, changes: list[tuple[int, int]]) -> None:
    """And it gives nothing to encrypt to that was not there: what binds a subkey is a signature."""
    changed = bytearray(several)
    for at, mask in changes:
        changed[at % len(changed)] ^= mask
    found, whole = certificates.read(bytes(changed)), certificates.read(several)
    assert whole is not None
    if found is not None:
        certificates.problem(found)
        assert {key.id for key in found.keys if key.can_encrypt} <= whole.encryption


def test_a_subkey_of_somebody_else_is_not_taken(smith: Smith) -> None:
    """Mallory sews her subkey, with the signature that binds it to her own key, to that of another."""
    from pysequoia.packet import PacketPile, Tag

    mallory, victim = smith.key(), smith.key(ago=2 * DAY)
    smith.subkey(mallory)
    smith.subkey(victim, ago=DAY)
    packets = list(PacketPile.from_bytes(smith.public(mallory)))
    start = next(at for at, each in enumerate(packets) if each.tag == Tag.PublicSubkey)
    sewn = smith.public(victim) + b"".join(bytes(each) for each in packets[start:])
    found, own = certificates.read(sewn), certificates.read(smith.public(victim))
    assert found is not None
    assert own is not None
    assert found.encryption == own.encryption
    assert certificates.encryption_subkey(found) == certificates.encryption_subkey(own)


def test_what_was_there_to_encrypt_to_is_the_same_when_it_is_revoked(smith: Smith) -> None:
    """A store is verified by what its certificates say; it must be possible to publish a revocation."""
    for usage, reason in (("cert,sign,encr", 1), ("cert,sign", 0), ("cert,sign", 3)):
        key = smith.key("rsa2048", usage, "5d", ago=10 * DAY)
        smith.subkey(key, ago=9 * DAY)
        before = certificates.read(smith.public(key))
        smith.revoke(key, reason)
        after = certificates.read(smith.public(key))
        assert before is not None
        assert after is not None
        assert after.encryption == before.encryption
        assert len(before.encryption) == (2 if "encr" in usage else 1)
        assert (certificates.problem(after), certificates.encryption_subkey(after)) == ("is revoked", None)


# Which key is encrypted to: as gpg has it.


def _plain(smith: Smith) -> str:
    return smith.person.fingerprint


def _newest(smith: Smith) -> str:
    key = smith.key(ago=10 * DAY)
    smith.subkey(key, "nistp384", ago=8 * DAY)
    smith.subkey(key, "cv25519", ago=9 * DAY)
    return key


def _rsa(smith: Smith) -> str:
    key = smith.key("rsa2048", ago=10 * DAY)
    smith.subkey(key, "rsa2048", ago=10 * DAY)
    return key


def _rsa_that_does_all(smith: Smith) -> str:
    return smith.key("rsa2048", "cert,sign,encr", ago=10 * DAY)


def _primary_and_subkey(smith: Smith) -> str:
    key = smith.key("rsa2048", "cert,sign,encr", ago=DAY)
    smith.subkey(key)
    return key


def _primary_after_subkey_expired(smith: Smith) -> str:
    key = smith.key("rsa2048", "cert,sign,encr", ago=10 * DAY)
    smith.subkey(key, expire="2d", ago=9 * DAY)
    return key


def _nistp(smith: Smith) -> str:
    key = smith.key("nistp256", ago=10 * DAY)
    smith.subkey(key, "nistp256", expire="1y", ago=9 * DAY)
    return key


def _newest_expired(smith: Smith) -> str:
    key = smith.key(ago=10 * DAY)
    smith.subkey(key, "nistp521", ago=9 * DAY)
    smith.subkey(key, expire="3d", ago=8 * DAY)
    return key


def _newest_revoked(smith: Smith) -> str:
    key = smith.key(ago=10 * DAY)
    smith.subkey(key, ago=9 * DAY)
    smith.subkey(key, ago=8 * DAY)
    smith.revoke_subkey(key, 2, 2)
    return key


def _extended(smith: Smith) -> str:
    key = smith.key(expire="3d", ago=10 * DAY)
    subkey = smith.subkey(key, expire="2d", ago=9 * DAY)
    smith.extend(key, "1y", ago=8 * DAY)
    smith.extend(key, "1y", subkey, ago=8 * DAY)
    return key


def _shortened(smith: Smith) -> str:
    key = smith.key(ago=10 * DAY)
    smith.subkey(key, ago=9 * DAY)
    smith.extend(key, "2d", ago=8 * DAY)
    return key


def _expired(smith: Smith) -> str:
    key = smith.key(expire="3d", ago=10 * DAY)
    smith.subkey(key, ago=9 * DAY)
    return key


def _subkey_expired(smith: Smith) -> str:
    key = smith.key(ago=10 * DAY)
    smith.subkey(key, expire="3d", ago=9 * DAY)
    return key


def _subkey_revoked(smith: Smith) -> str:
    key = smith.key(ago=10 * DAY)
    smith.subkey(key, ago=9 * DAY)
    smith.revoke_subkey(key, 1, 1)
    return key


def _revoked(reason: int) -> Callable[[Smith], str]:
    def make(smith: Smith) -> str:
        key = smith.key(ago=10 * DAY)
        smith.subkey(key, ago=9 * DAY)
        smith.revoke(key, reason, ago=8 * DAY)
        return key

    return make


def _revoked_softly_then_extended(smith: Smith) -> str:
    key = smith.key(ago=10 * DAY)
    smith.subkey(key, "nistp256", ago=9 * DAY)
    smith.subkey(key, ago=9 * DAY - 60)
    smith.extend(key, "1y", "*", ago=7 * DAY)
    smith.revoke_subkey(key, 2, 3, ago=8 * DAY)
    return key


def _without(smith: Smith) -> str:
    return smith.key()


def _only_signing(smith: Smith) -> str:
    key = smith.key(ago=10 * DAY)
    smith.subkey(key, "ed25519", "sign", ago=9 * DAY)
    return key


KEYS = [
    _plain, _newest, _rsa, _rsa_that_does_all, _primary_and_subkey, _primary_after_subkey_expired, _nistp,
    _newest_expired, _newest_revoked, _extended, _shortened, _expired, _subkey_expired, _subkey_revoked, _revoked(0),
    _revoked(1), _revoked(3), _revoked_softly_then_extended, _without, _only_signing,
]  # fmt: skip
REASONS = {
    "_shortened": "expired on", "_expired": "expired on", "_subkey_expired": "has an encryption subkey that expired on",
    "_subkey_revoked": "has an encryption subkey that is revoked", "make": "is revoked",
    "_without": "has no encryption subkey", "_only_signing": "has no encryption subkey",
}  # fmt: skip


@pytest.mark.parametrize("make", KEYS, ids=lambda make: make.__name__)
def test_the_choice_is_that_of_gpg(as_smith: Smith, make: Callable[[Smith], str], tmp_path: Path) -> None:
    key = make(as_smith)
    data = as_smith.public(key)
    found = certificates.read(data)
    assert found is not None
    chosen = certificates.encryption_subkey(found)
    try:
        wanted = keys.resolve([key])[0]
    except CannotEncrypt:
        assert (chosen, certificates.problem(found)) == (None, certificates.problem(found))
        assert (certificates.problem(found) or "").startswith(REASONS[make.__name__])
        return
    assert make.__name__ not in REASONS
    assert certificates.problem(found) is None
    assert chosen is not None
    assert (chosen.fingerprint, chosen.id) == (wanted.subkey, wanted.key_id)
    file = tmp_path / "key"
    file.write_bytes(data)
    gpgs = as_smith.gpg("--no-options", "--trust-model", "always", "--recipient-file", str(file), "-e", input=b"x")
    assert inspect(gpgs).recipients == [chosen.id]


def test_time_is_given(smith: Smith) -> None:
    key = smith.key(expire="20d", ago=DAY)
    smith.subkey(key, expire="10d", ago=DAY)
    found = certificates.read(smith.public(key))
    assert found is not None
    problems = [certificates.problem(found, smith.now + days * DAY) for days in (8, 10, 20)]
    assert problems[0] is None
    assert [str(each).rpartition(" ")[0] for each in problems[1:]] == [
        "has an encryption subkey that expired on",
        "expired on",
    ]
    assert certificates.encryption_subkey(found, smith.now + 8 * DAY) == found.subkeys[0]
    assert certificates.encryption_subkey(found, smith.now + 10 * DAY) is None


def test_a_key_with_sha1_alone_is_not_accepted(as_smith: Smith) -> None:
    before = set(as_smith.primaries())
    as_smith.gpg("--cert-digest-algo", "SHA1", "--quick-gen-key", "Old <old@example.org>", "rsa2048", "cert,sign,encr")
    (key,) = set(as_smith.primaries()) - before
    found = certificates.read(as_smith.public(key))
    assert found is not None
    assert (certificates.problem(found) or "").startswith("has no good signature by itself")
    assert certificates.encryption_subkey(found) is None


# Encrypting to them.


def recipient(data: bytes) -> Recipient:
    found = certificates.read(data)
    chosen = found and certificates.encryption_subkey(found)
    assert found
    assert chosen
    return Recipient(found.fingerprint, found.fingerprint, chosen.fingerprint, chosen.id, "x", None, data)


def test_a_message_goes_to_that_subkey_alone_and_gpg_opens_it(smith: Smith, as_stranger: Person) -> None:
    key = smith.key("rsa2048", "cert,sign,encr", ago=10 * DAY)
    older, newer = smith.subkey(key, ago=9 * DAY), smith.subkey(key, "nistp256", ago=8 * DAY)
    data = smith.armored(key)
    for subkey in (older, newer, key):
        chosen = recipient(data)._replace(subkey=subkey, key_id=subkey[-16:])
        (_, sealed), *_ = many = list(bulk.encrypt_many((str(at), b"text", [chosen]) for at in range(9)))
        for made in (message.encrypt(b"text", [chosen]), sealed):
            assert inspect(made).recipients == [subkey[-16:]]
            assert smith.gpg("--decrypt", input=made) == b"text"
        assert len(many) == 9
    assert key.encode() not in as_stranger.gpg("--with-colons", "--list-keys")


def test_no_keyring_is_needed(smith: Smith, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "none"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    made = message.encrypt(b"text", [recipient(smith.public(smith.person.fingerprint))])
    assert smith.gpg("--decrypt", input=made) == b"text"
    assert sorted(path.name for path in home.iterdir()) == ["random_seed"]


def test_a_look_alike_and_a_group_change_nothing(smith: Smith, as_stranger: Person) -> None:
    """The keyring has another copy of the key, with a newer subkey, and gpg.conf sends it all to a third."""
    key = smith.key(ago=10 * DAY)
    smith.subkey(key, ago=9 * DAY)
    given = smith.public(key)
    smith.subkey(key)
    as_stranger.gpg("--import", input=smith.public(key))
    user_id = smith.gpg("--with-colons", "--list-keys", key).decode().partition("\nuid:")[2].split(":")[8]
    as_stranger.gpg("--passphrase", "", "--quick-gen-key", "--yes", user_id, "rsa2048", "cert,sign,encr")
    chosen = recipient(given)
    conf = as_stranger.gnupg / "gpg.conf"
    conf.write_text(
        f"group {key}={as_stranger.fingerprint}\ngroup {chosen.subkey}={as_stranger.fingerprint}\n"
        f"encrypt-to {as_stranger.fingerprint}\nthrow-keyids\narmor\n"
    )
    try:
        for made in (message.encrypt(b"text", [chosen]), *(each for _, each in bulk.encrypt_many(
            (str(at), b"text", [chosen]) for at in range(9)
        ))):  # fmt: skip
            assert inspect(made).recipients == [chosen.key_id]
            assert smith.gpg("--decrypt", input=made) == b"text"
    finally:
        conf.unlink()


def test_recipients_with_and_without_a_certificate(smith: Smith, as_stranger: Person) -> None:
    _become_trusted(as_stranger)
    both = [recipient(smith.public(smith.person.fingerprint)), keys.resolve([as_stranger.fingerprint])[0]]
    many = [sealed for _, sealed in bulk.encrypt_many((str(at), b"text", both) for at in range(9))]
    for made in (message.encrypt(b"text", both), *many):
        assert sorted(inspect(made).recipients) == sorted(each.key_id for each in both)
        assert smith.gpg("--decrypt", input=made) == as_stranger.gpg("--decrypt", input=made) == b"text"


def _become_trusted(person: Person) -> None:
    person.gpg("--import-ownertrust", input=f"{person.fingerprint}:6:\n".encode())


def test_certificates_take_no_gpg_for_many(smith: Smith, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = recipient(smith.public(smith.person.fingerprint))
    monkeypatch.setenv("PATH", "/nowhere")
    made = list(bulk.encrypt_many((str(at), b"x", [chosen]) for at in range(9)))
    assert [inspect(each).recipients for _, each in made] == [[chosen.key_id]] * 9


def test_a_subkey_that_is_not_there(smith: Smith) -> None:
    data = smith.public(smith.person.fingerprint)
    gone = recipient(data)._replace(key_id="0123456789ABCDEF")
    with pytest.raises(CannotEncrypt, match="0123456789ABCDEF"):
        certificates.only(data, gone.key_id)
    with pytest.raises(CannotEncrypt, match="0123456789ABCDEF"):
        message.encrypt(b"text", [gone])
    with pytest.raises(CannotEncrypt, match="0123456789ABCDEF"):
        list(bulk.encrypt_many((str(at), b"text", [gone]) for at in range(9)))


def test_one_subkey_is_left(smith: Smith) -> None:
    key = smith.key(ago=10 * DAY)
    older, newer = smith.subkey(key, ago=9 * DAY), smith.subkey(key, ago=8 * DAY)
    smith.subkey(key, "ed25519", "sign", ago=8 * DAY)
    for subkey in (older, newer):
        left = certificates.read(certificates.only(smith.armored(key), subkey[-16:]))
        assert left is not None
        assert [each.fingerprint for each in left.subkeys] == [subkey]
        assert left.fingerprint == key


# From and to files and keyrings.


def test_two_copies_are_one_with_all_that_either_says(smith: Smith) -> None:
    key = smith.key("rsa2048", ago=10 * DAY)
    one = smith.subkey(key, ago=9 * DAY)
    older = certificates.armor(smith.public(key))
    smith.extend(key, "1y", ago=8 * DAY)
    other = smith.subkey(key, "nistp256", ago=8 * DAY)
    newer = smith.armored(key)
    both = certificates.merged(older, newer)
    found = certificates.read(both)
    assert found is not None
    assert {each.fingerprint for each in found.subkeys} == {one, other}
    assert found.expires == smith.now + 357 * DAY
    assert certificates.merged(both, newer) == certificates.merged(both, older) == both
    assert certificates.merged(older, older) == older
    with pytest.raises(UsageError):
        certificates.merged(older, smith.armored(smith.person.fingerprint))
    with pytest.raises(UsageError):
        certificates.merged(older, b"garbage")


def test_armor_is_what_gpg_imports(smith: Smith, as_stranger: Person) -> None:
    key = smith.key(ago=10 * DAY)
    smith.subkey(key)
    armored = certificates.armor(smith.public(key))
    assert armored == certificates.armor(armored)
    assert certificates.read(armored) == certificates.read(smith.public(key))
    as_stranger.gpg("--import", input=armored)
    assert key in as_stranger.gpg("--with-colons", "--list-keys", key).decode()


def test_armor_leaves_out_what_others_have_signed(smith: Smith) -> None:
    key, other = smith.key(), smith.key()
    before = smith.public(key)
    smith.gpg("--yes", "--local-user", other, "--quick-sign-key", key)
    assert len(smith.public(key)) > len(before)
    assert certificates.armor(smith.public(key)) == certificates.armor(before)


def test_from_a_file(smith: Smith, tmp_path: Path) -> None:
    key = smith.person.fingerprint
    file = tmp_path / "key"
    for data in (smith.public(key), smith.armored(key)):
        file.write_bytes(data)
        assert certificates.from_file(str(file)) == certificates.armor(data)
    for data, reason in (
        (smith.gpg("--export-secret-keys", key), "secret"),
        (smith.public(key, smith.key()), "holds 2 keys"),
        (b"garbage", "no OpenPGP key"),
        (b"", "no OpenPGP key"),
    ):
        file.write_bytes(data)
        with pytest.raises(UsageError, match=reason):
            certificates.from_file(str(file))
    with pytest.raises(UsageError, match="No such file"):
        certificates.from_file(str(tmp_path / "none"))
    with pytest.raises(UsageError, match="directory"):
        certificates.from_file(str(tmp_path))


def test_exported(as_smith: Smith) -> None:
    key = as_smith.key()
    assert certificates.exported(key) == certificates.armor(as_smith.public(key))
    for other in ("0" * 40, "Key", "smith@example.org", "-h"):
        with pytest.raises(NotFound):
            certificates.exported(other)


def test_own_signing_keys(people: Callable[..., list[Person]], monkeypatch: pytest.MonkeyPatch) -> None:
    (person,) = people("singer")
    _become(person, monkeypatch)
    smith, own = Smith(person), person.fingerprint
    assert certificates.own_signing_keys() == {own: (own,)}
    for_others = smith.key("rsa2048", "cert,encr", ago=10 * DAY)
    with_subkey = smith.key("rsa2048", "cert", ago=10 * DAY)
    subkey = smith.subkey(with_subkey, "ed25519", "sign", ago=9 * DAY)
    expired = smith.key(expire="2d", ago=10 * DAY)
    revoked = smith.key(ago=10 * DAY)
    smith.revoke(revoked, 0)
    assert certificates.own_signing_keys() == {own: (own,), with_subkey: (subkey,)}
    assert {for_others, expired, revoked} <= set(smith.primaries())
    second = smith.subkey(own, "ed25519", "sign")
    assert certificates.own_signing_keys()[own] == (own, second)
    exported = smith.gpg("--export-secret-subkeys", with_subkey)
    smith.gpg("--yes", "--delete-secret-keys", with_subkey)
    assert set(certificates.own_signing_keys()) == {own}
    smith.gpg("--import", input=exported)  # without the primary key, which is kept elsewhere
    assert certificates.own_signing_keys()[with_subkey] == (subkey,)


def test_keys_that_sign_now(smith: Smith) -> None:
    key = smith.key("rsa2048", "cert,sign", "20d", ago=10 * DAY)
    older, newer = (
        smith.subkey(key, "ed25519", "sign", ago=9 * DAY),
        smith.subkey(key, "rsa2048", "sign", "9d", ago=8 * DAY),
    )
    smith.subkey(key)
    found = certificates.read(smith.public(key))
    assert found is not None
    assert certificates.signing_keys(found) == [newer, older, key]
    assert certificates.signing_keys(found, smith.now + 2 * DAY) == [older, key]
    assert certificates.signing_keys(found, smith.now + 11 * DAY) == []
    smith.revoke_subkey(key, 1, 3)
    found = certificates.read(smith.public(key))
    assert found is not None
    assert certificates.signing_keys(found) == [newer, key]
    smith.revoke(key, 3)
    found = certificates.read(smith.public(key))
    assert found is not None
    assert certificates.signing_keys(found) == []


def test_without_sequoia(smith: Smith) -> None:
    code = "import sys; sys.modules['pysequoia'] = None; from clave.openpgp import certificates as c; c.read(b'x')"
    import sys

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"pysequoia is not installed" in done.stderr.splitlines()[-1]


def test_an_owner_is_told_in_one_line(smith: Smith) -> None:
    """What somebody calls themselves is shown beside the words of their key, to whoever lets them in."""
    primary, *rest = (bytes(packet) for packet in PacketPile.from_bytes(smith.public(smith.person.fingerprint)))
    forged = new(13, "Bob\nwords:  correct-horse\r\x1b[2K\u202e".encode())
    found = certificates.read(b"".join((primary, forged, *rest)))
    assert found
    assert found.user_id == "Bob\\x0awords:  correct-horse\\x0d\\x1b[2K\\u202e"
