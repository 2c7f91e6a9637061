"""Databases of KeePass are written with a key that is cheap to derive."""

from __future__ import annotations

import pytest

from clave.exchange.formats import _kdbx


@pytest.fixture(autouse=True, scope="session")
def _cheap_keys():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_kdbx, "MEMORY", 1 << 16)
        patch.setattr(_kdbx, "ITERATIONS", 1)
        yield
