"""JSON: one object, of names and strings, in ASCII."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING

from clave.delivery.formats import text

if TYPE_CHECKING:
    from clave.delivery.formats import Variables


def write(variables: Variables) -> bytes:
    """Return the document. Raises Refused."""
    values = {name: text(name, value, "JSON") for name, value in variables}
    return dumps(values, indent=2).encode() + b"\n"
