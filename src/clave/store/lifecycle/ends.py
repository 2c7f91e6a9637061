"""The end that a plaintext has of its own: what it says, and when the certificates and keys in it expire.

Of several ends the earliest counts. What cannot be read has none: this is a reminder, not a check.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from clave.model import due


def end(plaintext: bytes) -> date | None:
    """Return the day from which on a secret is good for nothing, None where it says none."""
    kept = (_certificate(part.data) if part.kind == due.X509 else _key(part.data) for part in due.parts(plaintext))
    return min(filter(None, (due.stated(plaintext), *kept)), default=None)


def _certificate(data: bytes) -> date | None:
    """Return when an X.509 certificate ends, PEM or DER."""
    try:
        from cryptography import x509
    except ImportError:  # a machine for which it is not built
        return None
    is_der = data[:1] == b"0"
    try:
        if is_der:
            return x509.load_der_x509_certificate(data).not_valid_after_utc.date()
        plain = data.replace(b" X509 ", b" ").replace(b" TRUSTED ", b" ")
        return x509.load_pem_x509_certificate(plain).not_valid_after_utc.date()
    except ValueError:
        return None


def _key(data: bytes) -> date | None:
    """Return when an OpenPGP certificate or secret key ends."""
    from clave.openpgp.lifetime import expires

    seconds = expires(data)
    try:
        return datetime.fromtimestamp(seconds, UTC).date() if seconds is not None else None
    except (OverflowError, ValueError):
        return None
