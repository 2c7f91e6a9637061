"""A `.gpg-id` that must be signed: what counts as its signature, and that nothing is written without one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Output, Person, Run, introduce

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Signed:
    """Alice's store, whose `.gpg-id` must be signed by her or by the signer."""

    def __init__(self, alice: Person, signer: Person, other: Person, clave: Run, run_pass: Run, root: Path) -> None:
        self.alice, self.signer, self.other = alice, signer, other
        self._clave, self._pass, self.root = clave, run_pass, root
        root.mkdir()
        self.ids = f"{alice.fingerprint}\n".encode()
        (root / ".gpg-id").write_bytes(self.ids)

    def sign(self, signature: bytes) -> None:
        (self.root / ".gpg-id.sig").write_bytes(signature)

    def insert(self, keys: str | None = None, *, program: str = "clave") -> Output:
        run = self._clave if program == "clave" else self._pass
        keys = self.signer.fingerprint if keys is None else keys
        return run(self.alice, self.root, "insert", "-m", "-f", "x", input=b"canary\n", PASSWORD_STORE_SIGNING_KEY=keys)

    def refuses(self, words: str, keys: str | None = None) -> None:
        done = self.insert(keys)
        error = done.err.decode()
        assert (done.code, done.out, error.count("\n")) == (6, b"", 1), error
        assert words in error
        assert ".gpg-id" in error
        assert "clave init" in error
        assert not (self.root / "x.gpg").exists()

    def accepts(self, keys: str | None = None) -> None:
        done = self.insert(keys)
        assert done.code == 0, done.err.decode()
        assert (self.root / "x.gpg").exists()


@pytest.fixture(scope="module")
def trio(people: Callable[..., list[Person]]) -> list[Person]:
    return people("alice", "signer", "other")


@pytest.fixture
def signed(trio: list[Person], clave: Run, run_pass: Run, tmp_path: Path) -> Signed:
    return Signed(*trio, clave, run_pass, tmp_path / "store")


def signature(person: Person, data: bytes, *options: str) -> bytes:
    return person.gpg(*options, "--detach-sign", input=data)


def test_a_good_signature(signed: Signed) -> None:
    signed.sign(signature(signed.signer, signed.ids))
    signed.accepts()
    signed.accepts(f"{signed.other.fingerprint} {signed.signer.fingerprint}")
    assert signed.insert(program="pass").code == 0
    signed.sign(signature(signed.signer, signed.ids, "--armor"))
    signed.accepts()


def test_a_fingerprint_in_lower_case(signed: Signed) -> None:
    """pass passes over one that it does not know as a fingerprint, and then calls the signature invalid."""
    signed.sign(signature(signed.signer, signed.ids))
    signed.accepts(signed.signer.fingerprint.lower())


