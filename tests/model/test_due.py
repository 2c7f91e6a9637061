"""The end that a secret has of its own: a line, an X.509 certificate, an OpenPGP key; and whatever is none."""

from __future__ import annotations

import subprocess
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from clave.model import due
from clave.store.lifecycle.ends import end

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Person

END = date(2031, 5, 17)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("expires: 2031-05-17", END),
        ("Expires:2031-05-17", END),
        ("EXPIRES : 2031-05-17T10:00:00Z", END),
        ("expires: 2031-05-17 23:59\r", END),
        ("expires: 2031-13-17", None),
        ("expires: 17.05.2031", None),
        ("expires: 2031-05-171", None),
        ("expires: soon", None),
        ("expires", None),
        ("note: expires: 2031-05-17", None),
    ],
)
def test_a_line(line: str, found: date | None) -> None:
    plaintext = f"password\nuser: me\n{line}\n".encode()
    assert due.may_end(plaintext)
    assert end(plaintext) == found
    assert end(f"expires: {END}\n".encode()) is None  # line 1 is the password, whatever it looks like


@pytest.fixture(scope="module")
def certificate() -> Callable[[date], x509.Certificate]:
    """Return a function that makes a certificate that ends on a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])

    def make(day: date) -> x509.Certificate:
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        begun = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        return (
            begun.serial_number(1)
            .not_valid_before(at - timedelta(days=9000))
            .not_valid_after(at)
            .sign(key, hashes.SHA256())
        )

    return make


def test_a_certificate(certificate: Callable[[date], x509.Certificate]) -> None:
    later = certificate(END + timedelta(days=1)).public_bytes(Encoding.PEM)
    pem = certificate(END).public_bytes(Encoding.PEM)
    der = certificate(END).public_bytes(Encoding.DER)
    assert due.may_end(pem)
    assert due.may_end(der)
    assert end(pem) == END
    assert end(der) == END
    assert end(b"password\n" + later + b"text\n" + pem) == END
    assert end(b"password\nexpires: 2030-01-01\n" + pem) == date(2030, 1, 1)
    assert end(pem.replace(b" CERTIFICATE", b" X509 CERTIFICATE")) == END
    assert end(pem[:200] + b"!" + pem[201:]) is None
    assert end(der[:-20]) is None


def test_an_openpgp_key(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNUPGHOME", str(alice.gnupg))
    argv = ["--passphrase", "", "--quick-gen-key", "Robot <robot@example.org>", "ed25519", "cert,sign"]
    alice.gpg(*argv, str(END))
    listing = alice.gpg("--list-keys", "--with-colons", "robot@example.org").decode()
    expires = next(int(row.split(":")[6]) for row in listing.splitlines() if row.startswith("pub"))
    fingerprint = next(row.split(":")[9] for row in listing.splitlines() if row.startswith("fpr"))
    day = datetime.fromtimestamp(expires, UTC).date()
    for command in ("--export", "--export-secret-keys"):
        binary = alice.gpg(command, "robot@example.org")
        armored = alice.gpg("--armor", command, "robot@example.org")
        assert due.may_end(binary)
        assert end(binary) == day
        assert end(b"password\n\n" + armored + b"more\n") == day
    assert end(alice.gpg("--armor", "--export", alice.fingerprint)) is None
    alice.gpg("--yes", "--delete-secret-and-public-key", fingerprint)
    assert end(armored) == day
    rings = subprocess.run(["gpg", "--list-keys"], env=alice.env(), capture_output=True, check=True).stdout
    assert b"robot@example.org" not in rings  # it was looked at, and not imported


@given(
    st.one_of(
        st.binary(max_size=300), st.builds(lambda a, b: a + b, st.sampled_from((b"0\x82", b"\x99\x01")), st.binary())
    )
)
def test_what_cannot_end_is_not_looked_at(plaintext: bytes) -> None:
    if not due.may_end(plaintext):
        assert due.stated(plaintext) is None
        assert due.parts(plaintext) == []


@pytest.mark.parametrize("plaintext", [b"\x99\x01\x00garbage\xff", b"\xc6\xff\xff\xff\xff\xff", b"\x80" * 50])
def test_garbage_has_no_end(plaintext: bytes) -> None:
    assert end(plaintext) is None


def test_ordinary_passwords_are_not_looked_at() -> None:
    for plaintext in (b"hunter2\n", b"0123456\nuser: me\n", b"x\nurl: https://example.org\n"):
        assert not due.may_end(plaintext)
