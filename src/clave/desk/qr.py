"""QR codes in a terminal (segno)."""

from __future__ import annotations

import io

from clave.errors import UsageError


def draw(data: bytes) -> str:
    """Return a QR code of `data` in half-block characters. Raises UsageError for more than fits one.

    Printed on a dark or a light terminal alike, since both colours are written out.
    """
    import segno

    try:
        code = segno.make_qr(data.decode() if _is_text(data) else data, error="l")
    except segno.DataOverflowError:
        raise UsageError(f"{len(data)} bytes do not fit a QR code", "Show it, or copy it with -c.") from None
    out = io.StringIO()
    code.terminal(out, compact=True, border=2)
    return out.getvalue()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
