"""Fixtures for what speaks to a person's gpg-agent from this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import forget
from tests.openpgp.own import Owner, make_owner

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def olga() -> Iterator[Owner]:
    """A person with an encryption subkey of each kind."""
    owner = make_owner()
    yield owner
    forget(owner.person)


@pytest.fixture
def as_olga(olga: Owner, monkeypatch: pytest.MonkeyPatch) -> Owner:
    """The same, whose environment this process has."""
    for name, value in olga.person.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GPG_TTY", raising=False)
    return olga
