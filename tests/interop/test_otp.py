"""pass-otp and clave give the same code for the same entry, and for the HOTP counter that clave has stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Person, Run

EXAMPLES = max(1, int(os.environ.get("CLAVE_SEQUENCES", "12")) // 2)
COMMON = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink one takes minutes
)

SECRETS = st.binary(min_size=10, max_size=64)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda text: not text.isspace()
)
LABELS = st.one_of(
    TEXTS.map(lambda text: quote(text, safe="")),
    st.tuples(TEXTS, TEXTS).map(lambda pair: ":".join(quote(text, safe="") for text in pair)),
)
BEFORE = st.sampled_from([b"", b"password\n", b"password\nuser: me\n\nnotes with: colons\n"])
AFTER = st.sampled_from([b"", b"\n", b"\nurl: https://example.org\nlast line\n"])


@pytest.fixture(scope="module")
def store(alice: Person, clave: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("otp") / "store"
    assert clave(alice, store, "init", alice.fingerprint).code == 0
    return store


def base32(secret: bytes) -> str:
    return base64.b32encode(secret).decode().rstrip("=")


def put(clave: Run, alice: Person, store: Path, entry: bytes) -> None:
    assert clave(alice, store, "insert", "-m", "-f", "x", input=entry).code == 0


def code(run: Run, alice: Person, store: Path) -> bytes:
    done = run(alice, store, "otp", "x")
    assert done.code == 0, done.err
    return done.out.split(b"\n")[-2]  # before it pass prints what git says of its commit


@COMMON
@given(
    secret=SECRETS,
    label=LABELS,
    algorithm=st.sampled_from([None, "SHA1", "SHA256", "SHA512", "sha256"]),
    digits=st.sampled_from([None, 6, 7, 8]),
    period=st.sampled_from([None, 20, 30, 47, 60, 300, 86_400]),
    before=BEFORE,
    after=AFTER,
)
@pytest.mark.timeout(5 * EXAMPLES + 60)
def test_codes_of_the_time_are_the_same(
    clave: Run, run_pass: Run, alice: Person, store: Path, secret: bytes, label: str, before: bytes, after: bytes,
    algorithm: str | None, digits: int | None, period: int | None,
) -> None:  # fmt: skip
    given = {"algorithm": algorithm, "digits": digits, "period": period}
    parameters = "".join(f"&{key}={value}" for key, value in given.items() if value is not None)
    entry = before + f"otpauth://totp/{label}?secret={base32(secret)}{parameters}".encode() + after
    put(clave, alice, store, entry)
    for _ in range(4):
        first, theirs, second = (code(run, alice, store) for run in (clave, run_pass, clave))
        if first == second:  # both of one period, so that pass was asked in the same
            assert theirs == first
            assert len(first) == (digits or 6)
            break
    else:
        raise AssertionError("no two codes were of one period")
    assert clave(alice, store, "x").out == entry


def hotp(secret: bytes, counter: int, digits: int) -> bytes:
    """RFC 4226, 5.3."""
    mac = hmac.new(secret, counter.to_bytes(8, "big"), hashlib.sha1).digest()
    at = mac[-1] & 15
    return b"%0*d" % (digits, (int.from_bytes(mac[at : at + 4], "big") & 0x7FFFFFFF) % 10**digits)


@COMMON
@given(
    secret=SECRETS,
    label=LABELS,
    digits=st.sampled_from([None, 6, 7, 8]),
    counter=st.one_of(st.integers(0, 20), st.integers(0, 2**31)),
    taken=st.integers(1, 3),
    before=BEFORE,
    after=AFTER,
)
@pytest.mark.timeout(5 * EXAMPLES + 60)
def test_counters_are_counted_on(
    clave: Run, run_pass: Run, alice: Person, store: Path, secret: bytes, label: str, before: bytes, after: bytes,
    digits: int | None, counter: int, taken: int,
) -> None:  # fmt: skip
    """clave counts, and pass goes on from there. (What pass-otp itself writes back is broken since bash 5.2.)"""

    def entry(count: int) -> bytes:
        length = f"&digits={digits}" if digits else ""
        uri = f"otpauth://hotp/{label}?secret={base32(secret)}{length}&counter={count}&x=y"
        return before + uri.encode() + after

    put(clave, alice, store, entry(counter))
    for number in range(counter + 1, counter + 1 + taken):
        assert code(clave, alice, store) == hotp(secret, number, digits or 6)
        assert clave(alice, store, "x").out == entry(number)
    assert code(run_pass, alice, store) == hotp(secret, counter + 1 + taken, digits or 6)
