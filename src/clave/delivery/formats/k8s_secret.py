"""For Kubernetes: the manifest of a Secret, its values in base64; for `kubectl apply -f -`."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING

from clave.delivery.formats import Refused
from clave.errors import UsageError
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.delivery.formats import Variables

_LIMIT = 1 << 20  # bytes of all values; the API server refuses more
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")  # RFC 1123, as Kubernetes has it


def write(variables: Variables, secret: str = "env") -> bytes:  # noqa: S107 - the name of one
    """Return the manifest of a Secret of this name. Raises Refused, and UsageError for a name that is none."""
    if not _NAME.fullmatch(secret) or len(secret) > 253:
        raise UsageError(
            f"'{printable(secret)}' cannot be the name of a Secret", "Use lower case letters, digits, '-' and '.'."
        )
    data = []
    size = 0
    for name, value in variables:
        size += len(value)
        if size > _LIMIT:
            raise Refused(name, "the values of a Secret are at most 1 MiB together", "Leave some out.")
        data.append(f'  "{name}": "{b64encode(value).decode()}"\n')
    head = f'apiVersion: v1\nkind: Secret\nmetadata:\n  name: "{secret}"\ntype: Opaque\n'
    return f"{head}data:{chr(10) if data else ' {}' + chr(10)}{''.join(data)}".encode()