def test_a_signing_subkey_counts_for_itself_and_its_primary_key(signed: Signed) -> None:
    signed.signer.gpg("--passphrase", "", "--quick-add-key", signed.signer.fingerprint, "ed25519", "sign", "never")
    introduce(signed.alice, signed.signer)
    listing = signed.signer.gpg("--list-keys", "--with-colons", signed.signer.fingerprint).decode()
    subkey = [line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:")][-1]
    signed.sign(signature(signed.signer, signed.ids, "-u", f"{subkey}!"))
    for keys in (subkey, signed.signer.fingerprint):
        signed.accepts(keys)
        assert signed.insert(keys, program="pass").code == 0
        (signed.root / "x.gpg").unlink()
    signed.refuses("PASSWORD_STORE_SIGNING_KEY does not name", signed.other.fingerprint)


def test_no_signature(signed: Signed) -> None:
    signed.refuses("signature of .gpg-id does not exist")
    signed.accepts("")


def test_a_changed_file(signed: Signed) -> None:
    signed.sign(signature(signed.signer, signed.ids))
    (signed.root / ".gpg-id").write_bytes(signed.ids + signed.other.fingerprint.encode() + b"\n")
    signed.refuses("does not fit the file")


def test_the_signature_of_another_key(signed: Signed) -> None:
    signed.sign(signature(signed.other, signed.ids))
    signed.refuses(f"signed by {signed.other.fingerprint}")
    signed.refuses("does not name", signed.other.fingerprint[-16:])
    signed.refuses("does not name", signed.other.fingerprint[:-1])


def test_an_unknown_key(signed: Signed, people: Callable[..., list[Person]]) -> None:
    (stranger,) = people("stranger")
    signed.sign(signature(stranger, signed.ids))
    signed.refuses("not in your keyring", stranger.fingerprint)


def test_a_revoked_key(signed: Signed, people: Callable[..., list[Person]]) -> None:
    (leaver,) = people("leaver")
    signed.sign(signature(leaver, signed.ids))
    introduce(signed.alice, leaver)
    signed.accepts(leaver.fingerprint)
    (signed.root / "x.gpg").unlink()
    revocation = (leaver.gnupg / "openpgp-revocs.d" / f"{leaver.fingerprint}.rev").read_bytes()
    signed.alice.gpg("--import", input=revocation.replace(b":-----BEGIN", b"-----BEGIN"))
    signed.refuses("revoked key", leaver.fingerprint)
    assert signed.insert(leaver.fingerprint, program="pass").code == 0  # why clave does not do as pass does
    assert (signed.root / "x.gpg").exists()


def test_an_expired_key_and_an_expired_signature(signed: Signed, people: Callable[..., list[Person]]) -> None:
    (late,) = people("late")
    signed.sign(signature(late, signed.ids))
    brief = signature(signed.signer, signed.ids, "--default-sig-expire", "seconds=1")
    late.gpg("--quick-set-expire", late.fingerprint, "seconds=1")
    signed.alice.gpg("--import", input=late.gpg("--export", late.fingerprint))
    while b"\npub:e:" not in signed.alice.gpg("--list-keys", "--with-colons"):
        time.sleep(0.1)
    signed.refuses("expired key", late.fingerprint)
    signed.sign(brief)
    time.sleep(1)
    signed.refuses("the signature has expired")


def test_two_signatures(signed: Signed) -> None:
    good, other = signature(signed.signer, signed.ids), signature(signed.other, signed.ids)
    for both in (good + other, other + good, good + good):
        signed.sign(both)
        signed.refuses("the signature is invalid")


@pytest.mark.parametrize("rubbish", [b"", b"text\n", b"\x88", bytes(200), b"-----BEGIN PGP SIGNATURE-----\n"], ids=repr)
def test_rubbish(signed: Signed, rubbish: bytes) -> None:
    signed.sign(rubbish)
    signed.refuses("the signature is invalid")


def test_a_signed_message_or_key_is_no_detached_signature(signed: Signed) -> None:
    """gpg would check the text inside of it, and not the file."""
    for text in (
        signed.signer.gpg("-s", input=signed.ids),
        signed.signer.gpg("--clearsign", input=signed.ids),
        signed.signer.gpg("-s", input=b"other"),
        signed.signer.gpg("--export", signed.signer.fingerprint),
    ):
        signed.sign(text)
        signed.refuses("the signature")


def test_init_signs(signed: Signed, clave: Run) -> None:
    keys = {"PASSWORD_STORE_SIGNING_KEY": signed.alice.fingerprint}
    assert clave(signed.alice, signed.root, "init", signed.alice.fingerprint, **keys).code == 0
    signed.accepts(signed.alice.fingerprint)
    assert signed.insert(signed.alice.fingerprint, program="pass").code == 0


def test_a_signature_of_a_parent_folder_does_not_count_below(signed: Signed, clave: Run) -> None:
    signed.sign(signature(signed.signer, signed.ids))
    (signed.root / "sub").mkdir()
    (signed.root / "sub" / ".gpg-id").write_bytes(signed.ids)
    keys = {"PASSWORD_STORE_SIGNING_KEY": signed.signer.fingerprint}
    done = clave(signed.alice, signed.root, "insert", "-m", "sub/x", input=b"canary\n", **keys)
    assert (done.code, b"sub/.gpg-id" in done.err) == (6, True)
