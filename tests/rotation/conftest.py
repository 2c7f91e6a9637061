"""What the tests of rotation share: a server.

Random policies and calendars take what time they take: a loaded machine is no failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.rotation.cluster import Cluster, make, remove

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("patient", deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("patient")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server for the tests of a file."""
    made = make()
    yield made
    remove(made)
